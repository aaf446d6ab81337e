/** How old the data set is, and what that means; computed in the browser, so that a dead writer cannot look alive. */
import type { Status } from '../../client/index.ts';
import { DAY_MS, dateOf } from '../format.ts';

export type Verdict = 'good' | 'late' | 'stale' | 'unknown';

const HOUR = 3_600_000;
/** Days are published once a day, with two hours of grace: one missed run is late, two are an outage. */
export const DUE_MS = 26 * HOUR;
const STALE_MS = 50 * HOUR;

export interface Freshness {
  readonly verdict: Verdict;
  /** Milliseconds since the last commit; null when there is none. */
  readonly age: number | null;
}

export function freshness(status: Pick<Status, 'at' | 'seq'> | null, now: number): Freshness {
  const at = status?.at == null ? Number.NaN : Date.parse(status.at);
  if (Number.isNaN(at)) return { verdict: 'unknown', age: null };
  // A clock that is behind is no reason for an alarm.
  const age = Math.max(0, now - at);
  return { verdict: age > STALE_MS ? 'stale' : age > DUE_MS ? 'late' : 'good', age };
}

export interface CalendarDay {
  /** `YYYYMMDD` */
  readonly date: string;
  readonly state: 'whole' | 'partial' | 'none';
}

/** The 30 days that end with the newest one of the entries; rounds and adopted history are no days. */
export function calendarOf(status: Pick<Status, 'entries'>): readonly CalendarDay[] {
  const days = new Map(status.entries.filter(({ name }) => /^\d{8}$/.test(name)).map((entry) => [entry.name, entry]));
  const newest = [...days.keys()].toSorted().at(-1);
  if (newest === undefined) return [];
  const last = Date.parse(`${newest.slice(0, 4)}-${newest.slice(4, 6)}-${newest.slice(6, 8)}T00:00:00Z`);
  return Array.from({ length: 30 }, (_, place): CalendarDay => {
    const date = dateOf(last - (29 - place) * DAY_MS);
    const entry = days.get(date);
    if (entry === undefined) return { date, state: 'none' };
    const isWhole = entry.failed + entry.missing + entry.files.missing === 0;
    return { date, state: isWhole ? 'whole' : 'partial' };
  });
}
