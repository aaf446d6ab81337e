/**
 * The text of `<MEASURE>-by-build-date.json` and `<MEASURE>-by-submission-date.json` (docs/formats/published.md 5.2).
 */
import type { RowValues, Slot } from '../aggregates/slot.ts';
import { TextValues } from '../aggregates/text-values.ts';

export interface MeasureFile {
  /** UTF-8. */
  readonly json: Buffer;
  readonly rows: number;
  /** Numbers that JSON cannot hold and that were written as ± the largest double, or 0 for "not a number". */
  readonly clamped: number;
}

/** Rows of a date, as they are written. */
interface DateRows {
  /** Of each, text with its numbers and `,id]`, one behind the other. */
  readonly values: RowText[];
  readonly ends: Buffer[];
  /** Of the rows, with the brackets and commas around them. */
  bytes: number;
}

type RowText = Pick<TextValues, 'bytes' | 'start' | 'end'>;

/**
 * Writes `{date: [[…values, filter id], …]}`: dates ascending, the rows of a date in the order of the slots.
 * @param slots of one measure and by-date, all of one row length, at most one per path and date
 * @param idOf the filter id of a path; asked in the order of the slots
 */
export function measureFile(slots: readonly Slot[], idOf: (path: string) => number): MeasureFile {
  const dates = new Map<string, DateRows>();
  let clamped = 0;
  let path: string | undefined;
  let end = NONE;
  for (const slot of slots) {
    if (slot.path !== path) {
      path = slot.path;
      end = Buffer.from(`,${idOf(path)}]`);
    }
    let values: RowText;
    if (slot.values instanceof TextValues) values = slot.values;
    else {
      const [finite, held] = finiteValues(slot.values);
      values = textOf(finite);
      clamped += held;
    }
    let date = dates.get(slot.date);
    if (date === undefined) dates.set(slot.date, (date = { values: [], ends: [], bytes: 0 }));
    date.values.push(values);
    date.ends.push(end);
    date.bytes += 2 + values.end - values.start + end.length;
  }
  return { json: fileOf([...dates].toSorted(([a], [b]) => (a < b ? -1 : 1))), rows: slots.length, clamped };
}

const NONE = Buffer.alloc(0);
const OPEN = 0x5b;
const COMMA = 0x2c;

function fileOf(dates: readonly (readonly [date: string, rows: DateRows])[]): Buffer {
  const heads = dates.map(([date], index) => Buffer.from(`${index === 0 ? '{' : '],'}"${date}":`));
  const length = dates.reduce((sum, [, { bytes }], index) => sum + bytes + (heads[index] as Buffer).length, 0);
  const json = Buffer.allocUnsafe(length + ENDS.length);
  let at = 0;
  for (const [index, [, { values, ends }]] of dates.entries()) {
    at += (heads[index] as Buffer).copy(json, at);
    for (let row = 0; row < values.length; row += 1) {
      const { bytes, start, end } = values[row] as RowText;
      // The first one begins the list of the date.
      json[at] = row === 0 ? OPEN : COMMA;
      json[at + 1] = OPEN;
      at += 2;
      at += bytes.copy(json, at, start, end);
      at += (ends[row] as Buffer).copy(json, at);
    }
  }
  return dates.length === 0 ? Buffer.from('{}') : json.fill(ENDS, at);
}

/** Of the last date's list, and of the file. */
const ENDS = ']}';

function textOf(numbers: Numbers): RowText {
  const bytes = Buffer.from(numbers.join(','));
  return { bytes, start: 0, end: bytes.length };
}

type Numbers = Exclude<RowValues, TextValues>;

/** @returns the values, and how many had to be replaced */
function finiteValues(values: Numbers): [Numbers, number] {
  if (values.every(Number.isFinite)) return [values, 0];
  const held = Float64Array.from(values, finite);
  return [held, held.filter((value, index) => !Object.is(value, values[index])).length];
}

function finite(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}
