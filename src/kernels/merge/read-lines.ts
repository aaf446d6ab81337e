/**
 * Reads lines of a result (docs/formats/results.md 4.1) into rows. What is written as this project or the original writes it
 * is read here; at anything else the host takes the rest of the line, with the parser that is the reference.
 */
import { newPath, newEnd, readRest } from './host';
import { MAX_ROW } from './memory';
import { after, isSmall, readElement } from './read-numbers';
import { addRow, beginRow, ends, filled, length, numberOf, numbers, paths, placeOf, places, setRow } from './rows';
import { find, hashOf, keep, nextSpecial, textOf } from './texts';

/** `at` is where the object begins, behind the value of a member, or behind the object. */
const AT_OBJECT: u32 = 0;
const AFTER_VALUE: u32 = 1;
const AFTER_OBJECT: u32 = 2;

/** Numbers of faults: places in `drops`. */
const BAD_VALUES: u32 = 3;
const EMPTY: u32 = 4;
const BAD_NUMBER: u32 = 5;
const CLAMPED: u32 = 6;
/** Aggregates left out, by fault; and statistics that were held within their limit. */
export const drops = memory.data(8 * 8);

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** `{"values` and `":`. */
const VALUES_HEAD: u64 = 0x7365756c6176227b;
const VALUES_TAIL: u16 = 0x3a22;

/** Longer ones are no paths: 1,024 units of at most six bytes. */
const MAX_PATH_BYTES: u32 = 6144;
/** Longer ends are read by the host, and so are those of which there are too many to keep. */
const MAX_END_BYTES: u32 = 1024;
export const MAX_ENDS: u32 = 1 << 16;
const MAX_SUM: f64 = 79228162514264337593543950336.0; // 2⁹⁶
/** Buckets and statistics beside the count: a row has one more. */
const TRAILER: u32 = 6;

/** Whether a number of the row is no small integer, so that it must be looked at. */
let isSpecial: bool = false;
/** Whether one of its numbers is larger than any double. */
let isInfinite: bool = false;
/** Reads without adding. */
let isTrial: bool = false;

function drop(fault: u32): void {
  if (!isTrial) store<u64>(drops + <usize>fault * 8, load<u64>(drops + <usize>fault * 8) + 1);
}

/** Adds the line whose object begins at `at`; there is LF at `end`. */
export function addLine(at: usize, end: usize): void {
  let p = at;
  if (load<u8>(p) != OPEN) {
    readRest(at, AT_OBJECT);
    return;
  }
  p += 1;
  if (load<u8>(p) == CLOSE) p += 1;
  else {
    let where = AT_OBJECT;
    let behind = at;
    while (true) {
      p = readMember(p);
      if (p == 0) {
        readRest(behind, where);
        return;
      }
      behind = p;
      where = AFTER_VALUE;
      const byte = load<u8>(p);
      p += 1;
      if (byte == COMMA) continue;
      if (byte == CLOSE) break;
      readRest(behind, where);
      return;
    }
  }
  if (p != end) readRest(p, AFTER_OBJECT);
}

/** @returns behind its value; 0, and nothing was added, when the host must read it */
function readMember(at: usize): usize {
  if (load<u8>(at) != QUOTE) return 0;
  const close = endOfText(at + 1);
  if (close == 0 || load<u8>(close + 1) != COLON) return 0;
  const textLength = <u32>(close - at - 1);
  if (textLength > MAX_PATH_BYTES) return 0;
  const path = pathAt(at + 1, textLength);
  const value = close + 2;
  if (load<u8>(value) != OPEN_LIST) return readAggregate(value, path);
  isTrial = true;
  const isGood = readList(value, path) != 0;
  isTrial = false;
  return isGood ? readList(value, path) : 0;
}

/** Aggregates of one path. */
function readList(at: usize, path: i32): usize {
  let p = at + 1;
  while (true) {
    p = readAggregate(p, path);
    if (p == 0) return 0;
    const byte = load<u8>(p);
    p += 1;
    if (byte == CLOSE_LIST) return p;
    if (byte != COMMA) return 0;
  }
}

/** The closing quote of the text that begins at `at`; 0 when there is none on the line. */
function endOfText(at: usize): usize {
  let p = at;
  while (true) {
    p = nextSpecial(p);
    const byte = load<u8>(p);
    if (byte == QUOTE) return p;
    if (byte < 0x20 || load<u8>(p + 1) < 0x20) return 0;
    p += 2;
  }
}

/** The number of a path, or minus the number of its fault. */
function pathAt(at: usize, textLength: u32): i32 {
  const hash = hashOf(at, textLength, paths.seed);
  const known = find(paths, at, textLength, hash);
  if (known != 0) return <i32>textOf(paths, known).meaning;
  const meaning = newPath(at, textLength);
  if (meaning < 0) return meaning;
  // The host may have kept it.
  let number = find(paths, at, textLength, hash);
  if (number == 0) {
    number = keep(paths, at, textLength, hash);
    if (meaning > 0) textOf(paths, number).meaning = meaning;
  }
  return <i32>textOf(paths, number).meaning;
}

