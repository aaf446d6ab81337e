/** The limit of measures in a result: whatever names one file makes up, the other files of its task count. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { compress } from '../../local/samples/containers.ts';
import { MEASURE_LIMITS, measuresOverLimit } from '../../src/pipeline/submissions/measure-limit.ts';
import { DEFAULT_RULES } from '../../src/pipeline/submissions/aggregator.ts';
import { aggregateSubmissions } from '../../src/threads/aggregate-submissions.ts';
import { indexResults } from '../../src/threads/result-index.ts';
import { atScale } from '../fakes/at-scale.ts';

const names = (submissions: Readonly<Record<string, number>>) => ({
  keys: Object.keys(submissions),
  submissions: Float64Array.from(Object.values(submissions)),
});
const over = (sums: readonly Readonly<Record<string, number>>[], ofChannelVersion: number, ofResult: number) =>
  [...measuresOverLimit(sums.map(names), { ofChannelVersion, ofResult })].sort();

describe('measures over the limit', () => {
  it('are those with the fewest submissions of all sums, of equally many the last by name', () => {
    const sums = [
      { 'n/1/A': 1, 'n/1/B': 2, 'n/1/C': 2 },
      { 'n/1/A': 4, 'n/1/D': 2 },
    ];
    assert.deepEqual(over(sums, 4, 9), []);
    assert.deepEqual(over(sums, 2, 9), ['n/1/C', 'n/1/D']);
    assert.deepEqual(over(sums.toReversed(), 2, 9), ['n/1/C', 'n/1/D']);
  });

  it('are counted for each channel/version, and for all together', () => {
    const sums = [{ 'a/1/A': 1, 'a/1/B': 1, 'n/1/A': 3, 'n/1/B': 2, 'n/1/C': 1 }];
    assert.deepEqual(over(sums, 2, 9), ['n/1/C']);
    assert.deepEqual(over(sums, 2, 3), ['a/1/B', 'n/1/C']);
  });
});

describe('a file of made-up names', () => {
  const work = mkdtempSync(join(tmpdir(), 'measure-limit-'));
  after(() => {
    rmSync(work, { recursive: true });
  });
  const submission = (measures: readonly string[]): string =>
    `id\t${JSON.stringify({
      info: { OS: 'WINNT', version: '6.1', arch: 'x86' },
      histograms: Object.fromEntries(measures.map((name) => [name, [1, 0, 0, 0, 0, 0, 0, 0]])),
    })}`;
  /** 4,000 are allowed in a submission. */
  const invented = (submissions: number): string[] =>
    Array.from({ length: submissions }, (_, number) =>
      submission(Array.from({ length: 4000 }, (__, index) => `${number}_${index}`)),
    );

  async function aggregate(files: Readonly<Record<string, readonly string[]>>, maxTableBytes: number) {
    const folder = mkdtempSync(join(work, 'f-'));
    const stored = Object.entries(files).map(async ([name, lines]) => {
      const path = join(folder, `${name}.lzma`);
      writeFileSync(path, await compress(`${lines.join('\n')}\n`, 'lzma'));
      return { key: `saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.${name}.lzma`, path };
    });
    const output = join(folder, 'result.txt');
    const report = await aggregateSubmissions({
      files: await Promise.all(stored),
      output,
      folder,
      rules: DEFAULT_RULES,
      limits: {
        maxDecodedBytes: 1 << 28,
        maxRatio: 5000,
        maxDecoderBytes: 1 << 26,
        maxLineBytes: 1 << 22,
        maxTableBytes,
      },
    });
    const index = await indexResults({ results: [{ id: 'task', path: output }], maxLineBytes: 1 << 24 });
    return { report, index };
  }

  for (const [submissions, maxTableBytes, what] of [
    [atScale ? 32 : 4, 48 << 20, 'in memory'],
    ...(atScale ? [[104, 16 << 20, 'in so many spills that names are forgotten early'] as const] : []),
  ] as const) {
    it(`costs its own names only, ${what}`, async () => {
      const good = Array.from({ length: 3 }, () => submission(['GOOD']));
      const { report, index } = await aggregate({ a1: good, b2: invented(submissions), c3: good }, maxTableBytes);
      assert.deepEqual([report.records, report.filesFailed, index.rejected], [submissions + 6, [], []]);
      assert.equal(report.lines, 2 * MEASURE_LIMITS.ofChannelVersion);
      assert.equal(report.skipped['measures_over_limit'], submissions * 4000 + 1 - MEASURE_LIMITS.ofChannelVersion);
      assert.ok(index.keys.includes('nightly/28/GOOD/by-build-date'));
    });
  }
});
