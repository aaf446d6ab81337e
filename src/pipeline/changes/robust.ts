/** Estimates that a few odd dates cannot spoil. */

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Residuals beyond so many standard deviations count as this many (Huber, Robust Statistics, 5.2 and 6.4). */
const LOCATION_BEND = 2.5;
const SCALE_BEND = 2.5;
/** E[min(Z², 2.5²)] of a standard normal Z: what makes the scale right for normal noise. */
const SCALE_CONSISTENCY = 0.97756;

/**
 * Huber's weighted mean.
 * @param variances of the values
 * @returns the mean, and how many of the values it is made of: those that are not bent
 */
export function huberMean(values: readonly number[], variances: readonly number[]): { mean: number; unbent: number } {
  let centre = median(values);
  let unbent = 0;
  for (let round = 0; round < 3; round += 1) {
    let sum = 0;
    let weights = 0;
    unbent = 0;
    for (const [index, value] of values.entries()) {
      const own = variances[index] ?? NaN;
      const z = Math.abs(value - centre) / Math.sqrt(own);
      const weight = (z > LOCATION_BEND ? LOCATION_BEND / z : 1) / own;
      sum += weight * value;
      weights += weight;
      unbent += z > LOCATION_BEND ? 0 : 1;
    }
    centre = sum / weights;
  }
  return { mean: centre, unbent: Math.max(1, unbent) };
}

/** A residual with the variance it would have if the process itself added none. */
export interface Residual {
  readonly square: number;
  /** 1/submissions, or the sum of two such for a difference. */
  readonly sampling: number;
  /** How often the variance of the process is in it: 1, or 2 for a difference. */
  readonly times: number;
}

/** Variance of a date's value: process + sampling / submissions. */
export interface NoiseModel {
  readonly process: number;
  readonly sampling: number;
}

/** Builds are never more alike than this, in standard deviations of their values, squared. */
const MIN_PROCESS = 0.005 ** 2;

/**
 * Noise as the residuals show it. Submissions are the independent units, so their number bounds the sampling error from
 * above (1/submissions): hits of one submission resemble each other, but never more than completely. What is seen beyond
 * it is the process: builds that differ, populations that differ.
 * @param lost share of the residuals' freedom that was spent on estimates
 */
export function noiseOf(residuals: readonly Residual[], lost: number): NoiseModel {
  if (residuals.length === 0) return { process: MIN_PROCESS, sampling: 1 };
  const target = SCALE_CONSISTENCY * (1 - lost);
  const excess = (process: number, sampling: number): number => bentMean(residuals, process, sampling) - target;
  if (excess(MIN_PROCESS, 1) <= 0)
    return { process: MIN_PROCESS, sampling: solve((sampling) => excess(MIN_PROCESS, sampling), 1e-6, 1) };
  const largest = Math.max(...residuals.map(({ square }) => square)) / target;
  return { process: solve((process) => excess(process, 1), MIN_PROCESS, largest), sampling: 1 };
}

function bentMean(residuals: readonly Residual[], process: number, sampling: number): number {
  let sum = 0;
  for (const { square, sampling: own, times } of residuals)
    sum += Math.min(SCALE_BEND ** 2, square / (times * process + sampling * own));
  return sum / residuals.length;
}

const SOLVED_TO = 0.01;

/** Zero of a falling function between two points. */
function solve(of: (at: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 40 && to - from > SOLVED_TO * to; step += 1) {
    const middle = (from + to) / 2;
    if (of(middle) > 0) from = middle;
    else to = middle;
  }
  return to;
}
