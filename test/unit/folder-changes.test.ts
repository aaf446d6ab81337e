/** All measures of a folder together: what comes and goes, and the correction for looking at many (docs/changes.md 1, 4). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Change } from '../../src/pipeline/changes/change.ts';
import { FolderLook } from '../../src/pipeline/changes/folder-changes.ts';
import type { SummaryRows } from '../../src/pipeline/changes/measure-series.ts';
import { generatedSeries, type SeriesRecipe } from '../fakes/generated-series.ts';

const RECIPE = { dates: 30, submissions: 3_000, worth: 2, spread: 0.8, effect: 0.005 } as const;
const DEFINITION = { kind: 'exponential', low: 1, high: 10_000, n_buckets: 50 };

/** The builds of a measure that it is in. */
function rows(seed: string, inBuild: (index: number) => boolean, more: Partial<SeriesRecipe> = {}): SummaryRows {
  const series = generatedSeries({ seed, ...RECIPE, ...more });
  const shown = series.flatMap(({ date, counts, submissions }, index) =>
    inBuild(index) ? [[date, [...counts, 1, -1, -1, -1, -1, submissions]] as const] : [],
  );
  return { build: new Map(shown), submission: new Map() };
}

function changesOf(measures: Readonly<Record<string, SummaryRows>>) {
  const definitions = new Map(Object.keys(measures).map((measure) => [measure, DEFINITION]));
  const look = new FolderLook('nightly/28', definitions, undefined);
  for (const [measure, of] of Object.entries(measures)) look.add(measure, of);
  return look.end([]).changes.map(({ measure, kind, date }) => [measure, kind, date]);
}

const always = (): boolean => true;

/** Build dates of a far future. */
function madeUp(count: number, submissions: number): [string, number[]][] {
  return Array.from({ length: count }, (_, index) => [
    `2099${String(1 + Math.floor(index / 28)).padStart(2, '0')}${String(1 + (index % 28)).padStart(2, '0')}`,
    [...new Array<number>(49).fill(0), 1, 1, -1, -1, -1, -1, submissions],
  ]);
}

describe('a step of a measure', () => {
  const step = rows('s', always, { change: { at: 20, size: 0.2 } });
  const seen = changesOf({ STEP: step });

  it('is told of', () => {
    assert.deepEqual(
      seen.map(([measure, kind]) => [measure, kind]),
      [['STEP', 'step']],
    );
  });

  it('is told of although 100 made-up build dates with one submission each are later', () => {
    assert.deepEqual(changesOf({ STEP: { ...step, build: new Map([...step.build, ...madeUp(100, 1)]) } }), seen);
  });

  it('is told of although 100 made-up build dates with many submissions are later than the newest submission', () => {
    const submission = new Map([['20131001', [...new Array<number>(50).fill(1), 1, -1, -1, -1, -1, 50]]]);
    const build = new Map([...step.build, ...madeUp(100, 5000)]);
    assert.deepEqual(changesOf({ STEP: { build, submission } }), seen);
  });
});

describe('a small step', () => {
  const found = (effect: number): Change[] => {
    const definitions = new Map([
      ['SMALL', DEFINITION],
      ['OTHER', DEFINITION],
    ]);
    const look = new FolderLook('nightly/28', definitions, undefined);
    for (let other = 0; other < 60; other += 1) look.learn('OTHER', rows(`o${other}`, always, { effect, worth: 1 }));
    look.add('SMALL', rows('small0', always, { effect: 0.001, worth: 1, change: { at: 20, size: 0.05 } }));
    return [...look.end([]).changes];
  };

  it('is told of where the builds of other measures hardly differ, and not where they differ much', () => {
    assert.deepEqual(
      found(0.001).map(({ kind }) => kind),
      ['step'],
    );
    assert.deepEqual(found(0.03), []);
  });
});

describe('a measure of a folder', () => {
  it('that came with a build, or is gone since one, is told of', () => {
    const found = changesOf({
      ALWAYS: rows('a', always),
      NEW: rows('b', (index) => index >= 20),
      OLD: rows('c', (index) => index < 24),
    });
    assert.deepEqual(found, [
      ['OLD', 'vanished', '20130926'],
      ['NEW', 'appeared', '20130922'],
    ]);
  });

  it('is not told of before three builds show it', () => {
    const found = changesOf({
      ALWAYS: rows('a', always),
      NEW: rows('b', (index) => index >= 28),
      OLD: rows('c', (index) => index < 28),
    });
    assert.deepEqual(found, []);
  });

  it('that few submissions have is away by chance', () => {
    const rare = { submissions: 8 };
    const found = changesOf({ ALWAYS: rows('a', always), RARE: rows('b', (index) => index % 3 === 0, rare) });
    assert.deepEqual(found, []);
  });

  it('with a few submissions of a made-up build before it came is new all the same', () => {
    const made = rows('b', (index) => index >= 20 || index === 3);
    const [first] = made.build.keys();
    const one = new Map(made.build).set(first!, [...new Array<number>(50).fill(0), 1, -1, -1, -1, -1, 2]);
    const found = changesOf({ ALWAYS: rows('a', always), NEW: { ...made, build: one } });
    assert.deepEqual(found, [['NEW', 'appeared', '20130922']]);
  });
});

describe('many measures', () => {
  it('a change is found among them, and says what looking at all of them makes of its p-value', () => {
    const others = Array.from({ length: 40 }, (_, index) => [`M${index}`, rows(`m${index}`, always)] as const);
    const step = ['STEP', rows('s', always, { change: { at: 20, size: 0.2 } })] as const;
    const all = [...others, step];
    const look = new FolderLook('nightly/28', new Map(all.map(([measure]) => [measure, DEFINITION])), undefined);
    for (const [measure, of] of all) look.add(measure, of);
    const { changes } = look.end([]);
    assert.deepEqual(
      changes.map(({ measure }) => measure),
      ['STEP'],
    );
    const { pValue, qValue } = changes[0]!;
    assert.ok(Math.abs((qValue ?? 0) / (41 * (pValue ?? 0)) - 1) < 1e-9);
  });
});
