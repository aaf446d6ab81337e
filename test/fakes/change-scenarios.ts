/** What `bench/changes.ts` and `test/unit/changes.test.ts` look for changes in, and the two rules that look. */
import { chanceFor } from '../../local/samples/random.ts';
import { comparableDates, type DatedCounts } from '../../src/pipeline/changes/dated-counts.ts';
import { learnedPriors, type NoisePriors } from '../../src/pipeline/changes/noise-prior.ts';
import { changesOfSeries, noiseOfSeries, type Series } from '../../src/pipeline/changes/series-changes.ts';
import { generatedSeries, SCALE, type SeriesRecipe } from './generated-series.ts';

const DATES = 60;
/** Series of a measure: by build date and by submission date. */
const SERIES_OF_MEASURE = 2;
export const PERIODS = ['plain', 'weekly', 'growing'] as const;
export type Period = (typeof PERIODS)[number];
type PlantedChange = NonNullable<SeriesRecipe['change']>;
export type PlantedSeries = SeriesRecipe & { readonly change: PlantedChange };

/** Measures differ: how wide they are, how much builds differ, how many independent values a submission is worth. */
export function recipeOf(seed: string, period: Period, submissions: number): SeriesRecipe {
  const chance = chanceFor(seed, 'recipe');
  return {
    ...{ seed, dates: DATES, submissions, partial: true },
    worth: 1 + chance.below(3),
    spread: 0.6 + 0.5 * chance.unit(),
    effect: 0.002 + 0.006 * chance.unit(),
    ...(period === 'weekly' && { weekend: 0.02 + 0.04 * chance.unit() }),
    ...(period === 'growing' && { growth: 10 }),
  };
}

/** A change as a rule finds it: the first changed date, and the date that made it certain. */
interface Found {
  readonly kind: string;
  readonly at: number;
  readonly seenAt: number;
}

export interface Rule {
  readonly name: string;
  readonly find: (dates: readonly DatedCounts[]) => readonly Found[];
}

const OTHERS = 300;
let priors: NoisePriors | undefined;

/** What other measures of a folder show of their noise. */
function priorsOfOthers(): NoisePriors {
  const seen = Array.from({ length: OTHERS }, (_, index) => {
    const submissions = [300, 5_000, 50_000, 500_000][index % 4] ?? 5_000;
    return noiseOfSeries(
      seriesOf(generatedSeries(recipeOf(`others/${index}`, PERIODS[index % 3] ?? 'plain', submissions))),
    );
  }).flat();
  return learnedPriors(seen);
}

function seriesOf(dates: readonly DatedCounts[]): Series {
  return { channelVersion: 'nightly/28', measure: 'GENERATED_MS', by: 'build', scale: SCALE, dates };
}

/** This project's, of a measure among others; the correction for looking at these can only find less. */
export const OURS: Rule = {
  name: 'telemetry',
  find: (dates) => {
    const place = new Map(dates.map(({ date }, index) => [date, index]));
    priors ??= priorsOfOthers();
    return changesOfSeries(seriesOf(dates), priors).found.map(({ kind, date, seenOn }) => ({
      kind,
      at: place.get(date) ?? NaN,
      seenAt: place.get(seenOn) ?? NaN,
    }));
  },
};

/**
 * The rule of cerberus: Hellinger's distance (the form of Bhattacharyya's that its library computes) of a build to each of
 * the seven before has a standard deviation of at most 0.01, and the last of them is above 0.12; so for this build and the
 * two after it. The fullest bucket must have 1,000 hits.
 */
export const CERBERUS: Rule = {
  name: 'cerberus',
  find: (dates) => {
    const { dates: enough } = comparableDates(dates);
    const shares = enough.map(({ counts }) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      return Math.max(...counts) < 1000 ? null : counts.map((count) => count / total);
    });
    const differs = (at: number, first: number): boolean => {
      const one = shares[at];
      if (one === null || one === undefined) return false;
      const before = shares.slice(Math.max(0, first - 7), first).filter((other) => other !== null);
      const distances = before.map((other) => hellinger(one, other));
      return distances.length > 3.5 && (distances.at(-1) ?? 0) > 0.12 && deviation(distances) <= 0.01;
    };
    return enough.flatMap((_, at) =>
      at + 2 < enough.length && [0, 1, 2].every((later) => differs(at + later, at))
        ? [{ kind: 'step', at, seenAt: at + 2 }]
        : [],
    );
  },
};

function hellinger(a: readonly number[], b: readonly number[]): number {
  const overlap = a.reduce((sum, share, index) => sum + Math.sqrt(share * (b[index] ?? 0)), 0);
  return Math.sqrt(Math.max(0, 1 - overlap));
}

function deviation(values: readonly number[]): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length);
}

export interface Recall {
  readonly series: number;
  readonly inTime: number;
  readonly later: number;
}

/** @param within so many changed dates */
export function recallOf(rule: Rule, recipes: Iterable<PlantedSeries>, within: number): Recall {
  const result = { series: 0, inTime: 0, later: 0 };
  for (const recipe of recipes) {
    const { at } = recipe.change;
    const found = rule.find(generatedSeries(recipe)).filter(({ seenAt }) => seenAt >= at);
    result.series += 1;
    if (found.some(({ seenAt }) => seenAt < at + within)) result.inTime += 1;
    else if (found.length > 0) result.later += 1;
  }
  return result;
}

export interface FalseAlarms {
  readonly measureWeeks: number;
  readonly alarms: number;
}

export function falseAlarmsOf(rule: Rule, recipes: Iterable<SeriesRecipe>): FalseAlarms {
  let [series, alarms] = [0, 0];
  for (const recipe of recipes) {
    series += 1;
    alarms += rule.find(generatedSeries(recipe)).length;
  }
  return { measureWeeks: (series * DATES) / 7 / SERIES_OF_MEASURE, alarms };
}

/** Steps of 5 to 20 %, both ways, with 5,000 to 100,000 submissions a date, in all periods. */
export function mixedSteps(count: number): PlantedSeries[] {
  return Array.from({ length: count }, (_, index) => {
    const chance = chanceFor(`mixed/${index}`, 'step');
    const size = (chance.happens(0.5) ? 1 : -1) * 0.05 * 4 ** chance.unit();
    const submissions = Math.round(5_000 * 20 ** chance.unit());
    const change = { at: 22 + chance.below(30), size };
    return { ...recipeOf(`mixed/${index}`, PERIODS[index % 3] ?? 'plain', submissions), change };
  });
}

/** Steps of just 5 % with 5,000 submissions a date: among the smallest that are asked for. */
export function smallSteps(count: number, period: Period): PlantedSeries[] {
  return Array.from({ length: count }, (_, index) => {
    const recipe = recipeOf(`small/${period}/${index}`, period, 5_000);
    return { ...recipe, change: { at: 22 + (index % 30), size: 0.05 } };
  });
}
