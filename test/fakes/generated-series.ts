/**
 * Series of daily distributions with a planted change or none, for the test and the bench of the rule that finds changes
 * (docs/changes.md 6). Equal seeds give equal series.
 */
import { type Chance, chanceFor } from '../../local/samples/random.ts';
import type { DatedCounts } from '../../src/pipeline/changes/dated-counts.ts';
import { bucketsOf } from '../../src/histograms/buckets.ts';
import { normalTail } from '../../src/pipeline/changes/probability.ts';

export interface SeriesRecipe {
  readonly seed: string;
  readonly dates: number;
  /** Submissions of an ordinary date, at the beginning. */
  readonly submissions: number;
  /** Times the submissions at the end. */
  readonly growth?: number;
  /** Independent values that a submission is worth: 1 for a single hit, more for many hits that resemble each other. */
  readonly worth: number;
  /** Standard deviation of the values' logarithms. */
  readonly spread: number;
  /** Standard deviation of the builds' own effects: relative, on all values. */
  readonly effect: number;
  /** Of weekends: relative, on all values; they have a third fewer submissions, too. */
  readonly weekend?: number;
  /** Relative change of all values from the date `at` on; reached after `over` dates (1: at once), gone after `lasting`. */
  readonly change?: { readonly at: number; readonly size: number; readonly over?: number; readonly lasting?: number };
  /** The newest date has a part of its submissions only, of people who are quick. */
  readonly partial?: boolean;
}

const EXPONENTIAL = { kind: 'exponential', low: 1, high: 10_000, n_buckets: 50 } as const;
const BOUNDS = bucketsOf(EXPONENTIAL).bounds ?? [];
export const SCALE = { kind: EXPONENTIAL.kind, bounds: BOUNDS };
export const TYPICAL = 60;
/** One of five sessions is of a slow machine; how many varies from build to build. */
export const SLOW = { share: 0.2, times: 2.2, varies: 0.005 } as const;
/** Some builds are odd, without having changed. */
const ODD = { share: 0.02, times: 3 } as const;
/** Values of a few hits have nothing to do with the others: machines that slept. */
const STRAY = 0.01;

export function generatedSeries(recipe: SeriesRecipe): DatedCounts[] {
  const chance = chanceFor(recipe.seed, 'series');
  const typical = TYPICAL * Math.exp(0.8 * chance.normal());
  return Array.from({ length: recipe.dates }, (_, index) => {
    const isPartial = recipe.partial === true && index === recipe.dates - 1;
    const submissions = Math.round(submissionsOn(recipe, index) * (isPartial ? 0.05 : 1));
    const odd = chance.happens(ODD.share) ? ODD.times : 1;
    const slow = Math.max(0, SLOW.share + SLOW.varies * chance.normal());
    const location =
      Math.log(typical) +
      odd * recipe.effect * chance.normal() +
      Math.log(1 + changeOn(recipe, index)) +
      (isWeekend(index) ? Math.log(1 + (recipe.weekend ?? 0)) : 0) -
      (isPartial ? 0.2 : 0);
    const shares = bucketShares(location, recipe.spread, slow);
    const independent = submissions * recipe.worth;
    const counts = shares.map((share) => drawn(independent * share, chance));
    return { date: dateOf(index), counts, submissions, sum: -1 };
  });
}

function dateOf(index: number): string {
  return new Date(Date.UTC(2013, 8, 2 + index)).toISOString().slice(0, 10).replaceAll('-', '');
}

function isWeekend(index: number): boolean {
  return index % 7 >= 5;
}

function submissionsOn({ submissions, growth = 1, dates, weekend }: SeriesRecipe, index: number): number {
  const quiet = weekend !== undefined && isWeekend(index) ? 2 / 3 : 1;
  return submissions * quiet * growth ** (index / dates);
}

function changeOn({ change }: SeriesRecipe, index: number): number {
  if (change === undefined || index < change.at) return 0;
  const { at, size, over = 1, lasting = Infinity } = change;
  if (index - at >= lasting) return 0;
  return size * Math.min(1, (index - at + 1) / over);
}

/** @param location of the logarithms */
export function bucketShares(location: number, spread: number, slow: number): number[] {
  const below = (bound: number, centre: number): number => 1 - normalTail((Math.log(bound) - centre) / spread);
  const cumulative = BOUNDS.map((bound, index) => {
    if (index === 0) return 0;
    const mixed = (1 - slow) * below(bound, location) + slow * below(bound, location + Math.log(SLOW.times));
    return (1 - STRAY) * mixed + (STRAY * index) / BOUNDS.length;
  });
  return cumulative.map((value, index) => (cumulative[index + 1] ?? 1) - value);
}

/** Poisson; normal where that is the same. */
function drawn(expected: number, chance: Chance): number {
  if (expected > 40) return Math.max(0, Math.round(expected + Math.sqrt(expected) * chance.normal()));
  const limit = Math.exp(-expected);
  let count = 0;
  for (let product = chance.unit(); product > limit; product *= chance.unit()) count += 1;
  return count;
}
