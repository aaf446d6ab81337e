/**
 * How sure a quantity is, and a difference of two. Values of one submission are not independent of each other, so the
 * number of submissions counts, not that of samples, which would promise far too much.
 *
 * Quantiles: the ranks n·p ± z·√(n·p·(1−p)), taken through the distribution (Conover, Practical Nonparametric
 * Statistics, 3.2). Differences and ratios: from both intervals (Zou and Donner 2008, MOVER). Distance of distributions:
 * Kolmogorov and Smirnov, against its 5 % limit for two samples.
 */
import { bucketName, type Definition, isCategorical } from './definition.ts';
import { cumulative, mean, percentile, sampleCount, shares, standardDeviation } from './quantities.ts';
import type { Sums } from './sums.ts';

/** 95 %. */
const Z = 1.959964;
const KS_5_PERCENT = 1.358;

export interface Estimate {
  readonly value: number;
  /** Of the 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** The size that intervals go by. */
export function effectiveSize(sums: Sums): number {
  return Math.max(0, Math.min(sums.submissions, sampleCount(sums)));
}

export function percentileEstimate(
  sums: Sums,
  definition: Definition,
  p: number,
  interpolated = true,
): Estimate | null {
  const value = percentile(sums, definition, p, interpolated);
  const n = effectiveSize(sums);
  if (value === null || n === 0) return null;
  const share = p / 100;
  const margin = Z * Math.sqrt((share * (1 - share)) / n) * 100;
  const at = (rank: number): number =>
    percentile(sums, definition, Math.min(100, Math.max(0, rank)), interpolated) ?? value;
  return { value, low: Math.min(value, at(p - margin)), high: Math.max(value, at(p + margin)) };
}

export function meanEstimate(sums: Sums, definition: Definition): Estimate | null {
  const value = mean(sums);
  const deviation = standardDeviation(sums, definition);
  const n = effectiveSize(sums);
  if (value === null || deviation === null || n === 0) return null;
  const margin = (Z * deviation.value) / Math.sqrt(n);
  return { value, low: value - margin, high: value + margin };
}

/** Share of one bucket, with Wilson's interval. */
export function shareEstimate(sums: Sums, bucket: number): Estimate | null {
  const n = effectiveSize(sums);
  if (n === 0) return null;
  const value = shares(sums)[bucket] ?? 0;
  const scale = 1 + Z ** 2 / n;
  const centre = (value + Z ** 2 / (2 * n)) / scale;
  const margin = (Z / scale) * Math.sqrt((value * (1 - value)) / n + Z ** 2 / (4 * n ** 2));
  return {
    value,
    low: Math.max(0, Math.min(value, centre - margin)),
    high: Math.min(1, Math.max(value, centre + margin)),
  };
}

/** a − b. */
export function difference(a: Estimate, b: Estimate): Estimate {
  const value = a.value - b.value;
  return {
    value,
    low: value - Math.hypot(a.value - a.low, b.high - b.value),
    high: value + Math.hypot(a.high - a.value, b.value - b.low),
  };
}

/** a / b; null unless both are above 0. */
export function ratio(a: Estimate, b: Estimate): Estimate | null {
  if (!(a.value > 0) || !(b.value > 0)) return null;
  // No limit of an interval is further away than a thousandth of its value, where its logarithm would not end.
  const logarithm = ({ value, low, high }: Estimate): Estimate => ({
    value: Math.log(value),
    low: Math.log(Math.max(low, value / 1000)),
    high: Math.log(high),
  });
  const { value, low, high } = difference(logarithm(a), logarithm(b));
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) };
}

export interface Distance {
  /** Largest gap between the two cumulative distributions, 0 to 1. */
  readonly value: number;
  /** A gap that two equal distributions of these sizes exceed once in 20. */
  readonly limit: number;
}

/** Null without submissions, and for distributions with different buckets. */
export function distance(a: Sums, b: Sums): Distance | null {
  const [n, m] = [effectiveSize(a), effectiveSize(b)];
  if (n === 0 || m === 0 || a.counts.length !== b.counts.length) return null;
  const other = cumulative(shares(b));
  const gaps = cumulative(shares(a)).map((share, index) => Math.abs(share - (other[index] ?? 0)));
  return { value: Math.max(...gaps), limit: KS_5_PERCENT * Math.sqrt((n + m) / (n * m)) };
}

export interface Comparison {
  /** What is compared: the median, or the share of a bucket of a measure without an order. */
  readonly quantity: string;
  readonly difference: Estimate | null;
  readonly ratio: Estimate | null;
  readonly distance: Distance | null;
  /** Whether the interval of the difference leaves out 0. */
  readonly certain: boolean;
}

/**
 * a against b, by their medians; measures without an order by the share of what is most frequent in b, and answers by
 * that of yes.
 */
export function compare(a: Sums, b: Sums, definition: Definition, interpolated = true): Comparison {
  const categorical = isCategorical(definition);
  const bucket = categorical ? tellingBucket(b, definition) : -1;
  const estimate = (sums: Sums): Estimate | null =>
    categorical ? shareEstimate(sums, bucket) : percentileEstimate(sums, definition, 50, interpolated);
  const [x, y] = [estimate(a), estimate(b)];
  const both = x !== null && y !== null;
  const change = both ? difference(x, y) : null;
  return {
    quantity: categorical ? `share of ${bucketName(definition, bucket)}` : 'median',
    difference: change,
    ratio: both ? ratio(x, y) : null,
    distance: distance(a, b),
    certain: change !== null && (change.low > 0 || change.high < 0),
  };
}

/** The bucket that says most about a measure without an order: yes, or what is most frequent. */
export function tellingBucket({ counts }: Pick<Sums, 'counts'>, { kind }: Pick<Definition, 'kind'>): number {
  return kind === 'boolean' || kind === 'flag' ? 1 : Math.max(0, counts.indexOf(Math.max(...counts)));
}
