/**
 * File job: the submission files of one analysis task → `result.txt`
 * (docs/formats/submissions.md, docs/formats/results.md 4.1).
 */
import { isUtf8 } from 'node:buffer';
import { rm, stat } from 'node:fs/promises';
import type { AggregateLimits } from '../kernels/aggregate-kernel.ts';
import { MAX_NAMED } from '../pipeline/bad-histograms.ts';
import { skippedSubmissions } from '../pipeline/dataset/run-report.ts';
import type { FailedFile, TaskReport } from '../pipeline/done-queue/done-message.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { type AddedLimit, demandFewRows } from '../pipeline/submissions/added-limit.ts';
import { SubmissionAggregator, type SubmissionRules } from '../pipeline/submissions/aggregator.ts';
import { type DecodeEnd, type DecodeLimits, decodeFile } from './decode.ts';
import { LineSplitter } from './lines.ts';
import { foldSums } from './fold-sums.ts';
import { keyRanges } from './key-ranges.ts';
import { sharedFile } from './shared-file.ts';
import { linesOfSums, type PackedSums, SpillingSums } from './spilling-sums.ts';

export interface SubmissionFile {
  /** Input key: names the dimensions. */
  readonly key: string;
  /** Local path of the file. */
  readonly path: string;
}

export interface CountSubmissionsInput {
  readonly files: readonly SubmissionFile[];
  /** Existing folder for temporary files. */
  readonly folder: string;
  readonly rules: SubmissionRules;
  readonly limits: DecodeLimits & {
    readonly maxLineBytes: number;
    /** Size in memory at which the sums are written out and cleared. */
    readonly maxTableBytes: number;
    /** Of what a file may add to a result. */
    readonly added?: AddedLimit;
  };
  /** Files that were found unfit before, such as one in which a thread ran out of memory. */
  readonly unfit?: readonly FailedFile[];
  /** Shared with the caller: `at[0]` is 1 + the index of the file being read, so that it is known when the thread dies. */
  readonly at?: Int32Array;
  /** Number of the first file, among those of all calls whose sums are put together. */
  readonly firstFile?: number;
  /** Of this call, among those that use the folder at the same time. */
  readonly name?: string;
}

export interface AggregateSubmissionsInput extends CountSubmissionsInput {
  /** File to write. */
  readonly output: string;
}

interface Counts extends TaskReport {
  /** Decoded bytes. */
  readonly decodedBytes: number;
}

export interface CountSubmissionsResult extends Counts {
  /** The sums, in files that the caller removes. */
  readonly sums: readonly PackedSums[];
}

export interface AggregateSubmissionsResult extends Counts {
  readonly lines: number;
  readonly bytes: number;
}

/** The whole task. */
export async function aggregateSubmissions(input: AggregateSubmissionsInput): Promise<AggregateSubmissionsResult> {
  const limits = limitsOf(input);
  const counts = await countSubmissions(input);
  const { sums } = counts;
  const { lines, leftOut } = linesOfSums(sums);
  const ranges = keyRanges(lines, 1);
  const output = sharedFile(input.output, ranges.ranges.length);
  const { folder } = input;
  const { mixedStatistics, ...written } = await foldSums({ lines, ranges, files: sums, limits, folder, output });
  await Promise.all(sums.map(({ path }) => rm(path)));
  const { decodedBytes, filesFailed, filesPartial, records, badHistograms } = counts;
  const found = { mixed_statistics: mixedStatistics, measures_over_limit: leftOut };
  const skipped = withCounts(counts.skipped, found);
  return { ...{ decodedBytes, filesFailed, filesPartial, records, skipped, badHistograms }, ...written };
}

/** With those of `more` that are not 0. */
function withCounts(counts: Counts['skipped'], more: Readonly<Record<string, number>>): Record<string, number> {
  const all: Record<string, number> = { ...counts };
  addCounts(all, Object.fromEntries(Object.entries(more).filter(([, count]) => count > 0)));
  return all;
}

/** Adds submissions up, for `foldSums` to write. */
export async function countSubmissions(input: CountSubmissionsInput): Promise<CountSubmissionsResult> {
  const unfit = unfitOf(input);
  for (;;) {
    const sums = new SpillingSums(input.folder, input.name ?? '', limitsOf(input));
    const counts = await countFiles(input, unfit, sums);
    if (counts !== undefined) {
      const packed = sums.packed();
      return { ...counts, skipped: withCounts(counts.skipped, { measures_over_limit: sums.leftOut }), sums: packed };
    }
    // Files were found unfit after some of their lines were counted: count again without them. All of them are known now.
  }
}

