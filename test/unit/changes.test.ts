/** The rule that finds changes in the series of measures, on generated series (docs/changes.md 6). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DatedCounts } from '../../src/pipeline/changes/dated-counts.ts';
import { qValues } from '../../src/pipeline/changes/false-discovery.ts';
import { normalQuantile, normalTail } from '../../src/pipeline/changes/probability.ts';
import { changesOfSeries, type Series } from '../../src/pipeline/changes/series-changes.ts';
import { quantileOf } from '../../src/pipeline/changes/side.ts';
import { cases } from '../fakes/cases.ts';
import {
  CERBERUS,
  falseAlarmsOf,
  mixedSteps,
  OURS,
  PERIODS,
  type PlantedSeries,
  recallOf,
  recipeOf,
  smallSteps,
} from '../fakes/change-scenarios.ts';
import { mostPower } from '../fakes/step-bound.ts';
import { generatedSeries, SCALE, type SeriesRecipe } from '../fakes/generated-series.ts';

const PLAIN = { dates: 60, submissions: 8_000, worth: 2, spread: 0.85, effect: 0.005 } as const;

function find(dates: readonly DatedCounts[], more: Partial<Series> = {}) {
  const series = { channelVersion: 'nightly/28', measure: 'M', by: 'build', scale: SCALE, dates, ...more } as const;
  return changesOfSeries(series).found;
}

function planted(seed: string, change: SeriesRecipe['change'], more: Partial<SeriesRecipe> = {}) {
  return generatedSeries({ seed, ...PLAIN, ...more, ...(change !== undefined && { change }) });
}

describe('steps', () => {
  it('of 5 % and more are found within three builds, at least 95 of 100', () => {
    const { series, inTime } = recallOf(OURS, mixedSteps(cases(600)), 3);
    assert.ok(inTime >= 0.95 * series, `${inTime} of ${series}`);
  });

  it('of just 5 % with 5,000 submissions a build are found in time nearly as often as any rule can', () => {
    const recipes = smallSteps(120, 'plain');
    const most = recipes.reduce((sum, recipe) => sum + mostPower(recipe), 0);
    const { inTime } = recallOf(OURS, recipes, 3);
    assert.ok(inTime >= 0.87 * most, `${inTime} of ${most.toFixed(1)} of ${recipes.length}`);
  });

  it('of 5 to 20 % are not seen at all by the rule of cerberus', () => {
    const { inTime, later } = recallOf(CERBERUS, mixedSteps(30), 3);
    assert.equal(inTime + later, 0);
  });

  it('say when, which way and by how much', () => {
    for (const size of [0.12, -0.12]) {
      const [change, ...others] = find(planted('one', { at: 40, size }));
      assert.deepEqual(others, []);
      assert.equal(change?.kind, 'step');
      assert.equal(change.date, '20131012');
      assert.equal(change.id, 'nightly/28/M/by-build-date/20131012');
      assert.equal(change.direction, size > 0 ? 'up' : 'down');
      assert.ok(Math.abs((change.relative ?? 0) - size) < 0.03, String(change.relative));
      assert.match(change.text, size > 0 ? /^M of nightly\/28 went up by 1\d % / : /went down by 1\d % /);
      assert.equal(change.after.dates[0], '20131012');
      assert.ok(!change.before.dates.includes('20131012'));
    }
  });

  it('are not told of one or two builds', () => {
    const dates = planted('two', { at: 40, size: 0.3 });
    assert.deepEqual(find(dates.slice(0, 42)), []);
    assert.equal(find(dates.slice(0, 43)).length, 1);
  });

  it('that go back are two', () => {
    const directions = find(planted('back', { at: 30, size: 0.2, lasting: 10 })).map(({ direction }) => direction);
    assert.deepEqual(directions.toSorted(), ['down', 'up']);
  });

  it('of a share are found in flags and enumerated measures, and say of which value', () => {
    const shares = (share: number): number[] => [100_000 * (1 - share), 100_000 * share, 0];
    const flag = days((index) => shares(index < 20 ? 0.1 : 0.13));
    const [change] = find(flag, { scale: { kind: 'flag', bounds: [0, 1, 2] } });
    assert.equal(change?.direction, 'up');
    assert.ok(Math.abs((change.after.share ?? 0) - 0.13) < 0.001);
    const values = days((index) => [40_000, 30_000, index < 20 ? 20_000 : 15_000, index < 20 ? 10_000 : 15_000]);
    const [moved] = find(values, { scale: { kind: 'enumerated', bounds: [0, 1, 2, 3] } });
    assert.equal(moved?.direction, 'shape');
    assert.ok([2, 3].includes(moved.value ?? NaN));
  });
});

function days(counts: (index: number) => number[]): DatedCounts[] {
  return planted('days', undefined, { dates: 30 }).map(({ date }, index) => ({
    ...{ date, submissions: 10_000, sum: -1 },
    // Builds differ a little.
    counts: counts(index).map((count, bucket) => Math.round(count * (1 + 0.003 * Math.sin(7 * index + 3 * bucket)))),
  }));
}

describe('other changes', () => {
  const kinds = (change: PlantedSeries['change'], more: Partial<SeriesRecipe> = {}) =>
    Array.from({ length: 8 }, (_, index) =>
      find(planted(`other/${index}`, change, more))
        .map(({ kind }) => kind)
        .join(),
    );

  it('a build that is alone with its values is a spike', () => {
    assert.deepEqual(new Set(kinds({ at: 30, size: 0.3, lasting: 1 })), new Set(['spike']));
  });

  it('a slow change is a drift before it has ended', () => {
    const recipes = Array.from({ length: 20 }, (_, index) => ({
      ...{ ...PLAIN, seed: `drift/${index}` },
      change: { at: 20, size: 0.15, over: 28 },
    }));
    assert.ok(recallOf(OURS, recipes, 28).inTime >= 19);
    const found = kinds({ at: 20, size: 0.15, over: 28 });
    assert.ok(found.filter((kind) => kind.startsWith('drift')).length >= 6, found.join(' '));
  });
});

describe('without a change', () => {
  it('a measure gives at most one false alarm in 2,000 weeks', () => {
    const recipes = Array.from({ length: cases(1_500) }, (_, index) => {
      const submissions = [300, 5_000, 50_000, 500_000][index % 4] ?? 5_000;
      return recipeOf(`none/${index}`, PERIODS[index % 3] ?? 'plain', submissions);
    });
    const { measureWeeks, alarms } = falseAlarmsOf(OURS, recipes);
    assert.ok(alarms <= Math.ceil(measureWeeks / 2_000), `${alarms} in ${measureWeeks} measure-weeks`);
  });

  for (const [what, more] of [
    ['weekends that differ by 6 %', { weekend: 0.06 }],
    ['ten times the submissions', { growth: 10 }],
    ['a newest build of early adopters', { partial: true }],
    ['a few submissions a build', { submissions: 40 }],
    ['hits that resemble each other', { worth: 0.6 }],
  ] as const) {
    it(`${what} are none`, () => {
      for (let index = 0; index < 8; index += 1) assert.deepEqual(find(planted(`none/${index}`, undefined, more)), []);
    });
  }

  it('builds with too few submissions are left out, and a change says so', () => {
    const dates = planted('thin', { at: 40, size: 0.2 }).map((dated, index) =>
      index === 30 || index === 45 ? { ...dated, submissions: 12, counts: dated.counts.map(() => 1) } : dated,
    );
    const [change, ...others] = find(dates);
    assert.deepEqual(others, []);
    assert.deepEqual(change?.leftOut, [dates[30]?.date, dates[45]?.date]);
  });

  it('no dates, few dates and empty rows find nothing', () => {
    assert.deepEqual(find([]), []);
    assert.deepEqual(find(planted('few', { at: 3, size: 5 }, { dates: 5 })), []);
    assert.deepEqual(find(days(() => [0, 0, 0])), []);
    assert.deepEqual(find(days(() => [5, 0, 0])), []);
  });
});

describe('the numbers behind it', () => {
  it('normal tails and quantiles are those of the tables', () => {
    assert.ok(Math.abs(normalTail(1.959964) - 0.025) < 1e-7);
    assert.ok(Math.abs(normalTail(5) / 2.866516e-7 - 1) < 1e-5);
    assert.ok(Math.abs(normalQuantile(0.999) - 3.090232) < 1e-4);
    assert.ok(Math.abs(normalQuantile(0.3) + 0.5244005) < 1e-5);
  });

  it('quantiles are interpolated inside the bucket', () => {
    assert.equal(quantileOf([0, 10, 10, 0], { kind: 'linear', bounds: [0, 10, 20, 30] }, 0.5), 20);
    assert.equal(quantileOf([0, 10, 10, 0], { kind: 'linear', bounds: [0, 10, 20, 30] }, 0.75), 25);
    const exponential = quantileOf([0, 10, 0], { kind: 'exponential', bounds: [0, 10, 40] }, 0.5);
    assert.ok(Math.abs((exponential ?? 0) - 20) < 1e-9);
    assert.equal(quantileOf([0, 0], { kind: 'linear', bounds: [0, 1] }, 0.5), null);
  });

  it('Benjamini and Hochberg: each family by itself', () => {
    const found = [0.01, 0.04, 0.001].map((pValue, index) => ({ family: index === 2 ? 'b' : 'a', pValue }));
    const expected = [0.05, 0.1, 0.001];
    const tested = new Map([
      ['a', 5],
      ['b', 1],
    ]);
    for (const [index, q] of qValues(found, tested).entries()) assert.ok(Math.abs(q - (expected[index] ?? 0)) < 1e-12);
  });
});
