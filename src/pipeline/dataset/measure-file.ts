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
  /** Of each, the text of its numbers and its filter id. */
  readonly values: RowText[];
  readonly ids: number[];
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
  for (const slot of slots) {
    const id = idOf(slot.path);
    let values: RowText;
    if (slot.values instanceof TextValues) values = slot.values;
    else {
      const [finite, held] = finiteValues(slot.values);
      values = textOf(finite);
      clamped += held;
    }
    let date = dates.get(slot.date);
    if (date === undefined) dates.set(slot.date, (date = { values: [], ids: [], bytes: 0 }));
    date.values.push(values);
    date.ids.push(id);
    date.bytes += AROUND_ROW + values.end - values.start + digitsOf(id);
  }
  return { json: fileOf([...dates].toSorted(([a], [b]) => (a < b ? -1 : 1))), rows: slots.length, clamped };
}

const COMMA = 0x2c;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** Brackets, and the commas before the row and its id. */
const AROUND_ROW = 4;

function fileOf(dates: readonly (readonly [date: string, rows: DateRows])[]): Buffer {
  const heads = dates.map(([date], index) => Buffer.from(`${index === 0 ? '{' : '],'}"${date}":`));
  const length = dates.reduce((sum, [, { bytes }], index) => sum + bytes + (heads[index] as Buffer).length, 0);
  const json = Buffer.allocUnsafe(length + ENDS.length);
  let at = 0;
  for (const [index, [, { values, ids }]] of dates.entries()) {
    at += (heads[index] as Buffer).copy(json, at);
    for (let row = 0; row < values.length; row += 1) {
      const { bytes, start, end } = values[row] as RowText;
      // The first one begins the list of the date.
      json[at] = row === 0 ? OPEN : COMMA;
      json[at + 1] = OPEN;
      at += 2;
      at += bytes.copy(json, at, start, end);
      json[at] = COMMA;
      at = writeId(json, at + 1, ids[row] as number);
      json[at++] = CLOSE;
    }
  }
  return dates.length === 0 ? Buffer.from('{}') : json.fill(ENDS, at);
}

function digitsOf(id: number): number {
  let digits = 1;
  for (let rest = id; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  return digits;
}

/** @returns behind it */
function writeId(json: Buffer, at: number, id: number): number {
  const end = at + digitsOf(id);
  let rest = id;
  for (let place = end - 1; place >= at; place -= 1) {
    json[place] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
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
