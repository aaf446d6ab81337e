/**
 * Sums as bytes: the table of sums stays small, and so in the processor's cache, since its rows are packed after each file.
 * Packed rows need nothing else that this kernel knows, so they can be written to disk and read back. A row is a head, its
 * numbers that are not 0, their places, its filter path and its end, padded to 8; the end is left out where it is that of the
 * row before.
 */
import { find, hashOf, textOf } from '../merge/texts';
import { addRow, beginRows, ends, useRow, useRule, VALUES } from '../merge/rows';
import { take, MAX_ROW } from '../merge/memory';
import { keptEnd } from './host';
import { datedPath } from './dated-paths';
import { Name, nameCount, nameOf } from './names';
import { clearSums, filterPaths, ROW, rowOf, sourceOf, Sum, sumsSize } from './sums';

@unmanaged
class Packed {
  /** Of the row, with this head. */
  bytes: u32;
  /** Numbers of the row, and those that follow. */
  length: u32;
  filled: u32;
  pathLength: u16;
  /** 0 for the end of the row before. */
  endLength: u16;
  pathUnits: u32;
  pathOdd: u16;
  hasSubmissionDate: u16;
  buildDate: u64;
  submissionDate: u64;
}

const HEAD: usize = offsetof<Packed>();
/** Packed rows of one measure, which follow it. */
@unmanaged
class Chunk {
  next: usize;
  bytes: u32;
}

const CHUNK: usize = offsetof<Chunk>();

let lastEnd: u32 = 0;
let places: usize = 0;
let arena: usize = 0;
let used: usize = 0;

/** The file whose submissions are added, and about how many bytes of a result its packed rows will be. */
let file: u32 = 0;
let fileBytes: f64 = 0;
/** In a result, beside its texts and numbers: what is around a row, and around those of a key. */
const AROUND_ROW: f64 = 20;
const AROUND_KEY: f64 = 64;
/** Digits that a number other than 0 has more, most of the time. */
const MORE_DIGITS: f64 = 8;

/** All that is added from now on is of another file. */
export function beginFile(number: u32): void {
  packSums();
  file = number;
  fileBytes = 0;
}

export function bytesOfFile(): f64 {
  return fileBytes;
}

/** @param most bytes that all packed rows can have */
export function packBytes(most: usize): usize {
  return <usize>MAX_ROW * 4 + most + 4096;
}

export function layOutPack(most: usize): void {
  places = take(<usize>MAX_ROW * 4);
  arena = take(most);
}

export function packedBytes(): usize {
  return used;
}

export function clearPacked(): void {
  used = 0;
}

/** Packs all rows of the table, which is empty then. */
export function packSums(): void {
  if (sumsSize() == 0) return;
  for (let number: u32 = 1; number <= nameCount; number++) {
    const name = nameOf(number);
    if (name.first == 0) continue;
    const at = arena + used;
    const chunk = changetype<Chunk>(at);
    chunk.next = 0;
    lastEnd = 0;
    noteFile(name);
    let p = at + CHUNK;
    for (let sum = name.first; sum != 0; sum = changetype<Sum>(sum).next) {
      p = pack(p, sum);
      name.submissions += load<f64>(sum + ROW + VALUES + (<usize>rowOf(sum).length - 1) * 8);
    }
    chunk.bytes = <u32>(p - at - CHUNK);
    used = p - arena;
    if (name.lastChunk != 0) changetype<Chunk>(name.lastChunk).next = at;
    else name.firstChunk = at;
    name.lastChunk = at;
    name.first = 0;
    name.last = 0;
  }
  clearSums();
}

let copied: usize = 0;
let copiedBytes: u32 = 0;

/** Begins to copy the packed rows of a name. */
export function beginCopy(number: u32): void {
  copied = nameOf(number).firstChunk;
  copiedBytes = 0;
}

/** Copies what is left of them, as far as there is room. @returns behind what was copied: `end` when there may be more */
export function copyRows(to: usize, end: usize): usize {
  let p = to;
  while (copied != 0 && p < end) {
    const chunk = changetype<Chunk>(copied);
    const bytes = min(chunk.bytes - copiedBytes, <u32>(end - p));
    memory.copy(p, copied + CHUNK + copiedBytes, bytes);
    p += bytes;
    copiedBytes += bytes;
    if (copiedBytes < chunk.bytes) break;
    copied = chunk.next;
    copiedBytes = 0;
  }
  return p;
}

