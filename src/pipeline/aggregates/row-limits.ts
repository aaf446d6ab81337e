/**
 * What may become part of a row (docs/formats/results.md 4.8). Every stage that takes data in checks these same limits, so
 * that what one stage accepts, all later ones accept: with all of them at their highest, a line of a part has less than a
 * third of what its reader takes.
 */
import { MAX_BUCKETS } from '../../histograms/buckets.ts';
import { TRAILER } from './slot.ts';

/** Buckets, five statistics and the count of submissions. */
export const MAX_ROW = MAX_BUCKETS + TRAILER;
/** UTF-16 units of a revision. */
export const MAX_REVISION = 255;
/** UTF-16 units of `date/reason/appName/OS/osVersion/arch`. */
export const MAX_PATH = 1024;
/** What a browser counts in one bucket is a 32-bit number. */
const MAX_COUNT = 2 ** 32 - 1;
/** A statistic of one submission; larger ones are not exact. */
export const MAX_STATISTIC = Number.MAX_SAFE_INTEGER;
/**
 * A number of a result, which holds the sums of a task: more than 2⁴³ submissions can add up to. Far below the largest
 * double, so that no sum of results overflows.
 */
const MAX_SUM = 2 ** 96;

/**
 * Whether the numbers at [start, end) can be the buckets and statistics of one submission. −1 marks a statistic that was
 * not recorded, and others may be negative as well.
 */
export function isSubmittedRow(numbers: Float64Array, start: number, end: number): boolean {
  const statistics = end - (TRAILER - 1);
  for (let index = start; index < statistics; index += 1) {
    const value = numbers[index] as number;
    if (!(value >= 0 && value <= MAX_COUNT) || !Number.isInteger(value)) return false;
  }
  for (let index = statistics; index < end; index += 1) {
    if (!(Math.abs(numbers[index] as number) <= MAX_STATISTIC)) return false;
  }
  return true;
}

/**
 * Whether the numbers at [start, end) can be a row of a result: buckets, five statistics, a count of at least 1. Says
 * nothing about the statistics.
 */
export function isResultRow(numbers: Float64Array, start: number, end: number): boolean {
  const statistics = end - TRAILER;
  for (let index = start; index < statistics; index += 1) {
    const value = numbers[index] as number;
    if (!(value >= 0 && value <= MAX_SUM) || !Number.isInteger(value)) return false;
  }
  const count = numbers[end - 1] as number;
  return count >= 1 && count <= MAX_SUM && Number.isInteger(count);
}

/** Holds the statistics of a row that ends at `end` within ±MAX_SUM. @returns how many were beyond */
export function clampStatistics(numbers: Float64Array, end: number): number {
  let clamped = 0;
  for (let index = end - TRAILER; index < end - 1; index += 1) {
    const value = numbers[index] as number;
    if (Math.abs(value) <= MAX_SUM) continue;
    numbers[index] = value > 0 ? MAX_SUM : -MAX_SUM;
    clamped += 1;
  }
  return clamped;
}
