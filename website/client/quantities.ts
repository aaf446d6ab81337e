/**
 * Quantities of summed rows (docs/formats/published.md 5.9). Percentiles are those of the former dashboards; standard
 * deviation and geometric mean are the real ones, where theirs lacked a root and an exponential.
 */
import type { Definition } from './definition.ts';
import type { Sums } from './sums.ts';

type Buckets = Pick<Definition, 'kind' | 'bounds'>;

/** Samples: the sum of all buckets. */
export function sampleCount({ counts }: Pick<Sums, 'counts'>): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Of samples, not of submissions; null without samples or without a recorded sum. */
export function mean(sums: Sums): number | null {
  const samples = sampleCount(sums);
  return samples > 0 && sums.sum !== null ? sums.sum / samples : null;
}

/**
 * @param p 0 to 100
 * @param interpolated inside the bucket, by the formula of the former dashboards; otherwise the lower bound of the bucket
 * @returns null without samples
 */
export function percentile(sums: Sums, buckets: Buckets, p: number, interpolated = true): number | null {
  const { counts } = sums;
  const samples = sampleCount(sums);
  if (samples <= 0) return null;
  const { index, wanted } = bucketOf(counts, (samples * p) / 100);
  const start = buckets.bounds[index] ?? 0;
  if (!interpolated) return start;
  const end = buckets.bounds[index + 1] ?? lastBucketEnd(sums, buckets);
  const part = wanted / ((counts[index] ?? 0) + 1);
  const width = end - start;
  // The published sum may contradict the buckets.
  if (!(width > 0) || !Number.isFinite(width)) return start;
  return start + (buckets.kind === 'exponential' ? Math.exp(Math.log(width) * part) : width * part);
}

/** The bucket that the wanted number of samples ends in, and how many of its own are needed. */
function bucketOf(counts: readonly number[], samples: number): { readonly index: number; readonly wanted: number } {
  let [index, wanted] = [0, samples];
  while (index < counts.length - 1 && wanted - (counts[index] ?? 0) > 0) {
    wanted -= counts[index] ?? 0;
    index += 1;
  }
  return { index, wanted };
}

/** The last bucket has no upper bound: twice the mean of its samples is taken, as far from its start. */
export function lastBucketEnd({ counts, sum }: Sums, { bounds }: Pick<Definition, 'bounds'>): number {
  const start = bounds.at(-1) ?? 0;
  const samples = counts.at(-1) ?? 0;
  if (sum === null || samples === 0) return Number.NaN;
  let others = 0;
  for (let index = 0; index < counts.length - 1; index += 1)
    others += (counts[index] ?? 0) * (((bounds[index] ?? 0) + (bounds[index + 1] ?? 0)) / 2);
  return start + 2 * ((sum - others) / samples - start);
}

export interface Deviation {
  readonly value: number;
  /** From the centres of the buckets, because the sum of squares was not recorded. */
  readonly estimated: boolean;
}

/** √(Σx²/n − (Σx/n)²); null without samples. */
export function standardDeviation(sums: Sums, { bounds }: Pick<Definition, 'bounds'>): Deviation | null {
  const samples = sampleCount(sums);
  if (samples <= 0) return null;
  const { sum, sumSquaresLow: low, sumSquaresHigh: high } = sums;
  if (sum !== null && low !== null && high !== null) {
    const variance = (low + high * 2 ** 32) / samples - (sum / samples) ** 2;
    if (variance >= 0) return { value: Math.sqrt(variance), estimated: false };
  }
  const centres = bounds.map((start, index) => (start + (bounds[index + 1] ?? start)) / 2);
  const moment = (power: number): number =>
    sums.counts.reduce((total, count, index) => total + count * (centres[index] ?? 0) ** power, 0) / samples;
  return { value: Math.sqrt(Math.max(0, moment(2) - moment(1) ** 2)), estimated: true };
}

/** exp(Σ ln(x + 1) / n) − 1: browsers add the logarithm of the value plus one. Null where no logarithms were recorded. */
export function geometricMean(sums: Sums): number | null {
  const samples = sampleCount(sums);
  return samples > 0 && sums.logSum !== null ? Math.exp(sums.logSum / samples) - 1 : null;
}

/** Share of each bucket, 0 to 1; all 0 without samples. */
export function shares(sums: Pick<Sums, 'counts'>): number[] {
  const samples = sampleCount(sums);
  return sums.counts.map((count) => (samples > 0 ? count / samples : 0));
}

/** Sum of the shares up to and including each bucket. */
export function cumulative(values: readonly number[]): number[] {
  let total = 0;
  return values.map((value) => (total += value));
}
