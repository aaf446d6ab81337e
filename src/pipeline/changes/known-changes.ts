/** Changes that were told before: those that are found again keep their dates, and so their ids. */
import { dayNumber } from '../calendar-day.ts';
import { type By, type Change, changeId } from './change.ts';
import { changeText } from './change-text.ts';

/** A change that moves by so few days, as more dates come in, is the same one. */
export const SAME_DAYS = { step: 3, spike: 1, drift: 28 } as const;

/** What is corrected together: the series that had this date. */
export function family(by: By, date: string): string {
  return `${by}/${date}`;
}

export function withKnownDate(change: Change, known: readonly Change[]): Change {
  const { measure, kind, by, direction, filter } = change;
  if (measure === null || !(kind === 'step' || kind === 'spike' || kind === 'drift')) return change;
  const same = known.find(
    (other) =>
      other.measure === measure &&
      other.kind === kind &&
      other.by === by &&
      other.direction === direction &&
      other.filter.join('/') === filter.join('/') &&
      Math.abs((dayNumber(other.date) ?? 0) - (dayNumber(change.date) ?? 0)) <= SAME_DAYS[kind],
  );
  if (same === undefined) return change;
  const dated = { ...change, measure, kind, date: same.date };
  return { ...dated, id: changeId(dated), text: changeText(dated) };
}
