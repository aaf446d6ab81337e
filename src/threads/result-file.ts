/** `result.txt` as a file: written from sorted slots, merged, or cut. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import { oneLength } from '../pipeline/aggregates/one-length.ts';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import { type DropCounts, ResultParser } from '../pipeline/aggregates/result-parser.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { writeLines } from './line-writer.ts';
import { textLines } from './lines.ts';

export interface ResultFileInfo {
  readonly lines: number;
  readonly bytes: number;
}

/** Writes slots in slot order. */
export async function writeResultLines(
  path: string,
  slots: AsyncIterable<PartSlot> | Iterable<PartSlot>,
): Promise<ResultFileInfo> {
  return writeText(path, linesOf(slots));
}

async function* linesOf(slots: AsyncIterable<PartSlot> | Iterable<PartSlot>): AsyncGenerator<string> {
  const writer = new ResultLineWriter();
  for await (const { channelVersion, slot } of slots) {
    const line = writer.add(channelVersion, slot);
    if (line !== undefined) yield line;
  }
  const last = writer.end();
  if (last !== undefined) yield last;
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

export interface KeepOneLengthInput {
  /** Merged result: paths in order, and a path of several lengths has a list. */
  readonly result: string;
  readonly output: string;
}

export interface KeptOneLength extends ResultFileInfo {
  /** Aggregates that were left out, by reason: `length_mismatch`, and sums beyond what a result may hold. */
  readonly dropped: DropCounts;
}

/** Writes a result with one aggregate for each path. */
export async function keepOneLength({ result, output }: KeepOneLengthInput): Promise<KeptOneLength> {
  const parser = new ResultParser();
  const dropped: Record<string, number> = {};
  let leftOut = 0;
  async function* lines(): AsyncGenerator<string> {
    const reader = textLines(createReadStream(result));
    let next = await reader.next();
    while (next.done !== true) {
      const line = next.value;
      const key = keyOf(line);
      next = await reader.next();
      const goesOn = (): boolean => next.done !== true && keyOf(next.value) === key;
      // Most keys are one line and have one length.
      if (!goesOn() && !line.includes(LIST)) {
        yield line;
        continue;
      }
      const slots = async function* (): AsyncGenerator<PartSlot> {
        let more: string | undefined = line;
        while (more !== undefined) {
          const some = slotsOfLine(parser, more, dropped);
          leftOut += some.length;
          yield* some;
          more = goesOn() ? (next.value as string) : undefined;
          if (more !== undefined) next = await reader.next();
        }
      };
      const kept = async function* (): AsyncGenerator<PartSlot> {
        for await (const slot of oneLength(slots())) {
          leftOut -= 1;
          yield slot;
        }
      };
      yield* linesOf(kept());
    }
  }
  const written = await writeText(output, lines());
  if (leftOut > 0) addCounts(dropped, { length_mismatch: leftOut });
  return { ...written, dropped };
}

/** How the value of a path with several lengths begins; inside a text, a backslash is before the first character. */
const LIST = '":[{';

function keyOf(line: string): string {
  return line.slice(0, line.indexOf('\t'));
}

async function* slotsOfResult(path: string): AsyncGenerator<PartSlot> {
  const parser = new ResultParser();
  for await (const line of textLines(createReadStream(path))) yield* slotsOfLine(parser, line);
}

/**
 * @param line of a result that this project wrote
 * @param dropped takes the counts of what is left out
 */
function slotsOfLine(parser: ResultParser, line: string, dropped: Record<string, number> = {}): PartSlot[] {
  const bytes = Buffer.from(line);
  const { channelVersion, measure, byDate } = parser.parseLine(bytes, 0, bytes.length);
  const slots: PartSlot[] = [];
  parser.takeRows(({ path: datePath, values, buildId, revision }) => {
    const place = { measure, byDate, path: datePath.slice(9), date: datePath.slice(0, 8) };
    slots.push({ channelVersion, slot: { ...place, values: values.slice(), buildId, revision } });
  });
  addCounts(dropped, parser.stagedDrops);
  parser.discard();
  return slots;
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

async function writeText(path: string, lines: AsyncIterable<string>): Promise<ResultFileInfo> {
  const written = await writeLines(path, lines, (line) => line);
  return { lines: written.lines, bytes: written.bytes };
}
