/** Files of submissions, summed by the kernel as the command does, and by the reference. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import type { BadHistograms } from '../../src/pipeline/bad-histograms.ts';
import { DEFAULT_RULES, SubmissionAggregator } from '../../src/pipeline/submissions/aggregator.ts';
import { foldSums } from '../../src/threads/fold-sums.ts';
import { linesByKey } from '../../src/threads/result-index.ts';
import { sharedFile } from '../../src/threads/shared-file.ts';
import { type PackedSums, SpillingSums } from '../../src/threads/spilling-sums.ts';
import { shareOf } from './key-ranges.ts';
import { SlotTable } from './slot-table.ts';
import { SlowSums } from './slow-sums.ts';

const LIMITS = { maxLineBytes: 1 << 22, maxHistogramLength: DEFAULT_RULES.maxHistogramLength };

export interface File {
  readonly key: string;
  readonly lines: readonly (string | Buffer)[];
}

export interface Counted {
  readonly text: string;
  readonly records: number;
  readonly skipped: Record<string, number>;
  /** By measure, of each group. */
  readonly badHistograms: readonly BadHistograms[];
}

/** As the command does: groups of files are counted, each by itself, and their measures folded by so many threads. */
export async function byKernel(
  groups: readonly (readonly File[])[],
  threads = 1,
  maxTableBytes = 1 << 24,
): Promise<Counted> {
  const folder = mkdtempSync(join(tmpdir(), 'summed-files-'));
  const limits = { ...LIMITS, maxTableBytes };
  const sums: PackedSums[] = [];
  const skipped: Record<string, number> = {};
  const badHistograms: BadHistograms[] = [];
  let records = 0;
  for (const [number, files] of groups.entries()) {
    const spilling = new SpillingSums(folder, String(number), limits);
    const { kernel } = spilling;
    const aggregator = new SubmissionAggregator(kernel, DEFAULT_RULES);
    for (const { key, lines } of files) {
      spilling.spillLarge();
      aggregator.openFile(key);
      for (const line of lines) {
        const bytes = Buffer.from(line as string);
        const at = kernel.hold(bytes, 0, bytes.length);
        aggregator.addLine(kernel.bytes, at, at + bytes.length);
        if (spilling.spillLarge()) aggregator.openSource();
      }
    }
    sums.push(...spilling.packed());
    records += aggregator.records;
    badHistograms.push(aggregator.badHistograms.worst(Infinity));
    for (const [reason, count] of Object.entries(aggregator.skipped)) skipped[reason] = (skipped[reason] ?? 0) + count;
  }
  const lines = linesByKey(sums.map(({ index }) => index));
  const measures = lines.first.length - 1;
  const output = sharedFile(join(folder, 'output'), threads);
  const written = { lines: 0, bytes: 0 };
  for (let index = 0; index < threads; index += 1) {
    const range = [Math.floor((measures * index) / threads), Math.floor((measures * (index + 1)) / threads)] as const;
    const share = { lines, ranges: shareOf(index, range) };
    const done = await foldSums({ ...share, files: sums, folder, output, limits });
    written.lines += done.lines;
    written.bytes += done.bytes;
  }
  const text = readFileSync(output.path, 'utf8');
  assert.deepEqual(written, { lines: text.split('\n').length - 1, bytes: Buffer.byteLength(text) });
  assert.equal(readdirSync(folder).length, sums.length + 1, 'a temporary file was left');
  rmSync(folder, { recursive: true });
  return { text, records, skipped, badHistograms };
}

export function bySlowSums(groups: readonly (readonly File[])[]): Counted {
  const table = new SlotTable();
  const skipped: Record<string, number> = {};
  const badHistograms: BadHistograms[] = [];
  let records = 0;
  for (const files of groups) {
    const sums = new SlowSums();
    const aggregator = new SubmissionAggregator(sums, DEFAULT_RULES);
    for (const { key, lines } of files) {
      aggregator.openFile(key);
      for (const line of lines) {
        const bytes = Buffer.from(line as string);
        aggregator.addLine(bytes, 0, bytes.length);
      }
    }
    sums.table(table);
    records += aggregator.records;
    badHistograms.push(aggregator.badHistograms.worst(Infinity));
    for (const [reason, count] of Object.entries(aggregator.skipped)) skipped[reason] = (skipped[reason] ?? 0) + count;
  }
  return {
    text: [...resultLines(table.sorted())].map((line) => `${line}\n`).join(''),
    records,
    skipped,
    badHistograms,
  };
}
