/** Ranges of keys, of about equal bytes, that threads take one after the other. */
import type { LinesByKey } from './result-index.ts';
import type { SharedFileWriter } from './shared-file.ts';

/** Numbers of keys: from the first up to the second, without it. */
export type KeyRange = readonly [from: number, to: number];

/** What the threads share. */
export interface KeyRanges {
  readonly ranges: readonly KeyRange[];
  /** `taken[0]` is how many were taken. */
  readonly taken: Int32Array;
}

/** So that no thread holds back much of what it writes, and none waits long for another one at the end. */
const RANGE_BYTES = 1 << 20;

/**
 * @param threads one by itself takes all keys as one range
 * @param growth how many bytes are written for each byte of a line, about
 */
export function keyRanges({ first, length }: LinesByKey, threads: number, growth = 1): KeyRanges {
  const keys = first.length - 1;
  const ranges: KeyRange[] = [];
  let from = 0;
  let bytes = 0;
  for (let key = 0; key < keys; key += 1) {
    for (let line = first[key] as number; line < (first[key + 1] as number); line += 1) bytes += length[line] as number;
    const isEnd = key === keys - 1 || (threads > 1 && bytes * growth >= RANGE_BYTES);
    if (!isEnd) continue;
    ranges.push([from, key + 1]);
    from = key + 1;
    bytes = 0;
  }
  return { ranges, taken: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) };
}

/** All keys, for what is not shared. */
export function allKeys({ first }: LinesByKey): KeyRange[] {
  return first.length > 1 ? [[0, first.length - 1]] : [];
}

/** The ranges that no other thread has taken, each when it is asked for, and each as a part of the file. */
export function* partsOf(file: SharedFileWriter, { ranges, taken }: KeyRanges): Generator<KeyRange> {
  for (;;) {
    const number = Atomics.add(taken, 0, 1);
    const range = ranges[number];
    if (range === undefined) return;
    file.begin(number);
    yield range;
    file.end();
  }
}
