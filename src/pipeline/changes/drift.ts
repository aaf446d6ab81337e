/**
 * Slow drifts: Mann and Kendall's test on the dates of three or five weeks, with the slope of Theil and Sen. It needs no
 * estimate of the noise, and no shape but "later is higher".
 */
import type { Movement } from './movement.ts';
import { adjustedAt, type Noise, range, type Track } from './noise.ts';
import { normalTail } from './probability.ts';
import { mean, median } from './robust.ts';
import { bestSplit } from './shape.ts';

const LENGTHS = [21, 35] as const;
const END = 7;
const MIN_SIZE = 0.02;
/** Two lengths that overlap, and the steps and spikes of the same date. */
const TESTS = 4;

export function driftAt(track: Track, noise: Noise, now: number, alpha: number): Movement | undefined {
  const start = track.starts.at(-1) ?? 0;
  for (const length of LENGTHS) {
    const from = now - length + 1;
    if (from < start) return undefined;
    const dates = range(from, now + 1).filter((index) => !track.spikes.has(index));
    const values = dates.map((index) => adjustedAt(track, noise, index));
    const concordance = concordanceOf(values);
    if (TESTS * mannKendall(concordance, values.length, 0) > alpha) continue;
    const slope = theilSen(values);
    const size = slope * (values.length - 1);
    const pValue = TESTS * mannKendall(concordance, values.length, correlationOf(values, slope));
    if (pValue > alpha || Math.abs(size) < MIN_SIZE) continue;
    const split = bestSplit(values);
    const common = { seenAt: now, size, pValue };
    if (split !== null)
      return {
        kind: 'step',
        at: dates[split] ?? now,
        before: dates.slice(0, split),
        after: dates.slice(split),
        ...common,
      };
    return { kind: 'drift', at: from, before: dates.slice(0, END), after: dates.slice(-END), ...common };
  }
  return undefined;
}

function theilSen(values: readonly number[]): number {
  const slopes: number[] = [];
  for (const [i, first] of values.entries())
    for (let j = i + 1; j < values.length; j += 1) slopes.push(((values[j] ?? 0) - first) / (j - i));
  return median(slopes);
}

function concordanceOf(values: readonly number[]): number {
  let concordance = 0;
  for (const [i, first] of values.entries())
    for (let j = i + 1; j < values.length; j += 1) concordance += Math.sign((values[j] ?? 0) - first);
  return concordance;
}

/** Of neighbours, around the line; 0 when they do not resemble each other. */
function correlationOf(values: readonly number[], slope: number): number {
  const residuals = values.map((value, index) => value - slope * index);
  const centre = mean(residuals);
  let [lagged, squares] = [0, 0];
  for (const [index, value] of residuals.entries()) {
    squares += (value - centre) ** 2;
    if (index > 0) lagged += (value - centre) * ((residuals[index - 1] ?? 0) - centre);
  }
  return Math.min(0.9, Math.max(0, lagged / squares));
}

/**
 * Two-sided p-value.
 * @param correlation neighbours that resemble each other are worth fewer dates
 */
function mannKendall(concordance: number, n: number, correlation: number): number {
  const variance = ((n * (n - 1) * (2 * n + 5)) / 18) * ((1 + correlation) / (1 - correlation));
  return 2 * normalTail((Math.abs(concordance) - 1) / Math.sqrt(variance));
}
