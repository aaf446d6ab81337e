/** `merge-results --one-length`: of each path's aggregates of several lengths, one stays. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { oneLength } from '../../src/pipeline/aggregates/one-length.ts';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { keepOneLength } from '../../src/threads/result-file.ts';
import { cases } from '../fakes/cases.ts';
import { mergeSlowly } from '../fakes/result-reader.ts';

const work = mkdtempSync(join(tmpdir(), 'one-length-'));
after(() => {
  rmSync(work, { recursive: true });
});

const KEY = 'nightly/28/GC_MS/by-build-date';
const PATH = '20131029/saved_session/Firefox/WINNT/6.1/x86';

interface Aggregate {
  readonly values: readonly number[];
  readonly buildId: string;
  readonly revision: string;
}

const row = (length: number, buildId: string, submissions = 1, revision = `r${buildId}`): Aggregate => ({
  values: [...Array.from({ length: length - 1 }, () => 1), submissions],
  buildId,
  revision,
});
const lineOf = (key: string, rows: Readonly<Record<string, Aggregate | readonly Aggregate[]>>): string =>
  `${key}\t${JSON.stringify(rows)}\n`;

async function keptOf(merged: string): Promise<{ text: string; lines: number; leftOut: number }> {
  const folder = mkdtempSync(join(work, 'f-'));
  writeFileSync(join(folder, 'merged'), merged);
  const { lines, dropped } = await keepOneLength({ result: join(folder, 'merged'), output: join(folder, 'output') });
  const { length_mismatch: leftOut = 0, ...others } = dropped;
  assert.deepEqual(others, {});
  return { text: readFileSync(join(folder, 'output'), 'utf8'), lines, leftOut };
}

/** Reads all of a merged result, and of each path takes the first in the order of the rule. */
function keptSlowly(merged: string): { text: string; leftOut: number } {
  const keys = new Map<string, Map<string, Aggregate[]>>();
  for (const line of merged.split('\n').filter(Boolean)) {
    const [key = '', json = ''] = line.split('\t');
    const paths = keys.get(key) ?? new Map<string, Aggregate[]>();
    keys.set(key, paths);
    for (const [path, rows] of Object.entries(JSON.parse(json) as Record<string, Aggregate | Aggregate[]>))
      paths.set(path, [...(paths.get(path) ?? []), rows].flat());
  }
  let leftOut = 0;
  const lines = [...keys].map(([key, paths]) => {
    const members = [...paths].map(([path, rows]): [string, Aggregate] => {
      leftOut += rows.length - 1;
      const [first] = rows.toSorted(
        (a, b) =>
          (a.buildId > b.buildId ? -1 : a.buildId < b.buildId ? 1 : 0) ||
          b.values.at(-1)! - a.values.at(-1)! ||
          b.values.length - a.values.length,
      );
      return [path, first!];
    });
    return lineOf(key, Object.fromEntries(members));
  });
  return { text: lines.join(''), leftOut };
}