/** @returns behind the aggregate; 0, and nothing was added, when the host must read it */
function readAggregate(at: usize, path: i32): usize {
  if (load<u64>(at) != VALUES_HEAD || load<u16>(at + 8) != VALUES_TAIL) return 0;
  let p = at + 10;
  if (load<u8>(p) == 0x20) p += 1;
  if (load<u8>(p) != OPEN_LIST) return 0;
  beginRow();
  isInfinite = false;
  p += 1;
  if (load<u8>(p) == CLOSE_LIST) p += 1;
  else {
    p = readValues(p);
    if (p == 0) return 0;
  }
  const end = endAt(p, path);
  if (end == 0) return 0;
  take(path, end);
  return p + textOf(ends, end).length;
}

/** Adds the row at hand, or counts why not. */
export function take(path: i32, end: u32): void {
  const fault = path < 0 ? <u32>-path : faultOfRow();
  if (fault != 0) {
    drop(fault);
    return;
  }
  if (isTrial) return;
  if (isSpecial) holdStatistics();
  addRow(<u32>path, end);
}

function faultOfRow(): u32 {
  if (isInfinite) return BAD_NUMBER;
  if (length == 0) return EMPTY;
  if (length > MAX_ROW) return BAD_VALUES;
  let fault: u32 = 0;
  if (isSpecial) {
    for (let index: u32 = 0; index < filled; index++) {
      const number = numberOf(index);
      // The count is looked at below.
      if (length > TRAILER && placeOf(index) < length - TRAILER && !isSum(number)) fault = BAD_VALUES;
    }
  }
  if (fault != 0 || length <= TRAILER || filled == 0 || placeOf(filled - 1) != length - 1) return BAD_VALUES;
  const count = numberOf(filled - 1);
  return count >= 1 && isSum(count) ? 0 : BAD_VALUES;
}

function isSum(value: f64): bool {
  return value >= 0 && value <= MAX_SUM && trunc(value) == value;
}

function holdStatistics(): void {
  for (let index: u32 = 0; index < filled; index++) {
    if (placeOf(index) < length - TRAILER || !(abs(numberOf(index)) > MAX_SUM)) continue;
    store<f64>(numbers + <usize>index * 8, numberOf(index) > 0 ? MAX_SUM : -MAX_SUM);
    drop(CLAMPED);
  }
}

/** The row at hand becomes that of the host, which wrote `newLength` numbers at `from`. */
export function takeNumbers(from: usize, newLength: u32): void {
  let count: u32 = 0;
  for (let place: u32 = 0; place < newLength; place++) {
    const number = load<f64>(from + <usize>place * 8);
    if (number == 0) continue;
    note(place, count, number);
    count += 1;
  }
  setRow(newLength, count);
  isSpecial = false;
  isInfinite = false;
}

function note(place: u32, index: u32, number: f64): void {
  store<u32>(places + <usize>index * 4, place);
  store<f64>(numbers + <usize>index * 8, number);
}

/** Reads numbers up to the closing bracket. @returns behind it; 0 when the host must read them */
function readValues(at: usize): usize {
  const zeros = i16x8.splat(0x2c30); // "0,"
  let p = at;
  let place: u32 = 0;
  let count: u32 = 0;
  isSpecial = false;
  isInfinite = false;
  while (true) {
    let equal = i16x8.bitmask(i16x8.eq(v128.load(p), zeros));
    while (equal == 0xff) {
      p += 16;
      place += 8;
      equal = i16x8.bitmask(i16x8.eq(v128.load(p), zeros));
    }
    const run = <u32>ctz(~equal);
    p += <usize>run * 2;
    place += run;
    const number = readElement(p);
    p = after;
    if (p == 0) return 0;
    if (!isSmall) {
      isSpecial = true;
      if (abs(number) == Infinity) isInfinite = true;
    }
    if (number != 0) {
      if (count < MAX_ROW) note(place, count, number);
      count += 1;
    }
    place += 1;
    const byte = load<u8>(p);
    p += 1;
    if (byte == CLOSE_LIST) break;
  }
  setRow(place, min(count, MAX_ROW));
  return p;
}

/** What follows the values at `at`, by its number; 0 when the host must read it. */
function endAt(at: usize, path: i32): u32 {
  if (path > 0) {
    const last = textOf(paths, path).end;
    if (last != 0) {
      const text = textOf(ends, last);
      if (areEqualAt(text.at, at, text.length)) return last;
    }
  }
  const textLength = endLength(at);
  if (textLength == 0) return 0;
  const hash = hashOf(at, textLength, ends.seed);
  let end = find(ends, at, textLength, hash);
  if (end == 0) {
    if (ends.count >= MAX_ENDS) return 0;
    const digits = newEnd(at, textLength);
    end = keep(ends, at, textLength, hash);
    const text = textOf(ends, end);
    text.buildDigits = digits;
    if (digits == 0) text.meaning = 0;
  }
  if (textOf(ends, end).meaning == 0) return 0;
  if (path > 0) textOf(paths, path).end = end;
  return end;
}

/** Bytes up to the next closing brace; 0 when it is far. */
function endLength(at: usize): u32 {
  const close = i8x16.splat(CLOSE);
  for (let place: u32 = 0; place < MAX_END_BYTES; place += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at + place), close));
    if (found != 0) return place + <u32>ctz(found) + 1;
  }
  return 0;
}

function areEqualAt(a: usize, b: usize, textLength: u32): bool {
  let place: u32 = 0;
  while (place + 16 <= textLength) {
    if (v128.any_true(v128.xor(v128.load(a + place), v128.load(b + place)))) return false;
    place += 16;
  }
  const differ = i8x16.bitmask(i8x16.ne(v128.load(a + place), v128.load(b + place)));
  return (differ & ((1 << (textLength - place)) - 1)) == 0;
}
