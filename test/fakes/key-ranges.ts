import type { KeyRange, KeyRanges } from '../../src/threads/key-ranges.ts';

/** A range for one of several threads that take one each. */
export function shareOf(thread: number, range: KeyRange): KeyRanges {
  return { ranges: Array.from({ length: thread + 1 }, (): KeyRange => range), taken: Int32Array.of(thread) };
}
