/** The rows of one key: its sums by path and length, by the merge rule (docs/formats/results.md 4.3). */
import { orderOfEnds } from './host';
import { demand, MAX_ROW, take } from './memory';
import { compareBytes, Text, textOf, Texts } from './texts';

@unmanaged
export class Row {
  path: u32;
  end: u32;
  length: u32;
  /** The next row of the path, of another length; 0 for none. */
  next: usize;
}

export const VALUES: usize = offsetof<Row>();

/** What a row takes of the arena. */
export function rowBytes(numbers: u32): usize {
  return (VALUES + <usize>numbers * 8 + 15) & ~15;
}

const MISSING: f64 = -1;
const COUNT: u32 = 1;
const SUM: u32 = 6;

/** `,"buildId":"` and `","revision":"` of an end. */
export const BUILD_AT: u32 = 12;
export const REVISION_AFTER_BUILD: u32 = 14;

export let paths: Texts = changetype<Texts>(0);
export let ends: Texts = changetype<Texts>(0);
/** Of the row at hand: how many numbers, and those that are not 0. */
export let length: u32 = 0;
export let filled: u32 = 0;
export let places: usize = 0;
export let numbers: usize = 0;
let statistics: usize = 0;

/** Rows one behind the other, and the bytes that they take. */
export let arena: usize = 0;
export let used: usize = 0;
export let rowCount: u32 = 0;
let key: u32 = 0;
let isSimple: bool = false;
/** Statistics that only one side of an addition had, and how often one counts. */
export let mixedStatistics: u64 = 0;
let weight: u64 = 1;

export function useTexts(pathTexts: Texts, endTexts: Texts): void {
  paths = pathTexts;
  ends = endTexts;
}

/** The arena is the last region, since it grows. */
export function layOutRows(): void {
  places = take(<usize>MAX_ROW * 4);
  numbers = take(<usize>MAX_ROW * 8);
  statistics = take(8 * 8);
  arena = take(0);
}

/** The row at hand is what the caller has noted at these places. */
export function useRow(placesAt: usize, numbersAt: usize, newLength: u32, newFilled: u32): void {
  places = placesAt;
  numbers = numbersAt;
  setRow(newLength, newFilled);
}

/** @param simple the sum of a simple measure has no mark for missing */
export function useRule(simple: bool, newWeight: u64): void {
  isSimple = simple;
  weight = newWeight;
}

export function beginRow(): void {
  length = 0;
  filled = 0;
}

export function setRow(newLength: u32, newFilled: u32): void {
  length = newLength;
  filled = newFilled;
}

/**
 * Begins an empty table.
 * @param simple the sum of a simple measure has no mark for missing
 */
export function beginRows(simple: bool): void {
  isSimple = simple;
  // Rows of paths point into the arena: by another key they are not seen.
  key += 1;
  used = 0;
  rowCount = 0;
}

export function tableBytes(): usize {
  return used;
}

/** Adds the row at hand to that of its path and length. */
export function addRow(pathNumber: u32, end: u32): void {
  const path = textOf(paths, pathNumber);
  const first: usize = path.key == key ? path.row : 0;
  let at = first;
  while (at != 0) {
    const row = changetype<Row>(at);
    if (row.length == length) {
      addTo(row, end);
      return;
    }
    at = row.next;
  }
  at = newRow(pathNumber, end, first);
  path.key = key;
  path.row = at;
}

function newRow(path: u32, end: u32, next: usize): usize {
  const at = arena + used;
  const bytes = rowBytes(length);
  demand(at + bytes);
  used += bytes;
  rowCount += 1;
  const row = changetype<Row>(at);
  row.path = path;
  row.end = end;
  row.length = length;
  row.next = next;
  const values = at + VALUES;
  fillRow(values);
  return at;
}

/** Writes the row at hand, zeros included. */
export function fillRow(values: usize): void {
  memory.fill(values, 0, <usize>length * 8);
  for (let index: u32 = 0; index < filled; index++) {
    store<f64>(values + <usize>placeOf(index) * 8, numberOf(index));
  }
}

export function placeOf(index: u32): u32 {
  return load<u32>(places + <usize>index * 4);
}

export function numberOf(index: u32): f64 {
  return load<f64>(numbers + <usize>index * 8);
}

/** Adds the row at hand. */
export function addTo(row: Row, end: u32): void {
  const values = changetype<usize>(row) + VALUES;
  // The sum of a simple measure may really be −1.
  const firstStatistic = isSimple ? length - SUM + 1 : length - SUM;
  const last = length - COUNT;
  let index: u32 = 0;
  for (; index < filled && placeOf(index) < firstStatistic; index++) {
    const at = values + <usize>placeOf(index) * 8;
    store<f64>(at, load<f64>(at) + numberOf(index));
  }
  for (let at: usize = 0; at < 64; at += 16) v128.store(statistics + at, i64x2.splat(0));
  for (; index < filled; index++)
    store<f64>(statistics + <usize>(placeOf(index) - firstStatistic) * 8, numberOf(index));
  for (let place = firstStatistic; place < last; place++) {
    const at = values + <usize>place * 8;
    const x = load<f64>(at);
    const y = load<f64>(statistics + <usize>(place - firstStatistic) * 8);
    if (x != MISSING && y != MISSING) store<f64>(at, x + y);
    else if (x != y) {
      mixedStatistics += weight;
      if (x == MISSING) store<f64>(at, y);
    }
  }
  const at = values + <usize>last * 8;
  store<f64>(at, load<f64>(at) + load<f64>(statistics + <usize>(last - firstStatistic) * 8));
  if (row.end != end && compareEnds(row.end, end) < 0) row.end = end;
}

/** By build id, then by revision. */
function compareEnds(a: u32, b: u32): i32 {
  const x = textOf(ends, a);
  const y = textOf(ends, b);
  if (x.odd != 0 || y.odd != 0) return orderOfEnds(a, b);
  const byBuild = compareBytes(x.at + BUILD_AT, x.buildDigits, y.at + BUILD_AT, y.buildDigits);
  if (byBuild != 0) return byBuild;
  return compareBytes(x.at + revisionAt(x), revisionLength(x), y.at + revisionAt(y), revisionLength(y));
}

export function revisionAt(end: Text): u32 {
  return BUILD_AT + end.buildDigits + REVISION_AFTER_BUILD;
}

/** Without the quotes. */
export function revisionLength(end: Text): u32 {
  return end.length - revisionAt(end) - 2;
}
