/** What the host calls (`src/kernels/aggregate-kernel.ts`). */
import { prepare, take } from '../merge/memory';
import { layOutPowers } from '../merge/powers';
import { MAX_ENDS } from '../merge/read-lines';
import { ends, layOutRows, paths, useTexts } from '../merge/rows';
import { forgetRanks } from '../merge/sort-rows';
import { clearTexts, find, hashOf, keep, makeTexts, textOf, textsBytes } from '../merge/texts';
import { makePairs } from '../merge/write-numbers';
import { layOutOutput } from '../merge/write-rows';
import { DATED_BYTES, layOutDated } from './dated-paths';
import { clearPacked, layOutPack, packBytes, packedBytes, packSums } from './pack';
import { clearNames, findName, hasManyNames, layOutNames, nameCount, nameOf, NAMES_BYTES } from './names';
import { badHistograms, badList, badNames, layOutNoted, notedBytes } from './read-histograms';
import { layOutValues, valuePlaces } from './read-submission';
import {
  badSimpleNames,
  badSimpleValues,
  collisions,
  forgetSimpleNames,
  layOutSimple,
  negativeSimple,
  SIMPLE_MEASURES_BYTES,
} from './simple-measures';
import {
  clearSources,
  clearSums,
  filterPaths,
  hasManySources,
  layOutSums,
  newSource as makeSource,
  sourceOf,
  sumsBytes,
  sumsSize,
} from './sums';
import { setScratch } from '../merge/index';

export {
  beginWriting,
  endTextAt,
  endTextLength,
  keepEnd,
  keepPath,
  lineTotal,
  maxRow,
  mixedTotal,
  numberEndsAt,
  outputAt,
  outputBytes,
  hasManyTexts,
  tableBytes,
  forgetTexts,
  pathTextAt,
  pathTextLength,
  powersAt,
  prefixAt,
  scratchAt,
  slotTotal,
  sortRows,
  taken,
  writeLines,
  writeSlots,
} from '../merge/index';
export {
  addPacked,
  beginBlock,
  beginCopy,
  beginFile,
  beginFold,
  bytesOfFile,
  copyRows,
  endInBlock,
  goOnWithEnd,
  packSums,
} from './pack';
export { addHistograms, beginNoting, noteHistogram, readHistograms } from './read-histograms';
export { readInfo, readSimple, readSubmission } from './read-submission';
export { addSimple, beginSimple, noteSimple, setBounds } from './simple-measures';

/** Texts of the paths of one measure and by-date: no more than it has rows. */
const PATHS_BEYOND: usize = 32 << 20;
const MAX_PATHS: u32 = 1 << 21;
const FILTER_PATHS: u32 = 1 << 17;
const FILTER_PATH_BYTES: usize = 64 << 20;
const MANY_FILTER_PATHS: u32 = 1 << 15;
const MANY_FILTER_PATH_BYTES: usize = 16 << 20;
const END_BYTES: usize = 80 << 20;
const OTHER_BYTES: usize = 8 << 20;
/** Of the table, before its rows are packed: one file has some 2 MB. */
const MANY_SUM_BYTES: usize = 16 << 20;

/** Rows that one submission may add, and what is packed with each: a path of some 1,300 bytes, an end of 1,600. */
const MOST_ROWS: usize = 8000;
const ROW_TEXT_BYTES: usize = 3072;

let input: usize = 0;

/**
 * Lays out the memory.
 * @param lineBytes of the longest line
 * @param tableBytes size of the packed rows at which the host writes them
 * @param maxLength longest histogram that is taken
 * @returns where lines go
 */
