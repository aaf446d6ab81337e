/**
 * Summaries of published files of a measure: the text of such a file (docs/formats/published.md 5.2) → the text of its summary
 * (5.10). The host is `src/kernels/summary-kernel.ts`; the reference, which takes five times as long and so a fifth of all of
 * a render, is `src/pipeline/dataset/summary.ts`.
 *
 * Grammar, without blanks, as `measure-file.ts` writes it: `{"YYYYMMDD":[[n,…,id],…],…}`, all rows of one length, numbers as
 * JSON has them. Anything else ends in a trap: the file is of this project, made a moment ago. Rows may have up to MAX_ROW
 * numbers; the host leaves longer ones to the reference.
 *
 * Memory: tables of constants, the sums of one date, what is known of the dates of a call, the output, and then the file,
 * for which the memory grows.
 */
import { demand, MAX_ROW, prepare, take } from '../merge/memory';
import { layOutPowers, powers } from '../merge/powers';
import { after, readElement } from '../merge/read-numbers';
import { makePairs, writeNumber } from '../merge/write-numbers';

export { numberEndsAt } from '../merge/read-numbers';

/** Statistics and count behind the buckets of a row. */
const TRAILER: u32 = 6;
const MISSING: f64 = -1;
const LARGEST: f64 = f64.MAX_VALUE;

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const OPEN: u8 = 0x5b;
const CLOSE: u8 = 0x5d;
/** `0,` and four of them. */
const ZERO: u16 = 0x2c30;
const ZEROS: u64 = 0x2c302c302c302c30;

/** `"YYYYMMDD":` */
const DATE_BYTES: usize = 11;
/** The longest number, and a comma. */
const NUMBER_BYTES: usize = 26;
const OUTPUT_BYTES: usize = 256 << 10;
/** So many fit, with the sums of the longest row behind them. */
const MAX_DATES: u32 = 1024;

/** Of a date: its digits, its hits, its recorded sum, its submissions. */
@unmanaged
class DateSum {
  date: u64;
  hits: f64;
  sum: f64;
  submissions: f64;
}

const DATE_SUM: usize = offsetof<DateSum>();

let sums: usize = 0;
let dates: usize = 0;
let output: usize = 0;
let input: usize = 0;
let dateCount: u32 = 0;
let written: usize = 0;

/** Lays out the memory; the host fills the powers of ten. */
export function setUp(): void {
  prepare(OUTPUT_BYTES + <usize>MAX_ROW * (NUMBER_BYTES + 8));
  makePairs();
  layOutPowers();
  sums = take(<usize>MAX_ROW * 8);
  dates = take(<usize>MAX_DATES * DATE_SUM);
  output = take(OUTPUT_BYTES + DATE_BYTES + 2 + <usize>MAX_ROW * NUMBER_BYTES);
  input = take(0);
}

export function powersAt(): usize {
  return powers;
}
export function maxRow(): u32 {
  return MAX_ROW;
}
export function outputAt(): usize {
  return output;
}
export function outputBytes(): usize {
  return written;
}
export function datesAt(): usize {
  return dates;
}
export function summedDates(): u32 {
  return dateCount;
}

/** @returns where a file of so many bytes goes */
export function fileAt(bytes: usize): usize {
  demand(input + bytes);
  return input;
}

/**
 * Sums dates, as many as there is room for, and writes `"YYYYMMDD":[…],` for each.
 * @param at where the first one begins
 * @param length of the rows, without the filter id
 * @param simple the sums of the rows have no mark for missing
 * @returns where the next one begins; 0 behind the last one
 */
export function summarise(at: usize, length: u32, simple: bool): usize {
  let p = at;
  let out = output;
  dateCount = 0;
  while (load<u8>(p) == QUOTE) {
    if (dateCount == MAX_DATES || out - output > OUTPUT_BYTES) {
      written = out - output;
      return p;
    }
    const date = changetype<DateSum>(dates + <usize>dateCount * DATE_SUM);
    dateCount += 1;
    date.date = load<u64>(p, 1);
    memory.copy(out, p, DATE_BYTES);
    p = addRows(p + DATE_BYTES, length, simple ? length - TRAILER + 1 : length - TRAILER);
    note(date, length);
    out = writeSums(out + DATE_BYTES, length);
    if (load<u8>(p) == COMMA) p += 1;
  }
  written = out - output;
  return 0;
}

/** @returns behind the list that begins at `at` */
function addRows(at: usize, length: u32, firstStatistic: u32): usize {
  memory.fill(sums, 0, <usize>length * 8);
  let p = at;
  let isFirst = true;
  do {
    p = addRow(p + 2, length, firstStatistic, isFirst);
    isFirst = false;
    while (load<u8>(p) != CLOSE) p += 1;
    p += 1;
    // Each row has a bracket before it, and the one of the list or a comma before that.
  } while (load<u8>(p) == COMMA);
  return p + 1;
}

/** @returns where the filter id begins */
function addRow(at: usize, length: u32, firstStatistic: u32, isFirst: bool): usize {
  let p = at;
  let place: u32 = 0;
  while (place < firstStatistic) {
    if (load<u16>(p) == ZERO) {
      if (load<u64>(p) == ZEROS && place + 4 <= firstStatistic) {
        p += 8;
        place += 4;
      } else {
        p += 2;
        place += 1;
      }
      continue;
    }
    const number = next(p);
    const sum = sums + ((<usize>place) << 3);
    store<f64>(sum, load<f64>(sum) + number);
    p = after + 1;
    place += 1;
  }
  for (; place < length; place++) {
    const y = next(p);
    p = after + 1;
    const sum = sums + ((<usize>place) << 3);
    const x = load<f64>(sum);
    if (isFirst || (x == MISSING && place + 1 < length)) store<f64>(sum, y);
    else if (y != MISSING || place + 1 == length) store<f64>(sum, x + y);
  }
  return p;
}

function next(at: usize): f64 {
  const number = readElement(at);
  if (after == 0) unreachable();
  return number;
}

function note(date: DateSum, length: u32): void {
  let hits: f64 = 0;
  const buckets = length - TRAILER;
  for (let place: u32 = 0; place < length; place++) {
    const at = sums + ((<usize>place) << 3);
    const sum = load<f64>(at);
    // Sums that overflowed are held at the largest double.
    if (!(abs(sum) <= LARGEST)) store<f64>(at, sum > 0 ? LARGEST : sum < 0 ? -LARGEST : 0);
    if (place < buckets) hits += load<f64>(at);
  }
  date.hits = hits;
  date.sum = load<f64>(sums + ((<usize>buckets) << 3));
  date.submissions = load<f64>(sums + ((<usize>length - 1) << 3));
}

function writeSums(at: usize, length: u32): usize {
  store<u8>(at, OPEN);
  let p = at + 1;
  for (let place: u32 = 0; place < length; place++) {
    const number = load<f64>(sums + ((<usize>place) << 3));
    if (number == 0) {
      store<u16>(p, ZERO);
      p += 2;
      continue;
    }
    p = writeNumber(p, number);
    store<u8>(p, COMMA);
    p += 1;
  }
  store<u8>(p - 1, CLOSE);
  store<u8>(p, COMMA);
  return p + 1;
}