function noteFile(name: Name): void {
  fileBytes += 2 * (<f64>name.length + AROUND_KEY);
  if (name.files > 0 && name.lastFile == file) return;
  if (name.files == 0) name.firstFile = file;
  name.files += 1;
  name.lastFile = file;
}

function pack(at: usize, sum: usize): usize {
  const row = rowOf(sum);
  const source = sourceOf(changetype<Sum>(sum).source);
  const path = textOf(filterPaths, row.path);
  const end = textOf(ends, row.end);
  const head = changetype<Packed>(at);
  head.length = row.length;
  head.pathLength = <u16>path.length;
  head.endLength = row.end == lastEnd ? 0 : <u16>end.length;
  head.pathUnits = path.units;
  head.pathOdd = <u16>path.odd;
  head.hasSubmissionDate = <u16>source.hasSubmissionDate;
  head.buildDate = source.buildDate;
  head.submissionDate = source.submissionDate;
  let p = at + HEAD;
  let filled: u32 = 0;
  const values = sum + ROW + VALUES;
  for (let place: u32 = 0; place < row.length; place++) {
    while (
      place + 4 <= row.length &&
      !v128.any_true(v128.or(v128.load(values + <usize>place * 8), v128.load(values + <usize>place * 8, 16)))
    )
      place += 4;
    if (place == row.length) break;
    const number = load<f64>(values + <usize>place * 8);
    if (number == 0) continue;
    store<f64>(p, number);
    p += 8;
    store<u16>(places + <usize>filled * 2, <u16>place);
    filled += 1;
  }
  head.filled = filled;
  const texts = AROUND_ROW + <f64>path.length + <f64>end.length;
  fileBytes += (texts + 2 * <f64>row.length + MORE_DIGITS * <f64>filled) * <f64>(1 + source.hasSubmissionDate);
  memory.copy(p, places, <usize>filled * 2);
  p += <usize>filled * 2;
  memory.copy(p, path.at, path.length);
  p += path.length;
  if (head.endLength > 0) {
    memory.copy(p, end.at, end.length);
    p += end.length;
  }
  lastEnd = row.end;
  p = (p + 7) & ~7;
  head.bytes = <u32>(p - at);
  return p;
}

/** Begins an empty table for a measure; `addPacked` comes next. */
export function beginFold(simple: bool): void {
  beginRows(simple);
  useRule(simple, 1);
}

/** The end of the row that was added last. */
export function endInBlock(): u32 {
  return lastEnd;
}

/** After the ends were forgotten in the middle of a block. */
export function goOnWithEnd(end: u32): void {
  lastEnd = end;
}

/** Before the rows of another block. */
export function beginBlock(): void {
  lastEnd = 0;
}

/** Adds the packed rows that are whole between `at` and `end`. @returns behind them */
export function addPacked(at: usize, end: usize, bySubmissionDate: bool): usize {
  let p = at;
  while (p + HEAD <= end) {
    const head = changetype<Packed>(p);
    if (p + head.bytes > end) break;
    const placesAt = p + HEAD + <usize>head.filled * 8;
    const pathAt = placesAt + <usize>head.filled * 2;
    if (head.endLength > 0) lastEnd = endAt(pathAt + head.pathLength, head.endLength);
    if (!bySubmissionDate || head.hasSubmissionDate != 0) {
      for (let index: u32 = 0; index < head.filled; index++)
        store<u32>(places + <usize>index * 4, load<u16>(placesAt + <usize>index * 2));
      useRow(places, p + HEAD, head.length, head.filled);
      const date = bySubmissionDate ? head.submissionDate : head.buildDate;
      addRow(datedPath(date, pathAt, head.pathLength, head.pathOdd, head.pathUnits), lastEnd);
    }
    p += head.bytes;
  }
  return p;
}

function endAt(at: usize, length: u32): u32 {
  const known = find(ends, at, length, hashOf(at, length, ends.seed));
  return known != 0 ? known : keptEnd(at, length);
}
