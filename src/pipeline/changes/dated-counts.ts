/** What is compared: the distribution of one measure on each date, and which dates can be compared. */
import { median } from './robust.ts';

/** All submissions of one date: a build date, or a day of submission. */
export interface DatedCounts {
  /** `YYYYMMDD`. */
  readonly date: string;
  /** Hits in each bucket. */
  readonly counts: readonly number[];
  readonly submissions: number;
  /** Of all values; −1 when they do not say. */
  readonly sum: number;
}

/** With fewer, a date says nothing that is worth a comparison. */
const MIN_SUBMISSIONS = 30;
/** Of the median of the dates before it: a build that few have yet is one of early adopters, not of the population. */
const MIN_SHARE = 0.1;
const DATES_BEFORE = 7;

export interface ComparableDates {
  /** Ascending. */
  readonly dates: readonly DatedCounts[];
  /** Dates with too few submissions. */
  readonly leftOut: readonly string[];
}

/**
 * @param all ascending
 * @param atMost of the dates that can be compared, the newest
 */
export function comparableDates(all: readonly DatedCounts[], atMost = Infinity): ComparableDates {
  const dates: DatedCounts[] = [];
  const leftOut: string[] = [];
  for (let index = all.length - 1; index >= 0 && dates.length < atMost; index -= 1) {
    const dated = all[index];
    if (dated === undefined) continue;
    const before = all.slice(Math.max(0, index - DATES_BEFORE), index).map(({ submissions }) => submissions);
    const enough = Math.max(MIN_SUBMISSIONS, before.length === 0 ? 0 : MIN_SHARE * median(before));
    if (dated.submissions >= enough && dated.counts.some((count) => count > 0)) dates.push(dated);
    else leftOut.push(dated.date);
  }
  return { dates: dates.toReversed(), leftOut: leftOut.toReversed() };
}
