/**
 * Sums of submissions by measure, filter path, source and length. A source is a file's channel/version and its two dates,
 * so that what a submission has is added once and folded into the rows of both by-dates when they are written.
 */
import { demand, take } from '../merge/memory';
import { addTo, ends, fillRow, length, Row, useRule, VALUES } from '../merge/rows';
import { Text, textOf, Texts } from '../merge/texts';
import { Name } from './names';

/** A row, and what it is of. Its path is one without a date. */
@unmanaged
export class Sum {
  name: u32;
  source: u32;
  hash: u32;
  /** The next row of the measure. */
  next: usize;
}

/** The `Row` begins behind it. */
export const ROW: usize = offsetof<Sum>();

@unmanaged
export class Source {
  channelVersion: u32;
  /** Whether its submissions count by submission date as well. */
  hasSubmissionDate: u32;
  /** Eight digits each. */
  buildDate: u64;
  submissionDate: u64;
}

const SOURCE_BYTES: usize = offsetof<Source>();
const MAX_SOURCES: u32 = 1 << 16;

export let filterPaths: Texts = changetype<Texts>(0);
let sources: usize = 0;
let sourceCount: u32 = 0;

let slots: usize = 0;
let mask: u32 = 0;
const FIRST_MASK: u32 = (1 << 13) - 1;
let arena: usize = 0;
let used: usize = 0;
/** Bytes of the date, path and end that each row is written with. */
let texts: usize = 0;
let sumCount: u32 = 0;
/** At random: names and paths are numbered in the order in which submitters bring them. */
let seed: u64 = 0;
const FACTOR: u64 = 0x9e3779b97f4a7c15;

/** Bytes of the smallest row: eight numbers. */
const MIN_ROW: usize = ROW + VALUES + 8 * 8;

export function sumsBytes(most: usize): usize {
  return (most / MIN_ROW) * 16 + most + (<usize>MAX_SOURCES + 1) * SOURCE_BYTES + 4096;
}

/** @param most bytes that all rows can have */
export function layOutSums(pathTexts: Texts, most: usize, newSeed: u32): void {
  seed = <u64>newSeed * FACTOR;
  filterPaths = pathTexts;
  sources = take((<usize>MAX_SOURCES + 1) * SOURCE_BYTES);
  slots = take((most / MIN_ROW) * 16);
  mask = FIRST_MASK;
  arena = take(most);
}

export function clearSums(): void {
  memory.fill(slots, 0, (<usize>mask + 1) * 4);
  mask = FIRST_MASK;
  used = 0;
  texts = 0;
  sumCount = 0;
}

/** The table must be empty. */
export function clearSources(): void {
  sourceCount = 0;
}

export function sumsSize(): usize {
  return used + texts;
}

export function hasManySources(): bool {
  return sourceCount >= MAX_SOURCES - 1;
}

/** Numbers begin at 1. */
export function sourceOf(number: u32): Source {
  return changetype<Source>(sources + <usize>number * SOURCE_BYTES);
}

/** @returns its number; the host fills it */
export function newSource(): u32 {
  sourceCount += 1;
  return sourceCount;
}

export function rowOf(sum: usize): Row {
  return changetype<Row>(sum + ROW);
}

/** Adds the row at hand. */
export function addSum(number: u32, name: Name, path: u32, sourceNumber: u32, end: u32): void {
  const hash = hashOfRow(number, path, sourceNumber);
  let slot = hash & mask;
  while (true) {
    const at = <usize>load<u32>(slots + <usize>slot * 4);
    if (at == 0) break;
    const sum = changetype<Sum>(at);
    if (sum.hash == hash && sum.name == number && sum.source == sourceNumber) {
      const row = rowOf(at);
      if (row.path == path && row.length == length) {
        useRule(name.isSimple, 1 + sourceOf(sourceNumber).hasSubmissionDate);
        const before = row.end;
        addTo(row, end);
        if (row.end != before) texts += textOf(ends, row.end).length - textOf(ends, before).length;
        return;
      }
    }
    slot = (slot + 1) & mask;
  }
  const at = arena + used;
  demand(at + ROW + VALUES + <usize>length * 8);
  used += (ROW + VALUES + <usize>length * 8 + 15) & ~15;
  const text: Text = textOf(filterPaths, path);
  texts += text.length + 9 + textOf(ends, end).length;
  const sum = changetype<Sum>(at);
  sum.name = number;
  sum.source = sourceNumber;
  sum.hash = hash;
  sum.next = 0;
  const row = rowOf(at);
  row.path = path;
  row.end = end;
  row.length = length;
  row.next = 0;
  fillRow(at + ROW + VALUES);
  if (name.last != 0) changetype<Sum>(name.last).next = at;
  else name.first = at;
  name.last = at;
  store<u32>(slots + <usize>slot * 4, <u32>at);
  sumCount += 1;
  if (sumCount > mask / 2) spread();
}

function hashOfRow(name: u32, path: u32, sourceNumber: u32): u32 {
  let hash = ((<u64>name) << 32) | (<u64>path);
  hash = (hash ^ ((<u64>sourceNumber) << 17) ^ seed) * FACTOR;
  hash ^= hash >> 29;
  // An odd factor, whatever the seed.
  hash = (hash ^ (<u64>length)) * (FACTOR ^ (seed << 1));
  return <u32>(hash >> 32);
}

/** Twice as many slots. */
function spread(): void {
  mask = mask * 2 + 1;
  memory.fill(slots, 0, (<usize>mask + 1) * 4);
  for (let at = arena; at < arena + used;) {
    let slot = changetype<Sum>(at).hash & mask;
    while (load<u32>(slots + <usize>slot * 4) != 0) slot = (slot + 1) & mask;
    store<u32>(slots + <usize>slot * 4, <u32>at);
    at += (ROW + VALUES + <usize>rowOf(at).length * 8 + 15) & ~15;
  }
}
