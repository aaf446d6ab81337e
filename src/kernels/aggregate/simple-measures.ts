/**
 * Simple measurements (docs/formats/submissions.md 3.6): notes the numbers of a submission until it is known to be good, then adds
 * each as a histogram of one value.
 */
import { take } from '../merge/memory';
import { useRow } from '../merge/rows';
import { clearTexts, find, hashOf, keep, makeTexts, Texts, textOf, textsBytes } from '../merge/texts';
import { logOf } from './host';
import { findName, MAX_NAME, nameOf } from './names';
import { addSum } from './sums';

const LF: u8 = 0x0a;
const UNDERSCORE: u8 = 0x5f;
/** `SIMPLE_MEASURES_`, as it lies in memory. */
const SIMPLE_ME: u64 = 0x4d5f454c504d4953;
const ASURES_: u64 = 0x5f53455255534145;
const PREFIX_BYTES: u32 = 16;

/** One submission has no more of them. */
const MAX_SIMPLE: u32 = 4000;
/** Names that are kept; those of one object come on top before they are forgotten. */
const MANY_NAMES: u32 = 20_000;
const MAX_NAMES: u32 = MANY_NAMES + MAX_SIMPLE;
/** A name may have that of its object before it. */
const KEY_BYTES: u32 = 2 * MAX_NAME + 1;
const MAX_BOUNDS: u32 = 64;
/** Sum, two sums of logarithms, two halves of squares that are missing, count. */
const TRAILER: u32 = 6;
const MISSING: f64 = -1;
const MAX_STATISTIC: f64 = 9007199254740991;

@unmanaged
class Simple {
  /** Number of its name. */
  name: u32;
  value: f64;
}

/** What is known of a name. */
@unmanaged
class Known {
  /** Number of its measure in a channel/version. */
  measure: u32;
  channelVersion: u32;
  /** The submission that had it last, and its place among what that one has. */
  record: u32;
  place: u32;
}

const SIMPLE_BYTES: usize = offsetof<Simple>();
const KNOWN_BYTES: usize = offsetof<Known>();

export const SIMPLE_MEASURES_BYTES: usize =
  <usize>MAX_SIMPLE * SIMPLE_BYTES +
  <usize>(MAX_NAMES + 1) * KNOWN_BYTES +
  textsBytes(MAX_NAMES, <usize>MAX_NAMES * KEY_BYTES) +
  8192;

/** `name`, or `object LF name`. */
let names: Texts = changetype<Texts>(0);
let known: usize = 0;
let simples: usize = 0;
let count: u32 = 0;
let record: u32 = 0;
let text: usize = 0;
let bounds: usize = 0;
let boundCount: u32 = 0;
let places: usize = 0;
let numbers: usize = 0;
let filled: u32 = 0;

/** Of the submission that was added last: names that are no measures, values out of range, negative ones, measures that came twice. */
export let badSimpleNames: u32 = 0;
export let badSimpleValues: u32 = 0;
export let negativeSimple: u32 = 0;
export let collisions: u32 = 0;

export function layOutSimple(seed: u32): void {
  simples = take(<usize>MAX_SIMPLE * SIMPLE_BYTES);
  known = take(<usize>(MAX_NAMES + 1) * KNOWN_BYTES);
  text = take(PREFIX_BYTES + KEY_BYTES);
  bounds = take(<usize>MAX_BOUNDS * 8);
  places = take(<usize>(MAX_BOUNDS + TRAILER) * 4);
  numbers = take(<usize>(MAX_BOUNDS + TRAILER) * 8);
  names = makeTexts(MAX_NAMES, <usize>MAX_NAMES * KEY_BYTES, seed);
}

/** The lower bounds of the buckets, which the host wrote to `from`. */
export function setBounds(from: usize, newCount: u32): void {
  boundCount = min(newCount, MAX_BOUNDS);
  memory.copy(bounds, from, <usize>boundCount * 8);
}

export function forgetSimpleNames(): void {
  clearTexts(names);
}

/** Forgets what was noted. */
export function beginSimple(): void {
  count = 0;
  if (names.count > MANY_NAMES) forgetSimpleNames();
}

/**
 * Notes a member.
 * @param object name of the object it is in; 0 for none
 * @returns false when the host must do so: a name is longer than that of any measure, or it is one too many
 */
export function noteSimpleOf(object: usize, objectLength: u32, name: usize, length: u32, value: f64): bool {
  if (object == 0) return noteSimple(name, length, value);
  if (objectLength > MAX_NAME || length > MAX_NAME) return false;
  memory.copy(text, object, objectLength);
  store<u8>(text + objectLength, LF);
  memory.copy(text + objectLength + 1, name, length);
  return noteSimple(text, objectLength + 1 + length, value);
}

