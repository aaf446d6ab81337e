/** `result.txt` as a file: written from sorted slots, or interleaved from shares of its lines. */
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { compareLineKeys, ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { sortedMerge } from '../pipeline/sorted-merge.ts';
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

export interface InterleaveInput {
  /** Files of sorted result lines; no key is in two of them. */
  readonly shares: readonly string[];
  readonly output: string;
}

/** Puts the lines of all shares into one sorted file. */
export async function interleaveShares({ shares, output }: InterleaveInput): Promise<ResultFileInfo> {
  const merged = sortedMerge(
    shares.map((path) => textLines(createReadStream(path))),
    { compare: compareLineKeys, combine: (lines) => lines, unsorted },
  );
  async function* lines(): AsyncGenerator<string> {
    for await (const equal of merged) yield* equal;
  }
  return writeText(output, lines());
}

function unsorted(line: string, after: string): InvalidDataError {
  const [key, greater] = [line, after].map((text) => text.slice(0, text.indexOf('\t')));
  return new InvalidDataError('unsorted_slots', `lines out of order: ${key} after ${greater}`);
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
