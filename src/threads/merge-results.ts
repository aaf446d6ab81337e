/**
 * File jobs: many `result.txt` → one sorted part per channel/version, or the sorted lines of some of their keys. A result
 * that breaks a rule is left out whole: a fault that shows in the second pass ends in another one without that result.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { DropCounts } from '../pipeline/aggregates/result-parser.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import type { TextSink } from './key-output.ts';
import { allKeys, type KeyRanges, partsOf } from './key-ranges.ts';
import { mergeKeys, type MergeKeysInput, type MergeKeysResult } from './merge-keys.ts';
import { type PartInfo, readPart, writePart } from './part-file.ts';
import { indexResults, linesByKey, type RejectedResult, type ResultFile, type ResultIndex } from './result-index.ts';
import { type SharedFile, SharedFileWriter } from './shared-file.ts';
import { CompressedTextFile } from './text-file.ts';

export interface MergeResultsInput {
  /** In the order in which they are added. */
  readonly results: readonly ResultFile[];
  /** Existing folder that takes the parts. */
  readonly folder: string;
  readonly limits: MergeLimits;
}

export interface MergeLimits {
  readonly maxLineBytes: number;
  /** Size of the rows of one key at which they are written out. */
  readonly maxTableBytes: number;
}

export interface MergedPart extends PartInfo {
  readonly channelVersion: string;
  readonly path: string;
}

export interface MergeResultsResult {
  readonly parts: readonly MergedPart[];
  /** Results that were left out whole. */
  readonly rejected: readonly RejectedResult[];
  /** Aggregates that were left out of good results, by reason; and `mixed_statistics`. */
  readonly dropped: DropCounts;
  /** Bytes read. */
  readonly bytes: number;
}

export async function mergeResults({ results, folder, limits }: MergeResultsInput): Promise<MergeResultsResult> {
  const groups: Omit<MergeResultsResult, 'bytes'>[] = [];
  let bytes = 0;
  for (let from = 0; from < results.length;) {
    const index = await indexResults({ results: results.slice(from), maxLineBytes: limits.maxLineBytes });
    bytes += index.bytes;
    groups.push(await mergeGroup(results.slice(from, from + index.results), index, folder, groups.length, limits));
    from += index.results;
  }
  const dropped: Record<string, number> = {};
  for (const group of groups) addCounts(dropped, group.dropped);
  const parts = groups.length === 1 ? (groups[0]?.parts ?? []) : await mergedGroups(folder, groups);
  return { parts, rejected: groups.flatMap(({ rejected }) => rejected), dropped, bytes };
}

/** Merges results whose lines can be held in one index. */
async function mergeGroup(
  results: readonly ResultFile[],
  index: ResultIndex,
  folder: string,
  group: number,
  { maxTableBytes }: MergeLimits,
): Promise<Omit<MergeResultsResult, 'bytes'>> {
  const rejected = [...index.rejected];
  for (let lines = index; ;) {
    const sink = new PartSink(folder, group);
    const byKey = linesByKey([lines]);
    const pass = await mergeKeys({ lines: byKey, results, folder, maxTableBytes }, allKeys(byKey), sink);
    const parts = await sink.close();
    if (pass.rejected.length === 0) return { parts, rejected, dropped: pass.dropped };
    await Promise.all(parts.map(({ path }) => rm(path)));
    rejected.push(...pass.rejected);
    const bad = new Set(pass.rejected.map(({ id }) => id));
    lines = without(lines, (result) => bad.has(results[result]?.id ?? ''));
  }
}

/** The index without the lines of some results. */
function without(index: ResultIndex, isLeftOut: (result: number) => boolean): ResultIndex {
  const kept = (_value: number, line: number): boolean => !isLeftOut(index.result[line] as number);
  return {
    ...index,
    result: index.result.filter(kept),
    key: index.key.filter(kept),
    offset: index.offset.filter(kept),
    length: index.length.filter(kept),
  };
}

/** Writes one part per channel/version. */
class PartSink implements TextSink {
  readonly output = 'part';
  readonly #folder: string;
  readonly #group: number;
  readonly #parts: MergedPart[] = [];
  #open: { readonly file: CompressedTextFile; readonly channelVersion: string; slots: number } | undefined;

  constructor(folder: string, group: number) {
    this.#folder = folder;
    this.#group = group;
  }

  async begin(channelVersion: string): Promise<void> {
    await this.#close();
    this.#open = { file: new CompressedTextFile(this.#path()), channelVersion, slots: 0 };
  }

  write(text: Buffer, _lines: number, slots: number): Promise<void> | undefined {
    if (this.#open === undefined) return undefined;
    this.#open.slots += slots;
    return this.#open.file.write(text);
  }

  async close(): Promise<MergedPart[]> {
    await this.#close();
    return this.#parts;
  }

  #path(): string {
    return join(this.#folder, `part-${this.#group}-${this.#parts.length}`);
  }

  async #close(): Promise<void> {
    if (this.#open === undefined) return;
    const { file, channelVersion, slots } = this.#open;
    this.#open = undefined;
    const stored = await file.close();
    if (slots === 0) await rm(this.#path());
    else this.#parts.push({ channelVersion, path: this.#path(), slots, bytes: file.bytes, ...stored });
  }
}

/** The parts of all groups as one per channel/version. */
async function mergedGroups(
  folder: string,
  groups: readonly Pick<MergeResultsResult, 'parts'>[],
): Promise<MergedPart[]> {
  const byChannelVersion = Map.groupBy(
    groups.flatMap(({ parts }) => parts),
    ({ channelVersion }) => channelVersion,
  );
  const merged: MergedPart[] = [];
  for (const channelVersion of [...byChannelVersion.keys()].sort()) {
    const path = join(folder, `part-${merged.length}`);
    const parts = (byChannelVersion.get(channelVersion) ?? []).map((part) => part.path);
    merged.push({ channelVersion, path, ...(await writePart(path, mergeParts(parts.map(readPart)))) });
    await Promise.all(parts.map((part) => rm(part)));
  }
  return merged;
}

export interface MergeRangesInput extends MergeKeysInput {
  readonly ranges: KeyRanges;
  /** Takes the sorted lines of a result, those of each range as a part. */
  readonly output: SharedFile;
}

export interface MergeRangesResult extends MergeKeysResult {
  readonly lines: number;
  readonly bytes: number;
}

/** One thread's share of a merge: the ranges that it takes. */
export async function mergeResultRanges({ ranges, output, ...input }: MergeRangesInput): Promise<MergeRangesResult> {
  const file = new SharedFileWriter(output);
  let lines = 0;
  const sink: TextSink = {
    output: 'result',
    begin: async () => undefined,
    write: (text, written) => {
      lines += written;
      file.write(text);
      return undefined;
    },
  };
  try {
    const merged = await mergeKeys(input, partsOf(file, ranges), sink);
    file.finish();
    return { ...merged, lines, bytes: file.bytes };
  } finally {
    file.close();
  }
}
