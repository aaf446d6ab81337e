/** The days of submission that say something about habits: those that were analysed whole. */
import { dayOf, isCalendarDay, MS_PER_DAY } from '../calendar-day.ts';
import type { Ledger } from '../dataset/ledger.ts';
import type { DayCounts } from './silence.ts';

/** Of the tasks of its run: a day that lost more says nothing, and its run says so. */
const MAX_LOST = 0.1;
/** Days that rounds or an adoption brought have no run of their own: so many submissions of all channel/versions show them. */
const MIN_SUBMISSIONS = 100;
/** Rounds bring a day bit by bit. */
const ROUNDS_NEED_MS = 2 * MS_PER_DAY;

/**
 * @param at of the commit
 * @returns ascending
 */
export function analysedDays(
  { entries }: Pick<Ledger, 'entries'>,
  counts: ReadonlyMap<string, DayCounts>,
  at: string,
): string[] {
  const days = new Set<string>();
  const totals = new Map<string, number>();
  for (const ofOne of counts.values())
    for (const [day, submissions] of ofOne) totals.set(day, (totals.get(day) ?? 0) + submissions);
  const newest = dayOf(new Date(Date.parse(at) - ROUNDS_NEED_MS));
  for (const [day, total] of totals) if (isCalendarDay(day) && day <= newest && total >= MIN_SUBMISSIONS) days.add(day);
  for (const [day, { planned, done, failed, missing }] of entries) {
    if (!isCalendarDay(day)) continue;
    if (done > 0 && failed + missing <= MAX_LOST * planned) days.add(day);
    else days.delete(day);
  }
  return [...days].toSorted();
}
