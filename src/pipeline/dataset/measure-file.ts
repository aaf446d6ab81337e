/**
 * The text of `<MEASURE>-by-build-date.json` and `<MEASURE>-by-submission-date.json` (docs/formats/published.md 5.2).
 */
import type { RowValues, Slot } from '../aggregates/slot.ts';
import { TextValues } from '../aggregates/text-values.ts';

export interface MeasureFile {
  readonly json: string;
  readonly rows: number;
  /** Numbers that JSON cannot hold and that were written as ± the largest double, or 0 for "not a number". */
  readonly clamped: number;
}

/**
 * Writes `{date: [[…values, filter id], …]}`: dates ascending, the rows of a date in the order of the slots.
 * @param slots of one measure and by-date, all of one row length, at most one per path and date
 * @param idOf the filter id of a path; asked in the order of the slots
 */
export function measureFile(slots: Iterable<Slot>, idOf: (path: string) => number): MeasureFile {
  const dates = new Map<string, string[]>();
  let rows = 0;
  let clamped = 0;
  for (const slot of slots) {
    const [values, held] = finiteValues(slot.values);
    clamped += held;
    const row = `[${values.join(',')},${idOf(slot.path)}]`;
    const rowsOfDate = dates.get(slot.date);
    if (rowsOfDate === undefined) dates.set(slot.date, [row]);
    else rowsOfDate.push(row);
    rows += 1;
  }
  const sorted = [...dates].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { json: `{${sorted.map(([date, list]) => `"${date}":[${list.join(',')}]`).join(',')}}`, rows, clamped };
}

/** @returns the values, and how many had to be replaced */
function finiteValues(values: RowValues): [RowValues, number] {
  // Text is of finite numbers only.
  if (values instanceof TextValues) return [values, 0];
  if (values.every(Number.isFinite)) return [values, 0];
  const held = Float64Array.from(values, finite);
  return [held, held.filter((value, index) => !Object.is(value, values[index])).length];
}

function finite(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}
