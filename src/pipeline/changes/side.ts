/** The dates of one side of a comparison as one distribution. */
import type { Side } from './change.ts';
import type { DatedCounts } from './dated-counts.ts';
import { total } from './scores.ts';

/** How a measure's buckets are read. */
export interface Scale {
  /** Of the published definition. */
  readonly kind: string;
  /** Lower bounds of the buckets. */
  readonly bounds: readonly number[];
}

/** @param value of an enumerated measure, whose share is wanted */
export function sideOf(dates: readonly DatedCounts[], scale: Scale, value: number | null): Side {
  const { counts, submissions, sum } = together(dates, scale.bounds.length);
  const count = total(counts);
  const isRanged = scale.kind === 'exponential' || scale.kind === 'linear';
  const bucket = value ?? (scale.kind === 'boolean' || scale.kind === 'flag' ? 1 : null);
  return {
    dates: dates.map(({ date }) => date),
    submissions,
    count,
    mean: sum < 0 || count === 0 ? null : sum / count,
    median: isRanged ? quantileOf(counts, scale, 0.5) : null,
    p95: isRanged ? quantileOf(counts, scale, 0.95) : null,
    share: bucket === null || count === 0 ? null : (counts[bucket] ?? 0) / count,
  };
}

function together(dates: readonly DatedCounts[], buckets: number): Omit<DatedCounts, 'date'> {
  const counts = new Array<number>(buckets).fill(0);
  let [submissions, sum] = [0, 0];
  for (const dated of dates) {
    for (const [bucket, count] of dated.counts.entries()) counts[bucket] = (counts[bucket] ?? 0) + count;
    submissions += dated.submissions;
    sum = sum < 0 || dated.sum < 0 ? -1 : sum + dated.sum;
  }
  return { counts, submissions, sum };
}

/**
 * Interpolated inside the bucket: evenly in a linear histogram, evenly in the logarithms in an exponential one. Values of
 * the last bucket have no upper bound, so it is taken to be as wide as the one before.
 */
export function quantileOf(counts: readonly number[], { kind, bounds }: Scale, p: number): number | null {
  let rest = total(counts) * p;
  if (rest === 0) return null;
  for (const [bucket, count] of counts.entries()) {
    if (count < rest || count === 0) {
      rest -= count;
      continue;
    }
    const start = bounds[bucket] ?? 0;
    const before = bounds[bucket - 1] ?? 0;
    const isExponential = kind === 'exponential' && start > 0;
    const end = bounds[bucket + 1] ?? (isExponential && before > 0 ? (start * start) / before : 2 * start - before);
    const part = rest / count;
    return isExponential ? start * (end / start) ** part : start + (end - start) * part;
  }
  return null;
}
