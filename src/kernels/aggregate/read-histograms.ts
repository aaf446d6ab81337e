/**
 * Reads the `histograms` of a submission (docs/formats/submissions.md 3.5) and notes them until the submission is known to
 * be good. Reads what browsers write: members `"NAME":[n,n,…]`, with a blank behind a colon or comma or without. Anything
 * else the host reads, by the reader that is the reference.
 */
import { MAX_ROW, take } from '../merge/memory';
import { after, isSmall, readElement } from '../merge/read-numbers';
import { useRow } from '../merge/rows';
import { behindComma, behindName, nameLength } from './members';
import { findName, nameOf } from './names';
import { addSum } from './sums';

const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const BLANK: u8 = 0x20;

/** Shortest kind: three buckets and five statistics. */
const MIN_LENGTH: u32 = 8;
const STATISTICS: u32 = 5;
const MAX_COUNT: f64 = 4294967295;
const MAX_STATISTIC: f64 = 9007199254740991;

@unmanaged
class Noted {
  /** 0 for a name that is too long. */
  name: u32;
  /** Numbers, with the count of 1 that is put behind them; 0 for no histogram. */
  length: u32;
  /** Its numbers that are not 0: the first one's place among all that are noted, and how many. */
  start: u32;
  filled: u32;
}

const NOTED_BYTES: usize = offsetof<Noted>();
const MAX_NAMES: u32 = 4000;

let noted: usize = 0;
export let notedCount: u32 = 0;
let places: usize = 0;
let numbers: usize = 0;
let used: u32 = 0;
let longest: u32 = 0;
let record: u32 = 0;

/** Names that are no measures, and histograms that break a rule, of the submission that was added last. */
export let badNames: u32 = 0;
export let badHistograms: u32 = 0;
/** The names of the latter. */
export let badList: usize = 0;

/** @param lineBytes of the longest line: a number has two bytes at least */
export function layOutNoted(lineBytes: usize, maxLength: u32): void {
  longest = min(maxLength, MAX_ROW - 1);
  noted = take((<usize>MAX_NAMES + 1) * NOTED_BYTES);
  badList = take((<usize>MAX_NAMES + 1) * 4);
  places = take((lineBytes / 2 + MAX_NAMES + MAX_ROW) * 4);
  numbers = take((lineBytes / 2 + MAX_NAMES + MAX_ROW) * 8);
}

export function notedBytes(lineBytes: usize): usize {
  return (lineBytes / 2 + MAX_NAMES + MAX_ROW) * 12 + <usize>MAX_NAMES * (NOTED_BYTES + 4) + 8192;
}

/** Forgets what was noted. */
export function beginNoting(): void {
  notedCount = 0;
  used = 0;
}

/** Reads the object at `at`. @returns behind it; 0 when the host must read it, from its start */
export function readHistograms(at: usize, channelVersion: u32): usize {
  let p = at + 1;
  if (load<u8>(at) != OPEN) return 0;
  if (load<u8>(p) == CLOSE) return p + 1;
  while (true) {
    const value = notedCount < MAX_NAMES ? behindName(p) : 0;
    if (value == 0 || load<u8>(value) != OPEN_LIST) return 0;
    p = readNumbers(value + 1, findName(p + 1, nameLength, channelVersion));
    if (p == 0) return 0;
    if (load<u8>(p) == CLOSE) return p + 1;
    p = behindComma(p);
    if (p == 0) return 0;
  }
}

