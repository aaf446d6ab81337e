/**
 * File job: many `result.txt` → one sorted part per channel/version. A result that breaks a rule is left out whole.
 * Nothing counts before a result was read to its end; one too large to be held that long is read twice. The table is
 * spilled to disk whenever it passes its limit, so memory stays flat for any input.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { type DropCounts, ResultParser } from '../pipeline/aggregates/result-parser.ts';
import { SlotTable } from '../pipeline/aggregates/slot-table.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { LineSplitter } from './lines.ts';
import { type PartInfo, readPart, writePart } from './part-file.ts';
import { writeResultLines } from './result-file.ts';

export interface ResultFile {
  /** Task id, or another name for reports. */
  readonly id: string;
  readonly path: string;
}

export interface MergeResultsInput {
  /** In the order in which they are added. */
  readonly results: readonly ResultFile[];
  /** Existing folder that takes the parts. */
  readonly folder: string;
  readonly limits: MergeLimits;
}

export interface MergeLimits {
  readonly maxLineBytes: number;
  /** Size at which the table is written out and emptied. */
  readonly maxTableBytes: number;
}

export interface MergedPart extends PartInfo {
  readonly channelVersion: string;
  readonly path: string;
}

export interface MergeResultsResult {
  readonly parts: readonly MergedPart[];
  /** Results that were left out whole, with the first fault found. */
  readonly rejected: readonly { readonly id: string; readonly reason: string; readonly message: string }[];
  /** Aggregates that were left out of good results, by reason; and `mixed_statistics`. */
  readonly dropped: DropCounts;
  /** Bytes read. */
  readonly bytes: number;
}

export async function mergeResults({ results, folder, limits }: MergeResultsInput): Promise<MergeResultsResult> {
  const { slots, spills, ...outcome } = await mergeSorted({ results, folder, limits }, WHOLE);
  const parts = await writeByChannelVersion(folder, slots);
  await Promise.all(spills.map((spill) => rm(spill)));
  return { parts, ...outcome };
}

/** Every thread reads all results, but only the lines of its share of keys, so that no sum is split among threads. */
export interface Share {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

const WHOLE: Share = { index: 0, of: 1 };

export interface MergeShareInput extends MergeResultsInput {
  readonly share: Share;
}

export interface MergeShareResult extends Omit<MergeResultsResult, 'parts'> {
  /** Sorted lines of the share, in the form of a result. */
  readonly path: string;
}

/** The same for one share of the lines; what all shares write, interleaved, is the merged result. */
export async function mergeResultShare({ share, ...input }: MergeShareInput): Promise<MergeShareResult> {
  const { slots, spills, ...outcome } = await mergeSorted(input, share);
  const path = join(input.folder, `share-${share.index}`);
  await writeResultLines(path, slots);
  await Promise.all(spills.map((spill) => rm(spill)));
  return { path, ...outcome };
}

interface Sorted extends Omit<MergeResultsResult, 'parts'> {
  readonly slots: AsyncIterable<PartSlot> | Iterable<PartSlot>;
  /** Files that `slots` reads; to be removed after it. */
  readonly spills: readonly string[];
}

async function mergeSorted({ results, folder, limits }: MergeResultsInput, share: Share): Promise<Sorted> {
  const table = new SlotTable();
  const parser = new ResultParser();
  const rejected: { id: string; reason: string; message: string }[] = [];
  const spills: string[] = [];
  const commit = async (): Promise<void> => {
    parser.commit(table);
    if (table.bytes <= limits.maxTableBytes) return;
    const spill = join(folder, `spill-${share.index}-${spills.length}`);
    await writePart(spill, table.sorted());
    spills.push(spill);
    table.clear();
  };
  let bytes = 0;
  for (const { id, path } of results) {
    try {
      const checked = checkResult(parser, path, limits, share);
      bytes += checked.bytes;
      const pieces = checked.staged ? undefined : stagedPieces(parser, path, limits, share);
      while (pieces?.next().done === false) await commit();
      await commit();
    } catch (error) {
      parser.discard();
      if (!(error instanceof InvalidDataError)) throw error;
      rejected.push({ id, reason: error.reason, message: error.message.slice(0, 500) });
    }
  }
  const dropped = { ...parser.dropped };
  if (table.mixedStatistics > 0) dropped['mixed_statistics'] = table.mixedStatistics;
  const slots = spills.length === 0 ? table.sorted() : mergeParts([...spills.map(readPart), table.sorted()]);
  return { slots, spills, rejected, dropped, bytes };
}

/**
 * Reads a result to its end.
 * @returns whether all of it is staged now; nothing is when it was too large for that
 * @throws InvalidDataError when it must be rejected
 */
function checkResult(
  parser: ResultParser,
  path: string,
  limits: MergeLimits,
  share: Share,
): { staged: boolean; bytes: number } {
  let staged = true;
  let bytes = 0;
  for (const read of stagedPieces(parser, path, limits, share)) {
    bytes = read;
    if (parser.stagedBytes > maxStagedBytes(limits)) staged = false;
    if (!staged) parser.discard();
  }
  return { staged, bytes };
}

/** Stages a result block by block; yields how much of it was read each time the stage has passed its limit, and at the end. */
function* stagedPieces(parser: ResultParser, path: string, limits: MergeLimits, share: Share): Generator<number> {
  parser.open();
  const splitter = new LineSplitter(limits.maxLineBytes, () => {
    throw new InvalidDataError('line_too_long', `A line of the result is longer than ${limits.maxLineBytes} bytes`);
  });
  const onLine = (line: Buffer, start: number, end: number): void => {
    if (share.of === 1 || keyHash(line, start, end) % share.of === share.index) parser.parseLine(line, start, end);
  };
  let bytes = 0;
  // Read synchronously: this thread has nothing else to do.
  const file = openSync(path, 'r');
  try {
    const block = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const length = readSync(file, block, 0, READ_BYTES, null);
      if (length === 0) break;
      bytes += length;
      splitter.push(block.subarray(0, length), onLine);
      if (parser.stagedBytes > maxStagedBytes(limits)) yield bytes;
    }
  } finally {
    closeSync(file);
  }
  splitter.end(onLine);
  yield bytes;
}

/** How much of one result is held before its end was read. */
function maxStagedBytes({ maxTableBytes }: MergeLimits): number {
  return maxTableBytes / 4;
}

const TAB = 0x09;
const READ_BYTES = 1 << 20;

/** Of the bytes before TAB, so that every line of a key falls to the same share. */
function keyHash(line: Buffer, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end && line[at] !== TAB; at += 1) hash = (Math.imul(hash, 31) + (line[at] as number)) | 0;
  return hash >>> 1;
}

/** Cuts a sorted stream into one part per channel/version. */
async function writeByChannelVersion(
  folder: string,
  slots: AsyncIterable<PartSlot> | Iterable<PartSlot>,
): Promise<MergedPart[]> {
  const parts: MergedPart[] = [];
  const source = Symbol.asyncIterator in slots ? slots[Symbol.asyncIterator]() : slots[Symbol.iterator]();
  let next = await source.next();
  while (next.done !== true) {
    const { channelVersion } = next.value;
    const path = join(folder, `part-${parts.length}`);
    // The generator is used up before the loop goes on.
    const run = async function* (): AsyncGenerator<PartSlot> {
      while (next.done !== true && next.value.channelVersion === channelVersion) {
        yield next.value;
        next = await source.next();
      }
    };
    parts.push({ channelVersion, path, ...(await writePart(path, run())) });
  }
  return parts;
}