/** The same for a name, or `object LF name`. */
export function noteSimple(at: usize, length: u32, value: f64): bool {
  if (length > KEY_BYTES || count == MAX_SIMPLE) return false;
  const hash = hashOf(at, length, names.seed);
  let number = find(names, at, length, hash);
  if (number == 0) {
    number = keep(names, at, length, hash);
    const entry = knownOf(number);
    entry.channelVersion = u32.MAX_VALUE;
    entry.record = 0;
  }
  const simple = changetype<Simple>(simples + <usize>count * SIMPLE_BYTES);
  simple.name = number;
  simple.value = value;
  count += 1;
  return true;
}

function knownOf(number: u32): Known {
  return changetype<Known>(known + <usize>number * KNOWN_BYTES);
}

/**
 * Adds what was noted. Of members that come twice the last one counts; of different ones that are one measure, each.
 * @param end of the rows of simple measures
 */
export function addSimple(path: u32, source: u32, end: u32, channelVersion: u32): void {
  record += 1;
  badSimpleNames = 0;
  badSimpleValues = 0;
  negativeSimple = 0;
  collisions = 0;
  const last = lastOfEach();
  for (let index: u32 = 0; index < last; index++) {
    const simple = changetype<Simple>(simples + <usize>index * SIMPLE_BYTES);
    const number = measureOf(simple.name, channelVersion);
    const name = nameOf(number);
    if (number == 0 || !name.isMeasure) {
      badSimpleNames += 1;
      continue;
    }
    if (!(abs(simple.value) <= MAX_STATISTIC)) {
      badSimpleValues += 1;
      continue;
    }
    if (name.simpleRecord == record) collisions += 1;
    name.simpleRecord = record;
    if (simple.value < 0) negativeSimple += 1;
    noteRow(simple.value);
    useRow(places, numbers, boundCount + TRAILER, filled);
    addSum(number, name, path, source, end);
  }
  count = 0;
}

/** Keeps one member of each name, with its last value, in the order in which they came first. @returns how many */
function lastOfEach(): u32 {
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const simple = changetype<Simple>(simples + <usize>index * SIMPLE_BYTES);
    const entry = knownOf(simple.name);
    if (entry.record != record) {
      entry.record = record;
      entry.place = kept;
      changetype<Simple>(simples + <usize>kept * SIMPLE_BYTES).name = simple.name;
      kept += 1;
    }
    changetype<Simple>(simples + <usize>entry.place * SIMPLE_BYTES).value = simple.value;
  }
  return kept;
}

/** The number of a name's measure; 0 when it is too long for one. */
function measureOf(number: u32, channelVersion: u32): u32 {
  const entry = knownOf(number);
  if (entry.channelVersion != channelVersion) {
    entry.channelVersion = channelVersion;
    entry.measure = findMeasure(number, channelVersion);
  }
  return entry.measure;
}

function findMeasure(number: u32, channelVersion: u32): u32 {
  const name = textOf(names, number);
  store<u64>(text, SIMPLE_ME);
  store<u64>(text, ASURES_, 8);
  for (let index: u32 = 0; index < name.length; index++) {
    const byte = load<u8>(name.at + index);
    const upper = byte == LF ? UNDERSCORE : <u32>byte - 0x61 < 26 ? byte - 0x20 : byte;
    store<u8>(text + PREFIX_BYTES + index, upper);
  }
  return findName(text, PREFIX_BYTES + name.length, channelVersion);
}

/** The row of one value, as its numbers that are not 0: no minus zero is noted. */
function noteRow(value: f64): void {
  filled = 0;
  const bucket = bucketOf(value);
  if (bucket >= 0) note(<u32>bucket, 1);
  if (value != 0) {
    const log = logOf(abs(value) + 1);
    note(boundCount, value);
    if (log != 0) {
      note(boundCount + 1, log);
      note(boundCount + 2, log * log);
    }
  }
  note(boundCount + 3, MISSING);
  note(boundCount + 4, MISSING);
  note(boundCount + 5, 1);
}

function note(place: u32, number: f64): void {
  store<u32>(places + <usize>filled * 4, place);
  store<f64>(numbers + <usize>filled * 8, number);
  filled += 1;
}

/** The bucket that counts a value; −1 for a negative one. */
function bucketOf(value: f64): i32 {
  let low: i32 = -1;
  let high = <i32>boundCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (load<f64>(bounds + <usize>middle * 8) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