describe('which length stays', () => {
  // The worked merges of two lengths, then the ties that the original left to the order of its input.
  const table: [name: string, rows: Aggregate[], stays: Aggregate][] = [
    ['the only one', [row(9, '20131028')], row(9, '20131028')],
    ['of the newer build, longer', [row(9, '20131028'), row(10, '20131029')], row(10, '20131029')],
    ['of the newer build, shorter', [row(9, '20131029'), row(10, '20131028')], row(9, '20131029')],
    [
      'of the newer build, against most submissions',
      [row(9, '20131028', 99), row(10, '20131029')],
      row(10, '20131029'),
    ],
    ['of a build by text', [row(9, '20131029'), row(10, '20131029030201')], row(10, '20131029030201')],
    ['of a build before none', [row(9, '20131029'), row(10, '0', 99)], row(9, '20131029')],
    ['of one build, most submissions', [row(9, '20131029', 3), row(10, '20131029', 2)], row(9, '20131029', 3)],
    [
      'of one build and as many submissions, the longer',
      [row(9, '20131029'), row(10, '20131029')],
      row(10, '20131029'),
    ],
    [
      'of one build, whatever the revisions',
      [row(9, '20131029', 2, 'a'), row(10, '20131029', 1, 'b')],
      row(9, '20131029', 2, 'a'),
    ],
    ['of three', [row(8, '20131028'), row(9, '20131030'), row(10, '20131029')], row(9, '20131030')],
  ];
  for (const [name, rows, stays] of table) {
    it(name, async () => {
      const kept = await keptOf(lineOf(KEY, { [PATH]: rows.length === 1 ? rows[0]! : rows }));
      assert.deepEqual(kept, { text: lineOf(KEY, { [PATH]: stays }), lines: 1, leftOut: rows.length - 1 });
    });
  }

  it('for each path, date, by-date and measure of its own', async () => {
    const slot = (part: object): PartSlot => ({
      channelVersion: 'nightly/28',
      slot: { measure: 'M', byDate: 'by-build-date', path: 'p', date: '20131028', ...row(9, '20131028'), ...part },
    });
    const rows = [
      slot({}),
      slot({ date: '20131029', ...row(10, '20131029') }),
      slot({ path: 'q', ...row(8, '20131029') }),
      slot({ byDate: 'by-submission-date', ...row(7, '20131029') }),
      slot({ measure: 'N', ...row(10, '20131028') }),
      { ...slot({ measure: 'N', ...row(9, '20131029') }), channelVersion: 'release/27' },
    ];
    assert.deepEqual(await Array.fromAsync(oneLength(rows)), rows);
  });

  it('across the lines of a key that was cut', async () => {
    // Each path has 0.4 MiB, and every line ends between the two lengths of one.
    const wide = (length: number, buildId: string): Aggregate => ({
      ...row(length, buildId),
      values: Array.from({ length }, (_, index) => (index < length - 1 ? 10 ** 15 + index : 1)),
    });
    const paths = Array.from({ length: 31 }, (_, index) => `${PATH}${String(index).padStart(2, '0')}`);
    const results = ['20131028', '20131029'].map((buildId, index) =>
      paths.map((path) => lineOf(KEY, { [path]: wide(10_000 + index, buildId) })).join(''),
    );
    const merged = mergeSlowly(results).text;
    const lines = merged.trimEnd().split('\n');
    assert.ok(lines.length > 2);
    assert.ok(
      lines.slice(0, -1).some((line) => !line.endsWith('}]}')),
      'a cut between the lengths of a path',
    );
    const { text, leftOut } = await keptOf(merged);
    assert.equal(leftOut, paths.length);
    assert.equal(keptSlowly(text).text, keptSlowly(merged).text);
    assert.equal(keptSlowly(text).leftOut, 0);
  });

  it('counts a sum that no result may hold, when it has to be read again', async () => {
    const huge = { ...row(9, '20131028'), values: [2 ** 97, 0, 0, 0, 0, 0, 0, 0, 1] };
    const folder = mkdtempSync(join(work, 'f-'));
    writeFileSync(join(folder, 'merged'), lineOf(KEY, { [PATH]: [huge, row(10, '20131028')] }));
    const { dropped } = await keepOneLength({ result: join(folder, 'merged'), output: join(folder, 'output') });
    assert.deepEqual(dropped, { bad_values: 1 });
    assert.equal(readFileSync(join(folder, 'output'), 'utf8'), lineOf(KEY, { [PATH]: row(10, '20131028') }));
  });

  it('is what a slow reading of all lines gives, for any merged results', async () => {
    const aggregate = fc
      .record({
        buckets: fc.array(fc.nat(100), { minLength: 1, maxLength: 4 }),
        statistics: fc.tuple(...Array.from({ length: 5 }, () => fc.double({ min: -1, max: 1e12, noNaN: true }))),
        count: fc.integer({ min: 1, max: 3 }),
        buildId: fc.constantFrom('0', '20131028', '20131028030201', '20131029'),
        revision: fc.constantFrom('', 'a', ':[{"values":[', 'é"\\\u2028'),
      })
      .map(({ buckets, statistics, count, ...build }) => ({ values: [...buckets, ...statistics, count], ...build }));
    const line = fc
      .tuple(
        fc.constantFrom(
          KEY,
          KEY.replace('build', 'submission'),
          KEY.replace('GC', 'A'),
          KEY.replace('nightly', 'beta'),
        ),
        fc.dictionary(
          fc.constantFrom(PATH, `${PATH}-64`, PATH.replace('9', '8'), PATH.replace('x86', ':[{"é\u2028🦊')),
          fc.oneof(aggregate, fc.array(aggregate, { minLength: 1, maxLength: 3 })),
        ),
      )
      .map(([key, rows]) => lineOf(key, rows));
    const results = fc.array(
      fc.array(line, { maxLength: 4 }).map((lines) => lines.join('')),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(results, async (texts) => {
        const merged = mergeSlowly(texts).text;
        const { text, leftOut } = await keptOf(merged);
        assert.deepEqual({ text, leftOut }, keptSlowly(merged));
      }),
      { numRuns: cases(500) },
    );
  });
});
