/** `result.txt` as a file: written from sorted slots, or interleaved from shares of its lines. */
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { compareLineKeys, ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { sortedMerge } from '../pipeline/sorted-merge.ts';
import { textLines } from './lines.ts';

export interface ResultFileInfo {
  readonly lines: number;
  readonly bytes: number;
}

const BLOCK_BYTES = 1 << 18;

/** Writes slots in slot order. */
export async function writeResultLines(
  path: string,
  slots: AsyncIterable<PartSlot> | Iterable<PartSlot>,
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
  return writeLines(path, lines());
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
  return writeLines(output, lines());
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
    await writeLines(path, piece());
    pieces.push({ channelVersion, path });
  }
  return pieces;
}

function channelVersionOf(line: string): string {
  return line.slice(0, line.indexOf('/', line.indexOf('/') + 1));
}

async function writeLines(path: string, lines: AsyncIterable<string>): Promise<ResultFileInfo> {
  const info = { lines: 0, bytes: 0 };
  async function* blocks(): AsyncGenerator<Buffer> {
    let text: string[] = [];
    let characters = 0;
    const flush = (): Buffer => {
      const block = Buffer.from(text.join(''));
      info.bytes += block.length;
      text = [];
      characters = 0;
      return block;
    };
    for await (const line of lines) {
      text.push(line, '\n');
      characters += line.length + 1;
      info.lines += 1;
      if (characters >= BLOCK_BYTES) yield flush();
    }
    if (characters > 0) yield flush();
  }
  await pipeline(Readable.from(blocks(), { highWaterMark: 2 }), createWriteStream(path));
  return info;
}
