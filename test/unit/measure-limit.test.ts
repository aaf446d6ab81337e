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
import { measuresOf } from '../../src/threads/keys.ts';
import { indexResults } from '../../src/threads/result-index.ts';
import { atScale } from '../fakes/at-scale.ts';

/** By name: submissions, and the files that have it, of which there is one if nothing else is said. */
type Names = Readonly<Record<string, number | readonly [submissions: number, ...files: number[]]>>;
const names = (counts: Names) => {
  const all = Object.values(counts).map((count) => (typeof count === 'number' ? [count, 0] : count));
  return {
    keys: Object.keys(counts),
    submissions: all.map(([submissions]) => submissions),
    files: all.map((count) => count.length - 1),
    firstFile: all.map((count) => count[1] ?? 0),
    lastFile: all.map((count) => count.at(-1) ?? 0),
  };
};
const over = (sums: readonly Names[], ofChannelVersion: number, ofResult: number) =>
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

  it('are never those of several files while one file has others, whatever it claims', () => {
    const sums: Names[] = [
      { 'n/1/A': [9, 0], 'n/1/B': [8, 0], 'n/1/X': [1, 1], 'n/1/Y': [2, 1] },
      // The second file goes on here, the third begins.
      { 'n/1/X': [1, 1, 2], 'n/1/Y': [2, 1] },
    ];
    assert.deepEqual(over(sums, 1, 9), ['n/1/A', 'n/1/B', 'n/1/Y']);
  });

  it('are taken from files in turns, so that many names of one leave room for those of another', () => {
    const invented = (file: number): Names =>
      Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`n/1/E${file}${index}`, [61, file]]));
    const sums: Names[] = [invented(0), invented(1), { 'n/1/H1': [60, 2], 'n/1/H2': [60, 2] }, invented(3)];
    assert.deepEqual(
      over(sums, 8, 9).filter((name) => name.includes('H')),
      [],
    );
    assert.deepEqual(over(sums.toReversed(), 8, 9), over(sums, 8, 9));
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
        // More than a file of its size may add.
        added: { any: Infinity, perStoredByte: 0 },
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
      assert.ok(measuresOf(index.keys).includes('nightly/28/GOOD'));
    });
  }

  it('does not cost the names of a file that has fewer submissions', async () => {
    const invented = (file: string): string[] =>
      Array.from({ length: 3 }, () => submission(Array.from({ length: 3999 }, (_, index) => `${file}_${index}`)));
    const good = Array.from({ length: 2 }, () =>
      submission(Array.from({ length: 300 }, (_, index) => `GOOD_${index}`)),
    );
    const { index } = await aggregate(
      { a1: invented('A'), b2: invented('B'), c3: good, d4: invented('D') },
      // The sums of a file are in two spills.
      4 << 20,
    );
    assert.equal(measuresOf(index.keys).filter((key) => key.includes('/GOOD_')).length, 600);
  });
});
