/**
 * File job: the submission files of one analysis task → `result.txt`
 * (docs/formats/submissions.md, docs/formats/results.md 4.1).
 */
import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import { resultLines } from '../pipeline/aggregates/result-lines.ts';
import { SlotTable } from '../pipeline/aggregates/slot-table.ts';
import { MAX_NAMED } from '../pipeline/bad-histograms.ts';
import { skippedSubmissions } from '../pipeline/dataset/run-report.ts';
import type { FailedFile, TaskReport } from '../pipeline/done-queue/done-message.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { SubmissionAggregator, type SubmissionRules } from '../pipeline/submissions/aggregator.ts';
import { type DecodeLimits, decodeFile } from './decode.ts';
import { writeLines } from './line-writer.ts';
import { LineSplitter } from './lines.ts';
import { readSpill, writeSpill } from './part-file.ts';
import { writeResultLines } from './result-file.ts';

export interface SubmissionFile {
  /** Input key: names the dimensions. */
  readonly key: string;
  /** Local path of the file. */
  readonly path: string;
}

export interface AggregateSubmissionsInput {
  readonly files: readonly SubmissionFile[];
  /** File to write. */
  readonly output: string;
  /** Existing folder for temporary files; of this call alone. */
  readonly folder: string;
  readonly rules: SubmissionRules;
  readonly limits: DecodeLimits & {
    readonly maxLineBytes: number;
    /** Size in memory at which the table is written out and emptied. */
    readonly maxTableBytes: number;
  };
  /** Files that were found unfit before, such as one in which a thread ran out of memory. */
  readonly unfit?: readonly FailedFile[];
  /** Shared with the caller: `at[0]` is 1 + the index of the file being read, so that it is known when the thread dies. */
  readonly at?: Int32Array;
}

export interface AggregateSubmissionsResult extends TaskReport {
  readonly lines: number;
  /** Decoded bytes. */
  readonly decodedBytes: number;
  /** Hex SHA-256 of result.txt. */
  readonly sha256: string;
  readonly bytes: number;
}

export async function aggregateSubmissions(input: AggregateSubmissionsInput): Promise<AggregateSubmissionsResult> {
  const failed = new Map((input.unfit ?? []).map(({ key, reason }) => [key, reason]));
  for (;;) {
    const table = new SpillingTable(input);
    const pass = await countFiles(input, failed, table);
    // A file was found unfit after some of its lines were counted: count again without it.
    const written = pass === undefined ? undefined : await table.write(input.output);
    await table.remove();
    if (pass !== undefined && written !== undefined)
      return { ...pass.report, ...written, decodedBytes: pass.decodedBytes };
  }
}

interface Pass {
  readonly report: TaskReport;
  readonly decodedBytes: number;
}

async function countFiles(
  input: AggregateSubmissionsInput,
  failed: Map<string, string>,
  { table, spillLarge }: SpillingTable,
): Promise<Pass | undefined> {
  const aggregator = new SubmissionAggregator(table, input.rules);
  const partial: string[] = [];
  let decodedBytes = 0;
  for (const [index, file] of input.files.entries()) {
    if (failed.has(file.key)) continue;
    if (input.at !== undefined) input.at[0] = index + 1;
    const before = aggregator.records;
    const leftOut = skippedSubmissions(aggregator.skipped);
    try {
      aggregator.openFile(file.key);
      const { end, decoded } = await countFile(file, aggregator, input.limits, spillLarge);
      decodedBytes += decoded;
      if (aggregator.records === before && skippedSubmissions(aggregator.skipped) > leftOut) {
        // Only lines that are no submissions: something is wrong with this file, and nothing of it is lost.
        failed.set(file.key, 'no_submission');
        continue;
      }
      if (end === 'truncated') {
        partial.push(file.key);
        aggregator.note('truncated_file');
      }
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      failed.set(file.key, error.reason);
      if (aggregator.records > before) return undefined;
    }
  }
  const filesFailed: FailedFile[] = [...failed].map(([key, reason]) => ({ key, reason }));
  for (const { reason } of filesFailed) aggregator.note(reason);
  if (table.mixedStatistics > 0) aggregator.note('mixed_statistics', table.mixedStatistics);
  const { records, skipped } = aggregator;
  const badHistograms = aggregator.badHistograms.worst(MAX_NAMED);
  return { decodedBytes, report: { filesFailed, filesPartial: partial, records, skipped, badHistograms } };
}

async function countFile(
  file: SubmissionFile,
  aggregator: SubmissionAggregator,
  limits: AggregateSubmissionsInput['limits'],
  afterLine: () => void,
): Promise<{ end: 'complete' | 'truncated'; decoded: number }> {
  const { size } = await stat(file.path);
  let decoded = 0;
  const splitter = new LineSplitter(limits.maxLineBytes, () => {
    aggregator.note('line_too_long');
  });
  const onLine = (bytes: Buffer, start: number, end: number): void => {
    if (!isUtf8(bytes.subarray(start, end))) aggregator.note('bad_utf8');
    aggregator.addLine(bytes, start, end);
    afterLine();
  };
  const end = await decodeFile(file.path, size, limits, (block) => {
    decoded += block.length;
    splitter.push(block, onLine);
  });
  if (end === 'complete') splitter.end(onLine);
  if (decoded === 0 && end === 'complete') aggregator.note('empty_file');
  return { end, decoded };
}

/** A table that is written to disk, sorted, whenever it has grown too large. */
class SpillingTable {
  readonly table = new SlotTable();
  readonly #input: Pick<AggregateSubmissionsInput, 'folder' | 'limits'>;
  readonly #spills: string[] = [];

  constructor(input: Pick<AggregateSubmissionsInput, 'folder' | 'limits'>) {
    this.#input = input;
  }

  /** Between two submissions. Synchronous, because a decoder that hands out lines cannot wait. */
  readonly spillLarge = (): void => {
    const { folder, limits } = this.#input;
    if (this.table.bytes <= limits.maxTableBytes) return;
    const path = join(folder, `spill-${this.#spills.length}`);
    writeSpill(path, this.table.sorted());
    this.#spills.push(path);
    this.table.clear();
  };

  async write(path: string): Promise<{ lines: number; bytes: number; sha256: string }> {
    const hash = createHash('sha256');
    const { lines, bytes } =
      this.#spills.length === 0
        ? await writeLines(path, resultLines(this.table.sorted()), (line) => line, { hash })
        : await writeResultLines(path, mergeParts([...this.#spills.map(readSpill), this.table.sorted()]), hash);
    return { lines, bytes, sha256: hash.digest('hex') };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#spills.map((path) => rm(path)));
  }
}
