/** Calendar days as `YYYYMMDD` text, always UTC. The text order of days is their order in time. */

import { plainLine } from './plain-text.ts';

export const MS_PER_DAY = 86_400_000;

/** Whole days since 1970-01-01, or undefined when `day` is not eight digits that name a day of the calendar. */
export function dayNumber(day: string): number | undefined {
  if (!/^\d{8}$/.test(day)) return undefined;
  const year = Number(day.slice(0, 4));
  const month = Number(day.slice(4, 6));
  const dayOfMonth = Number(day.slice(6, 8));
  const instant = new Date(Date.UTC(year, month - 1, dayOfMonth));
  // Date.UTC would read years below 100 as 19xx; no submission is that old.
  if (year < 1900 || instant.getUTCMonth() !== month - 1 || instant.getUTCDate() !== dayOfMonth) return undefined;
  return instant.getTime() / MS_PER_DAY;
}

export function isCalendarDay(day: string): boolean {
  return dayNumber(day) !== undefined;
}

/** What a person is told who gave something else. */
export function noDayText(given: string): string {
  return `Day ${JSON.stringify(plainLine(given, 100))} is not a calendar day; write YYYYMMDD, such as 20131029`;
}

/** Years have four digits. */
const LAST_DAY = '99991231';

/** The next day, at most 9999-12-31; that of 1970-01-01 for a text that is no day. */
export function dayAfter(day: string): string {
  if (day === LAST_DAY) return LAST_DAY;
  let after = known.get(day);
  if (after === undefined) {
    after = dayOf(new Date(((dayNumber(day) ?? 0) + 1) * MS_PER_DAY));
    if (known.size === MAX_KNOWN) known.clear();
    known.set(day, after);
  }
  return after;
}

/** Days and those after them: the measures of a snapshot ask for few, each for itself. */
const known = new Map<string, string>();
const MAX_KNOWN = 256;

export function dayOf(instant: Date): string {
  return instant.toISOString().slice(0, 10).replaceAll('-', '');
}

/**
 * The UTC day before `scheduledAt`: a run analyses the submissions of the last full day
 * (docs/formats/input-bucket.md 1.5).
 */
export function analysisDay(scheduledAt: Date): string {
  return dayOf(new Date(scheduledAt.getTime() - MS_PER_DAY));
}

/** 0 (Sunday) to 6; 0 for a text that is no day. */
export function calendarWeekday(day: string): number {
  // 1970-01-01 was a Thursday.
  return ((((dayNumber(day) ?? 3) + 4) % 7) + 7) % 7;
}
