/** Published files of a folder, as local copies. */
import { readFile } from 'node:fs/promises';
import type { RawDefinition } from '../histograms/definition.ts';
import type { PublishedDefinitions } from '../pipeline/changes/measure-series.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import { namingFile } from './content-error.ts';
import { inflatedText } from './gzip.ts';

export async function publishedText(path: string): Promise<string> {
  try {
    return inflatedText(await readFile(path));
  } catch (error) {
    throw namingFile(path, error, 'bad_gzip');
  }
}

/** 2³² rows with the largest number that a result may have: beyond it sums could overflow, and nobody published it. */
const MAX_NUMBER = 2 ** 128;

/** @throws InvalidDataError where it is no list of numbers that could have been published */
export function rowNumbers(row: StoredJson): readonly number[] {
  const { value } = row;
  if (Array.isArray(value) && value.every((number) => typeof number === 'number' && Math.abs(number) <= MAX_NUMBER))
    return value as number[];
  return row.fail('a list of numbers up to 2^128');
}

export async function readDefinitions(path: string): Promise<PublishedDefinitions> {
  const root = StoredJson.parse(await publishedText(path), 'bad_histograms', path);
  return new Map(
    root.entries().map(([measure, definition]) => {
      definition.member('kind').text();
      return [measure, definition.value as RawDefinition];
    }),
  );
}