/** Reads files for nothing but this: those given as unfit, and those that cannot be counted whole. */
export async function findUnfitFiles(input: CountSubmissionsInput): Promise<readonly FailedFile[]> {
  const unfit = unfitOf(input);
  const sums = new SpillingSums(input.folder, input.name ?? '', limitsOf(input));
  await sums.discard();
  await countFiles(input, unfit, sums);
  return asList(unfit);
}

function unfitOf({ unfit = [] }: CountSubmissionsInput): Map<string, string> {
  return new Map(unfit.map(({ key, reason }) => [key, reason]));
}

function asList(failed: ReadonlyMap<string, string>): FailedFile[] {
  return [...failed].map(([key, reason]) => ({ key, reason }));
}

function limitsOf({ limits, rules }: CountSubmissionsInput): AggregateLimits {
  const { maxLineBytes, maxTableBytes } = limits;
  return { maxLineBytes, maxTableBytes, maxHistogramLength: rules.maxHistogramLength };
}

/**
 * Why a file has no submission; undefined for one that is just empty. Nothing of it is lost when it is analysed again.
 * @param hasOthers whether it has lines that are none
 */
function reasonOfNothing(end: DecodeEnd, hasOthers: boolean): string | undefined {
  if (hasOthers) return 'no_submission';
  return end === 'truncated' ? 'truncated_file' : undefined;
}

/**
 * @param unfit files that are left out; gets those that cannot be counted whole
 * @returns undefined when lines of such a file are in the sums, which are discarded then
 */
async function countFiles(
  input: CountSubmissionsInput,
  unfit: Map<string, string>,
  sums: SpillingSums,
): Promise<Counts | undefined> {
  const failed = new Map(unfit);
  const aggregator = new SubmissionAggregator(sums.kernel, input.rules);
  const partial: string[] = [];
  let decodedBytes = 0;
  for (const [index, file] of input.files.entries()) {
    if (failed.has(file.key)) continue;
    const before = aggregator.records;
    const leftOut = skippedSubmissions(aggregator.skipped);
    try {
      beginFile(input, index, sums);
      aggregator.openFile(file.key);
      const { end, decoded } = await countFile(file, aggregator, sums, input.limits);
      decodedBytes += decoded;
      if (aggregator.records === before) {
        const hasOthers = skippedSubmissions(aggregator.skipped) > leftOut;
        const reason = reasonOfNothing(end, hasOthers);
        if (reason !== undefined) failed.set(file.key, reason);
      } else if (end === 'truncated') {
        partial.push(file.key);
        aggregator.note('truncated_file');
      }
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      failed.set(file.key, error.reason);
      unfit.set(file.key, error.reason);
      // The other files are read all the same: counted again once for each unfit one, a task would never end.
      if (aggregator.records > before) await sums.discard();
    }
  }
  if (sums.isDiscarded) return undefined;
  const filesFailed = asList(failed);
  for (const { reason } of filesFailed) aggregator.note(reason);
  if (sums.mixedStatistics > 0) aggregator.note('mixed_statistics', sums.mixedStatistics);
  const { records, skipped } = aggregator;
  const badHistograms = aggregator.badHistograms.worst(MAX_NAMED);
  return { decodedBytes, filesFailed, filesPartial: partial, records, skipped, badHistograms };
}

function beginFile({ at, firstFile = 0 }: CountSubmissionsInput, index: number, sums: SpillingSums): void {
  if (at !== undefined) at[0] = index + 1;
  sums.spillLarge();
  sums.kernel.beginFile(firstFile + index);
}

async function countFile(
  file: SubmissionFile,
  aggregator: SubmissionAggregator,
  sums: SpillingSums,
  limits: CountSubmissionsInput['limits'],
): Promise<{ end: 'complete' | 'truncated'; decoded: number }> {
  const { size } = await stat(file.path);
  let decoded = 0;
  const splitter = new LineSplitter(limits.maxLineBytes, () => {
    aggregator.note('line_too_long');
  });
  const onLine = (bytes: Buffer, start: number, end: number): void => {
    if (!isUtf8(bytes.subarray(start, end))) aggregator.note('bad_utf8');
    const at = sums.kernel.hold(bytes, start, end);
    aggregator.addLine(sums.kernel.bytes, at, at + end - start);
    if (sums.spillLarge()) aggregator.openSource();
    demandFewRows(sums.kernel.bytesOfFile, size, limits.added);
  };
  const end = await decodeFile(file.path, size, limits, (block) => {
    decoded += block.length;
    splitter.push(block, onLine);
  });
  if (end === 'complete') splitter.end(onLine);
  sums.kernel.endFile();
  demandFewRows(sums.kernel.bytesOfFile, size, limits.added);
  if (decoded === 0 && end === 'complete') aggregator.note('empty_file');
  return { end, decoded };
}
