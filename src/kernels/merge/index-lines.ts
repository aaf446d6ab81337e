/** First pass over a result: where its lines are and which key each one has. */
import { newKey } from './host';
import { take } from './memory';
import { find, hashOf, keep, Texts } from './texts';

/** Longest text before TAB that is looked at; keys are shorter. */
const MAX_KEY: usize = 512;
const LINE_BYTES: usize = 16;

const LF: u8 = 0x0a;
const TAB: u8 = 0x09;

/** What was found: place relative to the start given, length, number of the key or 0, length of the key. */
export let lines: usize = 0;
export let lineCount: u32 = 0;

export function layOutLines(maxLines: usize): void {
  lines = take(maxLines * LINE_BYTES);
}

/**
 * Finds the lines between `at` and `end`, which has room for a vector behind it.
 * @returns where the last line begins, which has no LF yet
 */
export function findLines(keys: Texts, at: usize, end: usize): usize {
  beginLines();
  let start = at;
  while (true) {
    const lf = findByte(start, end, LF);
    if (lf == end) return start;
    noteLine(keys, start, lf, at);
    start = lf + 1;
  }
}

export function beginLines(): void {
  lineCount = 0;
}

/** Notes a line that ends at `end`. */
export function noteLine(keys: Texts, start: usize, end: usize, origin: usize): void {
  const limit = min(end, start + MAX_KEY);
  const tab = findByte(start, limit, TAB);
  const place = lines + <usize>lineCount * LINE_BYTES;
  lineCount += 1;
  store<u32>(place, <u32>(start - origin));
  store<u32>(place, <u32>(end - start), 4);
  store<u32>(place, tab == limit ? 0 : keyOf(keys, start, <u32>(tab - start)), 8);
  store<u32>(place, <u32>(tab - start), 12);
}

function keyOf(keys: Texts, at: usize, length: u32): u32 {
  const hash = hashOf(at, length, keys.seed);
  const known = find(keys, at, length, hash);
  if (known != 0) return known;
  const number = keep(keys, at, length, hash);
  newKey(number);
  return number;
}

/** The first such byte at or behind `at`; `end` when there is none before it. */
export function findByte(at: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(byte);
  let p = at;
  while (p < end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
    if (found != 0) return min(end, p + ctz(found));
    p += 16;
  }
  return end;
}