export function setUp(lineBytes: usize, tableBytes: usize, maxLength: u32, seed: u32): usize {
  // One submission more may be added: its numbers have two bytes in the line and eight in the table, and each histogram
  // a head of its own.
  const sums = MANY_SUM_BYTES + lineBytes * 5 + (1 << 20);
  // A packed number has two bytes more than one of the table, and each row its texts.
  const packed = tableBytes + ((sums + MOST_ROWS * ROW_TEXT_BYTES) * 3) / 2;
  const pathBytes = sums + PATHS_BEYOND;
  prepare(
    lineBytes +
      notedBytes(lineBytes) +
      sumsBytes(sums) +
      NAMES_BYTES +
      SIMPLE_MEASURES_BYTES +
      textsBytes(MAX_PATHS, pathBytes) +
      textsBytes(MAX_ENDS * 2, END_BYTES) +
      textsBytes(FILTER_PATHS, FILTER_PATH_BYTES) +
      DATED_BYTES +
      packBytes(packed) +
      OTHER_BYTES,
  );
  makePairs();
  layOutPowers();
  layOutOutput();
  setScratch();
  input = take(lineBytes);
  layOutNames(seed);
  layOutNoted(lineBytes, maxLength);
  layOutValues();
  layOutSimple(seed);
  layOutDated();
  layOutPack(packed);
  useTexts(makeTexts(MAX_PATHS, pathBytes, seed), makeTexts(MAX_ENDS * 2, END_BYTES, seed));
  layOutSums(makeTexts(FILTER_PATHS, FILTER_PATH_BYTES, seed), sums, seed);
  layOutRows();
  return input;
}

/**
 * Whether there is so much that the host should write the sums, and `clear` be called. Between two submissions, so a table
 * that has grown large is packed first.
 */
export function isFull(tableBytes: usize): bool {
  if (sumsSize() > MANY_SUM_BYTES) packSums();
  return (
    packedBytes() + sumsSize() > tableBytes ||
    hasManyNames() ||
    hasManySources() ||
    filterPaths.count > MANY_FILTER_PATHS ||
    filterPaths.free - filterPaths.bytes > MANY_FILTER_PATH_BYTES ||
    ends.count > MAX_ENDS / 2
  );
}

/** Forgets all sums and texts. */
export function clear(): void {
  clearSums();
  clearSources();
  clearPacked();
  clearNames();
  forgetSimpleNames();
  clearTexts(filterPaths);
  clearTexts(ends);
  clearTexts(paths);
  forgetRanks();
}

/** A file's channel/version and dates; the host has written these, of eight digits each, to `from`. */
export function newSource(channelVersion: u32, from: usize, hasSubmissionDate: u32): u32 {
  const number = makeSource();
  const source = sourceOf(number);
  source.channelVersion = channelVersion;
  source.hasSubmissionDate = hasSubmissionDate;
  source.buildDate = load<u64>(from);
  source.submissionDate = load<u64>(from + 8);
  return number;
}

/** Keeps a filter path that the host wrote, as it stands in JSON, to `from`. */
export function keepFilterPath(from: usize, length: u32, units: u32, odd: u32): u32 {
  const hash = hashOf(from, length, filterPaths.seed);
  let number = find(filterPaths, from, length, hash);
  if (number != 0) return number;
  number = keep(filterPaths, from, length, hash);
  textOf(filterPaths, number).units = units;
  textOf(filterPaths, number).odd = odd;
  return number;
}

export { findName as keepName };

export function names(): u32 {
  return nameCount;
}
export function nameAt(number: u32): usize {
  return nameOf(number).at;
}
export function nameLength(number: u32): u32 {
  return nameOf(number).length;
}
export function nameChannelVersion(number: u32): u32 {
  return nameOf(number).channelVersion;
}
/** Its submissions in packed rows. */
export function nameSubmissions(number: u32): f64 {
  return nameOf(number).submissions;
}
/** Files that its packed rows are of, and the first and the last of these. */
export function nameFiles(number: u32): u32 {
  return nameOf(number).files;
}
export function nameFirstFile(number: u32): u32 {
  return nameOf(number).firstFile;
}
export function nameLastFile(number: u32): u32 {
  return nameOf(number).lastFile;
}
/** Whether it has packed rows. */
export function hasRows(number: u32): bool {
  return nameOf(number).firstChunk != 0;
}

export function valuesAt(): usize {
  return valuePlaces;
}

export function badNameCount(): u32 {
  return badNames;
}
export function badHistogramCount(): u32 {
  return badHistograms;
}
export function badListAt(): usize {
  return badList;
}
export function badSimpleNameCount(): u32 {
  return badSimpleNames;
}
export function badSimpleValueCount(): u32 {
  return badSimpleValues;
}
export function negativeSimpleCount(): u32 {
  return negativeSimple;
}
export function collisionCount(): u32 {
  return collisions;
}
