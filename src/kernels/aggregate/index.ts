/** What the host calls (`src/kernels/aggregate-kernel.ts`). */
import { prepare, take } from '../merge/memory';
import { layOutPowers } from '../merge/powers';
import { MAX_ENDS } from '../merge/read-lines';
import { ends, layOutRows, paths, useTexts } from '../merge/rows';
import { clearTexts, find, hashOf, keep, makeTexts, textOf, textsBytes } from '../merge/texts';
import { makePairs } from '../merge/write-numbers';
import { layOutOutput } from '../merge/write-rows';
import { FOLD_BYTES, layOutFold } from './fold';
import { layOutPack, PACK_BYTES } from './pack';
import { clearNames, findName, hasManyNames, layOutNames, nameCount, nameOf, NAMES_BYTES } from './names';
import { badHistograms, badList, badNames, layOutNoted, notedBytes } from './read-histograms';
import {
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
export { foldName } from './fold';
export { addPacked, beginBlock, beginFold, beginPacking, endInBlock, goOnWithEnd, packRows } from './pack';
export { addHistograms, addSimple, beginNoting, noteHistogram, readHistograms } from './read-histograms';

/** Texts of the paths of one measure and by-date: no more than it has rows. */
const PATHS_BEYOND: usize = 32 << 20;
const MAX_PATHS: u32 = 1 << 21;
const FILTER_PATHS: u32 = 1 << 17;
const FILTER_PATH_BYTES: usize = 64 << 20;
const MANY_FILTER_PATHS: u32 = 1 << 15;
const MANY_FILTER_PATH_BYTES: usize = 16 << 20;
const END_BYTES: usize = 80 << 20;
const OTHER_BYTES: usize = 8 << 20;
const MANY_PATHS: u32 = 1 << 17;

let input: usize = 0;

/**
 * Lays out the memory.
 * @param lineBytes of the longest line
 * @param tableBytes size of the sums at which the host writes them
 * @param maxLength longest histogram that is taken
 * @returns where lines go
 */
export function setUp(lineBytes: usize, tableBytes: usize, maxLength: u32, seed: u32): usize {
  // One submission more may be added: its numbers have two bytes in the line and eight in the table, and each histogram
  // a head of its own.
  const sums = tableBytes + lineBytes * 5 + (1 << 20);
  const pathBytes = sums + PATHS_BEYOND;
  prepare(
    lineBytes +
      notedBytes(lineBytes) +
      sumsBytes(sums) +
      NAMES_BYTES +
      textsBytes(MAX_PATHS, pathBytes) +
      textsBytes(MAX_ENDS * 2, END_BYTES) +
      textsBytes(FILTER_PATHS, FILTER_PATH_BYTES) +
      FOLD_BYTES +
      PACK_BYTES +
      OTHER_BYTES,
  );
  makePairs();
  layOutPowers();
  layOutOutput();
  setScratch();
  input = take(lineBytes);
  layOutNames(seed);
  layOutNoted(lineBytes, maxLength);
  layOutFold();
  layOutPack();
  useTexts(makeTexts(MAX_PATHS, pathBytes, seed), makeTexts(MAX_ENDS * 2, END_BYTES, seed));
  layOutSums(makeTexts(FILTER_PATHS, FILTER_PATH_BYTES, seed), sums);
  layOutRows();
  return input;
}

/** Whether there is so much that the host should write the sums, and `clear` be called. */
export function isFull(tableBytes: usize): bool {
  return (
    sumsSize() > tableBytes ||
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
  clearNames();
  clearTexts(filterPaths);
  clearTexts(ends);
  clearTexts(paths);
}

/** Between two measures: their paths are not needed any more. @returns whether they were forgotten */
export function forgetManyPaths(): bool {
  if (paths.count <= MANY_PATHS && paths.free - paths.bytes <= PATHS_BEYOND / 2) return false;
  clearTexts(paths);
  return true;
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
export function nameHasRows(number: u32): bool {
  return nameOf(number).first != 0;
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
