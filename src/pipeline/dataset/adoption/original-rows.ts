/**
 * Rows of the original as slots. It kept build and revision per measure, not per row, and showed rows of one length only. So
 * rows of that length get the measure's newest build: they win over older builds and give way to newer ones as they did there
 * (docs/formats/published.md 5.3). Rows of any other length get none, so that they never win: no client could read
 * them.
 */
import { sumSlots } from '../../aggregates/part-line.ts';
import { holdFinite } from '../../aggregates/merge-rule.ts';
import { MAX_PATH, MAX_ROW } from '../../aggregates/row-limits.ts';
import { type ByDate, type Slot, TRAILER } from '../../aggregates/slot.ts';
import { compareText } from '../../text-order.ts';
import { isFilterPath } from '../filter-tree.ts';
import type { FaultCounts } from './faults.ts';
import type { OriginalMeasure } from './original-folder.ts';

/** The minimum: two buckets and six numbers. */
const MIN_ROW = 2 + TRAILER;
const DATE = /^\d{8}$/;

/**
 * The slots of one by-date file, in slot order, without repeats. Invalid rows are counted in `faults`.
 * @param json the parsed file: `{date: [[…values, filter id], …]}`
 */
export function slotsOfFile(
  measure: OriginalMeasure,
  byDate: ByDate,
  json: unknown,
  paths: ReadonlyMap<number, string>,
  faults: FaultCounts,
): Slot[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    faults.add('bad_json', measure.measure);
    return [];
  }
  const slots: Slot[] = [];
  for (const [date, rows] of Object.entries(json)) {
    if (!DATE.test(date)) faults.add('bad_date', measure.measure, Array.isArray(rows) ? rows.length : 1);
    else if (!Array.isArray(rows)) faults.add('bad_row', measure.measure);
    else
      for (const row of rows as unknown[]) {
        const slot = slotOf(measure, byDate, date, row, paths, faults);
        if (slot !== undefined) slots.push(slot);
      }
  }
  slots.sort((a, b) => compareText(a.path, b.path) || compareText(a.date, b.date) || a.values.length - b.values.length);
  return withoutRepeats(slots, faults);
}

function slotOf(
  { measure, buildId, revision, length }: OriginalMeasure,
  byDate: ByDate,
  date: string,
  row: unknown,
  paths: ReadonlyMap<number, string>,
  faults: FaultCounts,
): Slot | undefined {
  if (!isRow(row)) {
    faults.add('bad_row', measure);
    return undefined;
  }
  const path = paths.get(row.at(-1) ?? NaN);
  if (path === undefined || path.length > MAX_PATH || !isFilterPath(path)) {
    faults.add('unknown_filter', measure);
    return undefined;
  }
  // A null, the original's "not a number", counts as 0, as in the client.
  const values = Float64Array.from(row.slice(0, -1), (value) => value ?? 0);
  const held = holdFinite(values);
  if (held > 0) faults.add('clamped_sum', measure, held);
  const isShown = length === undefined || values.length === length;
  if (!isShown) faults.add('other_length', measure);
  const build = isShown ? { buildId, revision } : { buildId: '', revision: '' };
  return { measure, byDate, path, date, values, ...build };
}

function isRow(row: unknown): row is (number | null)[] {
  return (
    Array.isArray(row) &&
    row.length > MIN_ROW &&
    row.length <= MAX_ROW + 1 &&
    typeof row.at(-1) === 'number' &&
    row.every((value) => value === null || typeof value === 'number')
  );
}

/** The client adds rows that come twice, so they are added here. */
function withoutRepeats(sorted: readonly Slot[], faults: FaultCounts): Slot[] {
  const slots: Slot[] = [];
  for (const slot of sorted) {
    const last = slots.at(-1);
    const isRepeat = last?.path === slot.path && last.date === slot.date && last.values.length === slot.values.length;
    if (!isRepeat) slots.push(slot);
    else {
      faults.add('duplicate_row', slot.measure);
      slots[slots.length - 1] = sumSlots([last, slot]);
    }
  }
  return slots;
}
