/** The rows of one key: its sums by path and length, by the merge rule (docs/formats/results.md 4.3). */
import { orderOfEnds, orderOfPaths } from './host';
import { demand, MAX_ROW, take } from './memory';
import { Text, textOf, Texts } from './texts';

@unmanaged
export class Row {
  path: u32;
  end: u32;
  length: u32;
  /** The next row of the path, of another length; 0 for none. */
  next: usize;
}

export const VALUES: usize = offsetof<Row>();

const MISSING: f64 = -1;
const COUNT: u32 = 1;
const SUM: u32 = 6;

/** `,"buildId":"` and `","revision":"` of an end. */
export const BUILD_AT: u32 = 12;
export const REVISION_AFTER_BUILD: u32 = 14;
const DATE_BYTES: u32 = 8;

export let paths: Texts = changetype<Texts>(0);
export let ends: Texts = changetype<Texts>(0);
/** Of the row at hand: how many numbers, and those that are not 0. */
export let length: u32 = 0;
export let filled: u32 = 0;
export let places: usize = 0;
export let numbers: usize = 0;
let statistics: usize = 0;

let arena: usize = 0;
let used: usize = 0;
export let rowCount: u32 = 0;
/** The rows in order, after `sortRows`. */
export let sorted: usize = 0;
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
  const bytes = VALUES + <usize>length * 8;
  demand(at + bytes);
  used += (bytes + 15) & ~15;
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
  memory.fill(statistics, 0, 8 * 8);
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

function compareBytes(a: usize, lengthOfA: u32, b: usize, lengthOfB: u32): i32 {
  const common = min(lengthOfA, lengthOfB);
  let place: u32 = 0;
  while (place < common) {
    let differ = i8x16.bitmask(i8x16.ne(v128.load(a + place), v128.load(b + place)));
    const left = common - place;
    if (left < 16) differ &= (1 << left) - 1;
    if (differ != 0) {
      const at = place + <u32>ctz(differ);
      return <i32>load<u8>(a + at) - <i32>load<u8>(b + at);
    }
    place += 16;
  }
  return <i32>lengthOfA - <i32>lengthOfB;
}

/** Slot order: path after the date, date, length. */
function compareRows(a: usize, b: usize): i32 {
  const x = changetype<Row>(a);
  const y = changetype<Row>(b);
  if (x.path == y.path) return <i32>x.length - <i32>y.length;
  const pathOfX = textOf(paths, x.path);
  const pathOfY = textOf(paths, y.path);
  if (pathOfX.odd != 0 || pathOfY.odd != 0) return orderOfPaths(x.path, y.path);
  const behind = DATE_BYTES + 1;
  const byPath = compareBytes(
    pathOfX.at + behind,
    pathOfX.length - behind,
    pathOfY.at + behind,
    pathOfY.length - behind,
  );
  return byPath != 0 ? byPath : compareBytes(pathOfX.at, DATE_BYTES, pathOfY.at, DATE_BYTES);
}

const RUN: u32 = 8;

/** Puts the rows in order: runs by insertion, which are then merged. */
export function sortRows(): void {
  let from = arena + used;
  const bytes = <usize>rowCount * 4;
  let to = from + ((bytes + 15) & ~15);
  demand(to + bytes);
  let row = arena;
  for (let index: u32 = 0; index < rowCount; index++) {
    const start = index - (index % RUN);
    let place = index;
    while (place > start) {
      const before = load<u32>(from + <usize>(place - 1) * 4);
      if (compareRows(before, row) <= 0) break;
      store<u32>(from + <usize>place * 4, before);
      place -= 1;
    }
    store<u32>(from + <usize>place * 4, <u32>row);
    row += (VALUES + <usize>changetype<Row>(row).length * 8 + 15) & ~15;
  }
  for (let width = RUN; width < rowCount; width *= 2) {
    for (let start: u32 = 0; start < rowCount; start += 2 * width) {
      mergeRuns(from, to, start, min(start + width, rowCount), min(start + 2 * width, rowCount));
    }
    const swap = from;
    from = to;
    to = swap;
  }
  sorted = from;
}

function mergeRuns(from: usize, to: usize, start: u32, middle: u32, end: u32): void {
  let left = start;
  let right = middle;
  for (let index = start; index < end; index++) {
    const isLeft =
      left < middle &&
      (right == end || compareRows(load<u32>(from + <usize>left * 4), load<u32>(from + <usize>right * 4)) <= 0);
    const source = isLeft ? left++ : right++;
    store<u32>(to + <usize>index * 4, load<u32>(from + <usize>source * 4));
  }
}
