/**
 * A distribution as a few numbers: each bucket has a score, and a date's number is the mean score of its hits. Tests then
 * look at one number a date, whatever the buckets are (docs/changes.md 2).
 */
import type { DatedCounts } from './dated-counts.ts';
import { normalQuantile } from './probability.ts';
import { median } from './robust.ts';

/** What a score looks at. */
export type Aspect =
  /** Where the values are. */
  | { readonly name: 'location' }
  /** How far they spread. */
  | { readonly name: 'spread' }
  /** The share of one value of an enumerated measure. */
  | { readonly name: 'share'; readonly bucket: number };

export interface ScoredSeries {
  readonly aspect: Aspect;
  /** One for each date, in units of the standard deviation of a hit's score. */
  readonly values: readonly number[];
  /** The share of the error rate that tests of this aspect may spend. */
  readonly weight: number;
}

/** Of an enumerated measure: rarer values are not looked at. */
const MIN_SHARE = 0.005;
const MAX_CATEGORIES = 12;
/** Most changes are of location. */
const LOCATION_WEIGHT = 0.8;
const MIN_VARIANCE = 1e-9;

/** @param kind of the published definition */
export function scoredSeries(dates: readonly DatedCounts[], kind: string): ScoredSeries[] {
  const pooled = pooledShares(dates);
  const located = standardised(normalScores(pooled), pooled);
  if (located === undefined) return [];
  const location = { aspect: { name: 'location' }, values: meanScores(dates, located), weight: 1 } as const;
  if (kind === 'boolean' || kind === 'flag') return [location];
  if (kind === 'enumerated') return shares(dates, pooled);
  const wide = located.map((score) => score * score);
  const spread = standardised(withoutTrend(wide, located, pooled), pooled);
  if (spread === undefined) return [location];
  return [
    { ...location, weight: LOCATION_WEIGHT },
    { aspect: { name: 'spread' }, values: meanScores(dates, spread), weight: 1 - LOCATION_WEIGHT },
  ];
}

/** Shares of all dates together; no date weighs more than the median one. */
function pooledShares(dates: readonly DatedCounts[]): number[] {
  const totals = dates.map(({ counts }) => total(counts));
  const most = median(totals);
  const shares = new Array<number>(dates[0]?.counts.length ?? 0).fill(0);
  for (const [index, { counts }] of dates.entries()) {
    const hits = totals[index] ?? 0;
    const weight = Math.min(hits, most) / hits;
    for (const [bucket, count] of counts.entries()) shares[bucket] = (shares[bucket] ?? 0) + weight * count;
  }
  const sum = total(shares);
  return shares.map((share) => share / sum);
}

/**
 * Van der Waerden's scores: the normal quantile of a bucket's middle in the pooled distribution. The mean score moves by
 * δ standard deviations when a normal (or log-normal) distribution does, nearly as precisely as the mean of the logarithms
 * would, and no tail has weight. No place inside a bucket has to be guessed.
 */
function normalScores(pooled: readonly number[]): number[] {
  let below = 0;
  return pooled.map((share) => {
    const middle = below + share / 2;
    below += share;
    return share === 0 ? 0 : normalQuantile(Math.min(Math.max(middle, 1e-12), 1 - 1e-12));
  });
}

function shares(dates: readonly DatedCounts[], pooled: readonly number[]): ScoredSeries[] {
  const looked = [...pooled.entries()]
    .filter(([, share]) => share >= MIN_SHARE && share <= 1 - MIN_SHARE)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_CATEGORIES);
  return looked.flatMap(([bucket]) => {
    const scores = standardised(
      pooled.map((_, index) => (index === bucket ? 1 : 0)),
      pooled,
    );
    if (scores === undefined) return [];
    const aspect = { name: 'share', bucket } as const;
    return [{ aspect, values: meanScores(dates, scores), weight: 1 / looked.length }];
  });
}

/** Mean 0 and variance 1 in the pooled distribution; undefined for scores that are all one. */
function standardised(scores: readonly number[], pooled: readonly number[]): number[] | undefined {
  const centre = dot(scores, pooled);
  const centred = scores.map((score) => score - centre);
  const variance = dot(
    centred.map((score) => score * score),
    pooled,
  );
  if (variance < MIN_VARIANCE) return undefined;
  return centred.map((score) => score / Math.sqrt(variance));
}

/** The part of the scores that the location does not explain. */
function withoutTrend(scores: readonly number[], located: readonly number[], pooled: readonly number[]): number[] {
  const slope = dot(
    scores.map((score, bucket) => score * (located[bucket] ?? 0)),
    pooled,
  );
  return scores.map((score, bucket) => score - slope * (located[bucket] ?? 0));
}

function meanScores(dates: readonly DatedCounts[], scores: readonly number[]): number[] {
  return dates.map(({ counts }) => dot(counts, scores) / total(counts));
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

export function total(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
