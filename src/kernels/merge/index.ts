/** What the host calls (`src/kernels/merge-kernel.ts`). */
import { beginLines, findLines, layOutLines, lineCount, lines as lineEntries, noteLine } from './index-lines';
import { MAX_ROW, prepare, take as takeRegion } from './memory';
import { layOutPowers, powers } from './powers';
import { MAX_ENDS, drops, take, takeNumbers } from './read-lines';
import { ends, layOutRows, mixedStatistics, paths, useTexts } from './rows';
import { forgetRanks } from './sort-rows';
import { clearTexts, find, hashOf, keep, makeTexts, textOf, Texts, textsBytes } from './texts';
import { layOutOutput, lines, output, prefix, slots, written } from './write-rows';
import { makePairs } from './write-numbers';

export { addLine } from './read-lines';
export { numberEndsAt } from './read-numbers';
export { beginRows, tableBytes } from './rows';
export { sortRows } from './sort-rows';
export { beginWriting, taken, writeLines, writeSlots } from './write-rows';

/** Texts that the lines of one table can have: the longest line has 16 MiB, and its shortest member some 20 bytes. */
const MAX_PATHS: u32 = 1 << 21;
const PATH_BYTES: usize = 96 << 20;
const END_BYTES: usize = 80 << 20;
const MAX_KEYS: u32 = 1 << 21;
/** Output, scratch and tables of constants. */
const OTHER_BYTES: usize = 4 << 20;
const KEY_BYTES: usize = 256 << 20;
/** Beyond this the host clears the texts. */
const MANY_PATHS: u32 = 1 << 17;
const MANY_PATH_BYTES: usize = 16 << 20;

let keys: Texts = changetype<Texts>(0);
let input: usize = 0;
let scratch: usize = 0;

/** Lays out the memory of a kernel that merges. @returns where lines go */
export function setUp(inputBytes: usize, seed: u32): usize {
  prepare(inputBytes + textsBytes(MAX_PATHS, PATH_BYTES) + textsBytes(MAX_ENDS * 2, END_BYTES) + OTHER_BYTES);
  makePairs();
  layOutPowers();
  layOutOutput();
  setScratch();
  input = takeRegion(inputBytes);
  useTexts(makeTexts(MAX_PATHS, PATH_BYTES, seed), makeTexts(MAX_ENDS * 2, END_BYTES, seed));
  layOutRows();
  return input;
}

/** Room for the numbers of a row, or a text, that the host hands over. */
export function setScratch(): void {
  scratch = takeRegion(<usize>MAX_ROW * 8);
}

/** The same for one that indexes lines. */
export function setUpIndex(inputBytes: usize, seed: u32): usize {
  prepare(inputBytes + (inputBytes + 1) * 16 + textsBytes(MAX_KEYS, KEY_BYTES));
  input = takeRegion(inputBytes);
  layOutLines(inputBytes + 1);
  keys = makeTexts(MAX_KEYS, KEY_BYTES, seed);
  return input;
}

/** @returns where the last line begins, which has no LF yet, relative to `at` */
export function index(at: usize, end: usize): usize {
  return findLines(keys, at, end) - at;
}

/** Indexes one line: the last one of a file, or the first bytes of a long one. */
export function indexLine(start: usize, end: usize): void {
  beginLines();
  noteLine(keys, start, end, start);
}

export function indexedLines(): usize {
  return lineEntries;
}
export function indexedCount(): u32 {
  return lineCount;
}
export function keyAt(number: u32): usize {
  return textOf(keys, number).at;
}
export function keyLength(number: u32): u32 {
  return textOf(keys, number).length;
}

export function powersAt(): usize {
  return powers;
}
export function prefixAt(): usize {
  return prefix;
}
export function scratchAt(): usize {
  return scratch;
}
export function outputAt(): usize {
  return output;
}
export function outputBytes(): usize {
  return written;
}
export function dropsAt(): usize {
  return drops;
}
export function maxRow(): u32 {
  return MAX_ROW;
}
export function lineTotal(): u64 {
  return lines;
}
export function slotTotal(): u64 {
  return slots;
}
export function mixedTotal(): u64 {
  return mixedStatistics;
}

/** Whether there are so many texts that they should be cleared, which empties the table as well. */
export function hasManyTexts(): bool {
  return paths.count > MANY_PATHS || paths.free - paths.bytes > MANY_PATH_BYTES || ends.count > MAX_ENDS / 2;
}

export function forgetTexts(): void {
  clearTexts(paths);
  forgetRanks();
  clearTexts(ends);
}

/** Keeps a path whose usual spelling the host wrote to scratch. */
export function keepPath(length: u32, units: u32, odd: u32): u32 {
  const hash = hashOf(scratch, length, paths.seed);
  let number = find(paths, scratch, length, hash);
  if (number == 0) number = keep(paths, scratch, length, hash);
  const text = textOf(paths, number);
  text.meaning = number;
  text.units = units;
  text.odd = odd;
  return number;
}

/** The same for an end. */
export function keepEnd(length: u32, units: u32, odd: u32, buildDigits: u32): u32 {
  const hash = hashOf(scratch, length, ends.seed);
  let number = find(ends, scratch, length, hash);
  if (number == 0) number = keep(ends, scratch, length, hash);
  const text = textOf(ends, number);
  text.meaning = number;
  text.units = units;
  text.odd = odd;
  text.buildDigits = buildDigits;
  return number;
}

export function pathTextAt(number: u32): usize {
  return textOf(paths, number).at;
}
export function pathTextLength(number: u32): u32 {
  return textOf(paths, number).length;
}
export function endTextAt(number: u32): usize {
  return textOf(ends, number).at;
}
export function endTextLength(number: u32): u32 {
  return textOf(ends, number).length;
}

/** Adds the row of `length` numbers that the host wrote to scratch. */
export function addNumbers(path: u32, length: u32, end: u32): void {
  takeNumbers(scratch, length);
  take(<i32>path, end);
}
