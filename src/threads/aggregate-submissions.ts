/**
 * File job: the submission files of one analysis task → `result.txt`
 * (docs/formats/submissions.md, docs/formats/results.md 4.1).
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import { resultLines } from '../pipeline/aggregates/result-lines.ts';
import { SlotTable } from '../pipeline/aggregates/slot-table.ts';
import type { FailedFile, TaskReport } from '../pipeline/done-queue/done-message.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { SubmissionAggregator, type SubmissionRules } from '../pipeline/submissions/aggregator.ts';
import { type DecodeLimits, decodeFile } from './decode.ts';
import { writeLines } from './line-writer.ts';
import { LineSplitter } from './lines.ts';

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
  readonly rules: SubmissionRules;
  readonly limits: DecodeLimits & { readonly maxLineBytes: number };
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
  const failed = new Map<string, string>();
  for (;;) {
    const pass = await countFiles(input, failed);
    // A file was found unfit after some of its lines were counted: count again without it.
    if (pass !== undefined)
      return { ...pass.report, ...(await writeResult(input.output, pass.table)), decodedBytes: pass.decodedBytes };
  }
}

interface Pass {
  readonly table: SlotTable;
  readonly report: TaskReport;
  readonly decodedBytes: number;
}

async function countFiles(input: AggregateSubmissionsInput, failed: Map<string, string>): Promise<Pass | undefined> {
  const table = new SlotTable();
  const aggregator = new SubmissionAggregator(table, input.rules);
  const partial: string[] = [];
  let decodedBytes = 0;
  for (const file of input.files) {
    if (failed.has(file.key)) continue;
    const before = aggregator.records;
    try {
      aggregator.openFile(file.key);
      const { end, decoded } = await countFile(file, aggregator, input.limits);
      decodedBytes += decoded;
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
  return {
    table,
    decodedBytes,
    report: { filesFailed, filesPartial: partial, records: aggregator.records, skipped: aggregator.skipped },
  };
}

async function countFile(
  file: SubmissionFile,
  aggregator: SubmissionAggregator,
  limits: AggregateSubmissionsInput['limits'],
): Promise<{ end: 'complete' | 'truncated'; decoded: number }> {
  const { size } = await stat(file.path);
  let decoded = 0;
  const splitter = new LineSplitter(limits.maxLineBytes, () => {
    aggregator.note('line_too_long');
  });
  const onLine = (bytes: Buffer, start: number, end: number): void => {
    if (!isUtf8(bytes.subarray(start, end))) aggregator.note('bad_utf8');
    aggregator.addLine(bytes, start, end);
  };
  const end = await decodeFile(file.path, size, limits, (block) => {
    decoded += block.length;
    splitter.push(block, onLine);
  });
  if (end === 'complete') splitter.end(onLine);
  if (decoded === 0 && end === 'complete') aggregator.note('empty_file');
  return { end, decoded };
}

async function writeResult(path: string, table: SlotTable): Promise<{ lines: number; bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const { lines, bytes } = await writeLines(path, resultLines(table.sorted()), (line) => line, { hash });
  return { lines, bytes, sha256: hash.digest('hex') };
}
