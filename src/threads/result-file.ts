/** `result.txt` as a file: written from sorted slots, merged, or cut. */
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import { ResultParser } from '../pipeline/aggregates/result-parser.ts';
import { writeLines } from './line-writer.ts';
import { textLines } from './lines.ts';

export interface ResultFileInfo {
  readonly lines: number;
  readonly bytes: number;
}

/**
 * Writes slots in slot order.
 * @param hash takes in the text
 */
export async function writeResultLines(
  path: string,
  slots: AsyncIterable<PartSlot> | Iterable<PartSlot>,
  hash?: Hash,
): Promise<ResultFileInfo> {
  async function* lines(): AsyncGenerator<string> {
    const writer = new ResultLineWriter();
    for await (const { channelVersion, slot } of slots) {
      const line = writer.add(channelVersion, slot);
      if (line !== undefined) yield line;
    }
    const last = writer.end();
    if (last !== undefined) yield last;
  }
  return writeText(path, lines(), hash);
}

export interface MergeSortedInput {
  /** Results as this project writes them, in slot order, in the order in which equal slots are added. */
  readonly results: readonly string[];
  readonly output: string;
}

/** Merges sorted results as streams: for more lines than an index can hold. */
export async function mergeSortedResults({ results, output }: MergeSortedInput): Promise<ResultFileInfo> {
  return writeResultLines(output, mergeParts(results.map(slotsOfResult)));
}

async function* slotsOfResult(path: string): AsyncGenerator<PartSlot> {
  const parser = new ResultParser();
  for await (const line of textLines(createReadStream(path))) {
    const bytes = Buffer.from(line);
    const { channelVersion, measure, byDate } = parser.parseLine(bytes, 0, bytes.length);
    const slots: PartSlot[] = [];
    parser.takeRows(({ path: datePath, values, buildId, revision }) => {
      const place = { measure, byDate, path: datePath.slice(9), date: datePath.slice(0, 8) };
      slots.push({ channelVersion, slot: { ...place, values: values.slice(), buildId, revision } });
    });
    parser.discard();
    yield* slots;
  }
}

export interface SplitInput {
  /** Sorted result file. */
  readonly result: string;
  /** Existing folder that takes the pieces. */
  readonly folder: string;
}

/** Cuts a sorted result into one file per channel/version. */
export async function splitResult({ result, folder }: SplitInput): Promise<{ channelVersion: string; path: string }[]> {
  const pieces: { channelVersion: string; path: string }[] = [];
  const reader = textLines(createReadStream(result));
  let next = await reader.next();
  while (next.done !== true) {
    const channelVersion = channelVersionOf(next.value);
    const path = join(folder, `piece-${pieces.length}`);
    const piece = async function* (): AsyncGenerator<string> {
      for (; next.done !== true && channelVersionOf(next.value) === channelVersion; next = await reader.next())
        yield next.value;
    };
    await writeText(path, piece());
    pieces.push({ channelVersion, path });
  }
  return pieces;
}

function channelVersionOf(line: string): string {
  return line.slice(0, line.indexOf('/', line.indexOf('/') + 1));
}

async function writeText(path: string, lines: AsyncIterable<string>, hash?: Hash): Promise<ResultFileInfo> {
  const written = await writeLines(path, lines, (line) => line, hash === undefined ? {} : { hash });
  return { lines: written.lines, bytes: written.bytes };
}
