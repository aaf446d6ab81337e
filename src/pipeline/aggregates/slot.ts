/**
 * A slot: the sums of all submissions that share measure, by-date, date, filter path and row length
 * (docs/formats/results.md 4.2). Rows of different lengths are never added; which length is shown is decided at
 * rendering (docs/formats/results.md 4.3).
 */

import { TextValues } from './text-values.ts';

/** The two dates a submission is counted under. In text order, which is the order of every sorted file. */
export const BY_DATES = ['by-build-date', 'by-submission-date'] as const;
export type ByDate = (typeof BY_DATES)[number];

/**
 * Numbers of a row; tables and merges hold them unboxed, and streams of parts as text. Written with `join`: JSON.stringify
 * makes a list of the first kind only.
 */
export type RowValues = readonly number[] | Float64Array | TextValues;

/** The numbers themselves. */
export function numbersOf(values: RowValues): readonly number[] | Float64Array {
  return values instanceof TextValues ? values.numbers : values;
}

export interface Slot {
  readonly measure: string;
  readonly byDate: ByDate;
  /** Filter path after the date: `reason/appName/OS/osVersion/arch`. */
  readonly path: string;
  /** `YYYYMMDD` */
  readonly date: string;
  /** n buckets, then sum, log_sum, log_sum_squares, sum_squares_lo, sum_squares_hi, count of submissions. */
  readonly values: RowValues;
  /** Highest build id among the contributions; `0` for simple measures. */
  readonly buildId: string;
  /** Revision URL of that build; empty when the submissions named none. */
  readonly revision: string;
}

/** Statistics and count behind the buckets of a row. */
export const TRAILER = 6;
/** Offsets from the end of a row (docs/formats/results.md 4.2). */
export const SUM = 6;
export const COUNT = 1;

/** A statistic that was not recorded. */
export const MISSING = -1;

/** Constants in place of build and revision in every simple measure (docs/formats/submissions.md 3.6). */
export const SIMPLE_MEASURE_PREFIX = 'SIMPLE_MEASURES_';
export const SIMPLE_MEASURE_REVISION = 'simple-measures-hack';
export const SIMPLE_MEASURE_BUILD_ID = '0';