/** Notes the histogram whose first number is at `at`. @returns behind its bracket; 0 when the host must read it */
function readNumbers(at: usize, name: u32): usize {
  const tight = i16x8.splat(0x2c30); // "0,"
  const spaced = i8x16(0x30, 0x2c, 0x20, 0x30, 0x2c, 0x20, 0x30, 0x2c, 0x20, 0x30, 0x2c, 0x20, 0x30, 0x2c, 0x20, 0);
  const first = used;
  let p = at;
  let place: u32 = 0;
  let isSpecial = false;
  let isGood = true;
  while (true) {
    if (load<u16>(p) == 0x2c30) {
      const isSpaced = load<u8>(p + 2) == BLANK;
      const step: u32 = isSpaced ? 3 : 2;
      const all: u32 = isSpaced ? 5 : 8;
      while (true) {
        const bytes = v128.load(p);
        const equal = isSpaced
          ? (<u32>i8x16.bitmask(i8x16.eq(bytes, spaced))) & 0x7fff
          : <u32>i8x16.bitmask(i16x8.eq(bytes, tight));
        const run = <u32>ctz(~equal) / step;
        p += run * step;
        place += run;
        if (run < all) break;
      }
    }
    const number = readElement(p);
    p = after;
    if (p == 0) return 0;
    if (!isSmall) {
      isSpecial = true;
      if (abs(number) == Infinity) isGood = false;
    }
    if (number != 0) note(place, number);
    place += 1;
    const byte = load<u8>(p);
    p += 1;
    if (byte == CLOSE_LIST) break;
    if (load<u8>(p) == BLANK) p += 1;
  }
  isGood = isGood && place >= MIN_LENGTH && place <= longest && (!isSpecial || areGood(first, place));
  keep(name, first, isGood ? place : 0);
  return p;
}

function note(place: u32, number: f64): void {
  store<u32>(places + <usize>used * 4, place);
  store<f64>(numbers + <usize>used * 8, number);
  used += 1;
}

/** Buckets are what a browser counts; statistics are exact. */
function areGood(first: u32, length: u32): boolean {
  const statistics = length - STATISTICS;
  for (let index = first; index < used; index++) {
    const number = load<f64>(numbers + <usize>index * 8);
    if (load<u32>(places + <usize>index * 4) >= statistics) {
      if (!(abs(number) <= MAX_STATISTIC)) return false;
    } else if (!(number >= 0 && number <= MAX_COUNT) || trunc(number) != number) return false;
  }
  return true;
}

/** @param length of the numbers; 0 for no histogram */
function keep(name: u32, first: u32, length: u32): void {
  const entry = changetype<Noted>(noted + <usize>notedCount * NOTED_BYTES);
  notedCount += 1;
  entry.name = name;
  if (length > 0) note(length, 1);
  else used = first;
  entry.length = length > 0 ? length + 1 : 0;
  entry.start = first;
  entry.filled = used - first;
}

/** Notes a histogram that the host has read: `length` numbers at `from`, or 0 for none that is good. */
export function noteHistogram(name: u32, from: usize, length: u32): void {
  const first = used;
  for (let place: u32 = 0; place < length; place++) {
    const number = load<f64>(from + <usize>place * 8);
    if (number != 0) note(place, number);
  }
  keep(name, first, length >= MIN_LENGTH && length <= longest && areGood(first, length) ? length : 0);
}

/** Adds what was noted. Of a histogram that comes twice the last one counts, even when it is bad. */
export function addHistograms(path: u32, source: u32, end: u32): void {
  record += 1;
  badNames = 0;
  badHistograms = 0;
  for (let index = notedCount; index > 0; index--) {
    const entry = changetype<Noted>(noted + <usize>(index - 1) * NOTED_BYTES);
    const name = nameOf(entry.name);
    if (entry.name == 0 || !name.isMeasure) {
      badNames += 1;
      continue;
    }
    if (name.record == record) continue;
    name.record = record;
    if (entry.length == 0) {
      store<u32>(badList + <usize>badHistograms * 4, entry.name);
      badHistograms += 1;
      continue;
    }
    useRow(places + <usize>entry.start * 4, numbers + <usize>entry.start * 8, entry.length, entry.filled);
    addSum(entry.name, name, path, source, end);
  }
  notedCount = 0;
  used = 0;
}
