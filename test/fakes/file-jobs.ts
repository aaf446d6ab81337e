/** File jobs as tests call them: small inputs in, reports and texts out, in folders that end with the process. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { DEFAULT_RULES } from '../../src/pipeline/submissions/aggregator.ts';
import { aggregateSubmissions, type SubmissionFile } from '../../src/threads/aggregate-submissions.ts';
import { partsToResult } from '../../src/threads/merge-parts.ts';
import { mergeResults, type MergeResultsResult } from '../../src/threads/merge-results.ts';
import { readPart } from '../../src/threads/part-file.ts';
import type { ResultFile } from '../../src/threads/result-index.ts';

export const work = mkdtempSync(join(tmpdir(), 'file-jobs-'));
after(() => {
  rmSync(work, { recursive: true });
});
export const newFolder = (): string => mkdtempSync(join(work, 'f-'));

export function store(name: string, content: string | Buffer): string {
  const path = join(newFolder(), name);
  writeFileSync(path, content);
  return path;
}

const H = '0ab8723b6fb3455bb34b04d97482fda2';
export const keyOf = (channel: string): string =>
  `saved_session/Firefox/${channel}/28.0a1/20131029030201.20131029.v2.log.${H}.lzma`;
const LIMITS = {
  maxDecodedBytes: 1 << 26,
  maxRatio: 500,
  maxDecoderBytes: 1 << 26,
  maxLineBytes: 1 << 24,
  maxTableBytes: 1 << 27,
};

export async function aggregate(files: readonly SubmissionFile[], limits: Partial<typeof LIMITS> = {}) {
  const folder = newFolder();
  const output = join(folder, 'result.txt');
  const all = { ...LIMITS, ...limits };
  const report = await aggregateSubmissions({ files, output, folder, rules: DEFAULT_RULES, limits: all });
  assert.deepEqual(readdirSync(folder), ['result.txt'], 'no temporary file is left');
  return { report, output, text: readFileSync(output, 'utf8') };
}

export async function merge(results: readonly string[], maxTableBytes = 1 << 28, maxLineBytes = 1 << 24) {
  const files = results.map((path, index): ResultFile => ({ id: `r${index}`, path }));
  return mergeResults({ results: files, folder: newFolder(), limits: { maxLineBytes, maxTableBytes } });
}

export const slotsOf = async (path: string): Promise<PartSlot[]> =>
  Array.fromAsync(readPart(path), ({ channelVersion, slot }) => ({
    channelVersion,
    slot: { ...slot, values: [...slot.values] },
  }));
export const allSlots = async ({ parts }: MergeResultsResult): Promise<PartSlot[]> =>
  (await Promise.all(parts.map(({ path }) => slotsOf(path)))).flat();

export async function asResult({ parts }: MergeResultsResult): Promise<string> {
  const output = join(newFolder(), 'result.txt');
  await partsToResult({ parts: parts.map(({ path }) => path), output });
  return readFileSync(output, 'utf8');
}

interface Aggregate {
  readonly values: number[];
  readonly buildId: string;
  readonly revision: string;
}

export function parsed(text: string): Map<string, Map<string, Aggregate>> {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line): [string, Map<string, Aggregate>] => {
      const [key = '', json = ''] = line.split('\t');
      return [key, new Map(Object.entries(JSON.parse(json) as Record<string, Aggregate>))];
    });
  assert.equal(new Map(lines).size, lines.length, 'every key once');
  return new Map(lines);
}
