/**
 * File job: many `result.txt` → one sorted part per channel/version. A result that breaks a rule is left out whole. The
 * table is spilled to disk whenever it passes its limit, so memory stays flat whatever comes.
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { type DropCounts, ResultParser } from '../pipeline/aggregates/result-parser.ts';
import { SlotTable } from '../pipeline/aggregates/slot-table.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { LineSplitter } from './lines.ts';
import { type PartInfo, readPart, writePart } from './part-file.ts';

export interface ResultFile {
  /** Task id, or any name that reports can show. */
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
  /** Size of the table at which it is written out and begun anew. */
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
  const table = new SlotTable();
  const parser = new ResultParser();
  const rejected: { id: string; reason: string; message: string }[] = [];
  const spills: string[] = [];
  let bytes = 0;
  for (const { id, path } of results) {
    try {
      bytes += await stageResult(parser, path, limits.maxLineBytes);
      parser.commit(table);
    } catch (error) {
      parser.discard();
      if (!(error instanceof InvalidDataError)) throw error;
      rejected.push({ id, reason: error.reason, message: error.message.slice(0, 500) });
    }
    if (table.bytes > limits.maxTableBytes) {
      const spill = join(folder, `spill-${spills.length}`);
      await writePart(spill, table.sorted());
      spills.push(spill);
      table.clear();
    }
  }
  const parts = await writeByChannelVersion(
    folder,
    spills.length === 0 ? table.sorted() : mergeParts([...spills.map(readPart), table.sorted()]),
  );
  await Promise.all(spills.map((spill) => rm(spill)));
  const dropped = { ...parser.dropped };
  if (table.mixedStatistics > 0) dropped['mixed_statistics'] = table.mixedStatistics;
  return { parts, rejected, dropped, bytes };
}

/** @returns bytes read */
async function stageResult(parser: ResultParser, path: string, maxLineBytes: number): Promise<number> {
  const splitter = new LineSplitter(maxLineBytes, () => {
    throw new InvalidDataError('line_too_long', `A line of the result is longer than ${maxLineBytes} bytes`);
  });
  const onLine = (line: Buffer, start: number, end: number): void => {
    parser.parseLine(line, start, end);
  };
  let bytes = 0;
  for await (const block of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    bytes += block.length;
    splitter.push(block, onLine);
  }
  splitter.end(onLine);
  return bytes;
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
