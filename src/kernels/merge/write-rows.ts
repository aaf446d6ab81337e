/** Sorted rows → text: lines of a result (docs/formats/results.md 4.1), or lines of a part. */
import { take } from './memory';
import { BUILD_AT, ends, paths, REVISION_AFTER_BUILD, Row, rowCount, VALUES } from './rows';
import { sorted } from './sort-rows';
import { Text, textOf } from './texts';
import { writeNumber } from './write-numbers';

/** What each line begins with; the host writes it. */
export let prefix: usize = 0;
let prefixLength: u32 = 0;
export let output: usize = 0;
/** Bytes of text that the host has not taken yet. */
export let written: usize = 0;
/** Lines that were written, and slots. */
export let lines: u64 = 0;
export let slots: u64 = 0;

/** Longest text before the values of a row, or key of a line. */
const PREFIX_BYTES: usize = 4096;
/** Room for the longest row: 10,006 numbers of up to 25 characters, its path and its end. */
const ROW_BYTES: usize = 300 << 10;
const FLUSH_BYTES: usize = 512 << 10;
/** A line is cut once it has so many characters, as by `result-lines.ts`. */
const MAX_LINE_CHARACTERS: u32 = 4 << 20;
const DATE_BYTES: u32 = 8;

const ZEROS = i16x8.splat(0x2c30); // "0,"

let next: u32 = 0;
/** Characters of the open line; whether there is one, and whether a list of aggregates is open in it. */
let characters: u32 = 0;
let isOpen: bool = false;
let isList: bool = false;

export function layOutOutput(): void {
  prefix = take(PREFIX_BYTES);
  output = take(FLUSH_BYTES + ROW_BYTES);
}

export function beginWriting(newPrefixLength: u32): void {
  prefixLength = newPrefixLength;
  next = 0;
  isOpen = false;
  isList = false;
}

/** The host has taken what was written. */
export function taken(): void {
  written = 0;
}

/** Writes rows as a line of a result. @returns whether rows are left, once the output must be taken */
export function writeLines(): bool {
  let p = output + written;
  while (next < rowCount) {
    if (p > output + FLUSH_BYTES) {
      written = p - output;
      return true;
    }
    p = writeMember(p, rowAt(next));
    next += 1;
  }
  if (isOpen) {
    store<u16>(p, 0x0a7d);
    p += 2;
    lines += 1;
    isOpen = false;
  }
  written = p - output;
  return false;
}

function rowAt(index: u32): Row {
  return changetype<Row>(<usize>load<u32>(sorted + <usize>index * 4));
}

function writeMember(at: usize, row: Row): usize {
  let p = at;
  const path = textOf(paths, row.path);
  if (isList) {
    store<u8>(p, 0x2c);
    p += 1;
  } else {
    if (isOpen) {
      if (characters > MAX_LINE_CHARACTERS) {
        store<u16>(p, 0x0a7d);
        p = beginLine(p + 2);
        lines += 1;
      } else {
        store<u8>(p, 0x2c);
        p += 1;
      }
    } else p = beginLine(p);
    p = writeText(p, path);
    store<u8>(p, 0x3a);
    p += 1;
  }
  const aggregate = p;
  store<u64>(p, 0x7365756c6176227b); // {"values
  store<u32>(p + 8, 0x005b3a22); // ":[
  p = writeValues(p + 11, row);
  store<u8>(p, 0x5d);
  const end = textOf(ends, row.end);
  copyText(p + 1, end.at, end.length);
  p += 1 + end.length;
  slots += 1;
  characters += <u32>(p - aggregate) - end.length + end.units + path.units;
  const goesOn = next + 1 < rowCount && rowAt(next + 1).path == row.path && characters <= MAX_LINE_CHARACTERS;
  if (goesOn && !isList) {
    memory.copy(aggregate + 1, aggregate, p - aggregate);
    store<u8>(aggregate, 0x5b);
    p += 1;
  } else if (!goesOn && isList) {
    store<u8>(p, 0x5d);
    p += 1;
  }
  isList = goesOn;
  return p;
}

function beginLine(at: usize): usize {
  memory.copy(at, prefix, prefixLength);
  isOpen = true;
  characters = 0;
  return at + prefixLength;
}

/** In quotes. */
function writeText(at: usize, text: Text): usize {
  store<u8>(at, 0x22);
  copyText(at + 1, text.at, text.length);
  store<u8>(at + 1 + text.length, 0x22);
  return at + 2 + text.length;
}

/** Copies a text by vectors, so that it may write a few bytes behind it: a call of `memory.copy` takes longer than most texts do. */
function copyText(to: usize, from: usize, length: u32): void {
  for (let place: u32 = 0; place < length; place += 16) v128.store(to + place, v128.load(from + place));
}

function writeValues(at: usize, row: Row): usize {
  let p = at;
  let value = changetype<usize>(row) + VALUES;
  const behind = value + <usize>row.length * 8;
  while (value < behind) {
    if (load<u64>(value) == 0) {
      // Runs of zeros are most of the data.
      while (
        value + 64 <= behind &&
        !v128.any_true(
          v128.or(v128.or(v128.load(value), v128.load(value, 16)), v128.or(v128.load(value, 32), v128.load(value, 48))),
        )
      ) {
        v128.store(p, ZEROS);
        p += 16;
        value += 64;
      }
      while (value < behind && load<u64>(value) == 0) {
        store<u16>(p, 0x2c30);
        p += 2;
        value += 8;
      }
      continue;
    }
    p = writeNumber(p, load<f64>(value));
    store<u8>(p, 0x2c);
    p += 1;
    value += 8;
  }
  return p - 1;
}

/** Writes rows as lines of a part. @returns whether rows are left, once the output must be taken */
export function writeSlots(): bool {
  let p = output + written;
  while (next < rowCount) {
    if (p > output + FLUSH_BYTES) {
      written = p - output;
      return true;
    }
    p = writeSlot(p, rowAt(next));
    next += 1;
  }
  written = p - output;
  return false;
}

/** `[channel/version, measure, by-date, path, date, build id, revision, values]`, of which the prefix has three. */
function writeSlot(at: usize, row: Row): usize {
  const path = textOf(paths, row.path);
  const end = textOf(ends, row.end);
  copyText(at, prefix, prefixLength);
  let p = at + prefixLength;
  store<u8>(p, 0x22);
  copyText(p + 1, path.at + DATE_BYTES + 1, path.length - DATE_BYTES - 1);
  p += path.length - DATE_BYTES;
  store<u32>(p, 0x00222c22); // ","
  store<u64>(p + 3, load<u64>(path.at));
  store<u32>(p + 11, 0x00222c22);
  p += 14;
  memory.copy(p, end.at + BUILD_AT, end.buildDigits);
  p += end.buildDigits;
  store<u16>(p, 0x2c22);
  // The revision with its quotes, without the closing brace.
  const revision = BUILD_AT + end.buildDigits + REVISION_AFTER_BUILD - 1;
  copyText(p + 2, end.at + revision, end.length - revision - 1);
  p += 2 + end.length - revision - 1;
  store<u16>(p, 0x5b2c);
  p = writeValues(p + 2, row);
  store<u32>(p, 0x000a5d5d);
  lines += 1;
  slots += 1;
  return p + 3;
}
