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

export async function readDefinitions(path: string): Promise<PublishedDefinitions> {
  const root = StoredJson.parse(await publishedText(path), 'bad_histograms', path);
  return new Map(
    root.entries().map(([measure, definition]) => {
      definition.member('kind').text();
      return [measure, definition.value as RawDefinition];
    }),
  );
}
