/**
 * FILES_PROCESSED and FILES_MISSING: every input file is in exactly one of them (published.md 5.6). Both are projections
 * of the sorted lists of all days, read and written line by line, whatever their size.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { compareText } from '../text-order.ts';

/** One day's input keys, ascending by UTF-8 bytes. */
export type SortedLines = AsyncIterable<string>;

/** The lines of FILES_PROCESSED: ascending, no repeats. */
export function processedFiles(processed: readonly SortedLines[]): AsyncGenerator<string, void, undefined> {
  return union(processed);
}

/**
 * The lines of FILES_MISSING: ascending, no repeats, and without the keys that any day has processed.
 * @param processed all days' lists of processed files, as given to `processedFiles`
 */
export async function* missingFiles(
  processed: readonly SortedLines[],
  missing: readonly SortedLines[],
): AsyncGenerator<string, void, undefined> {
  const done = union(processed);
  try {
    let next = await done.next();
    for await (const key of union(missing)) {
      while (next.done !== true && compareText(next.value, key) < 0) next = await done.next();
      if (next.done === true || next.value !== key) yield key;
    }
  } finally {
    await done.return();
  }
}

interface Head {
  value: string;
  readonly rest: AsyncIterator<string>;
}

// A k-way merge over a binary heap: there is a list for every day since the beginning.
async function* union(lists: readonly SortedLines[]): AsyncGenerator<string, void, undefined> {
  const iterators = lists.map((list) => list[Symbol.asyncIterator]());
  try {
    const firsts = await Promise.all(iterators.map(async (rest) => ({ rest, first: await rest.next() })));
    const heap: Head[] = firsts.flatMap(({ rest, first }) =>
      first.done === true ? [] : [{ value: first.value, rest }],
    );
    for (let i = heap.length >> 1; i >= 0; i -= 1) siftDown(heap, i);
    let last: string | undefined;
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      if (top.value !== last) yield top.value;
      last = top.value;
      await advance(heap, top);
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()));
  }
}

async function advance(heap: Head[], top: Head): Promise<void> {
  const next = await top.rest.next();
  if (next.done !== true) {
    if (compareText(next.value, top.value) < 0) {
      throw new InvalidDataError('unsorted_list', `${JSON.stringify(next.value)} after ${JSON.stringify(top.value)}`);
    }
    top.value = next.value;
  } else {
    const lastHead = heap.pop();
    if (lastHead !== undefined && lastHead !== top) heap[0] = lastHead;
  }
  siftDown(heap, 0);
}

function siftDown(heap: Head[], from: number): void {
  const moving = heap[from];
  if (moving === undefined) return;
  let hole = from;
  for (;;) {
    let child = 2 * hole + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left === undefined) break;
    let smaller = left;
    if (right !== undefined && compareText(right.value, left.value) < 0) {
      smaller = right;
      child += 1;
    }
    if (compareText(moving.value, smaller.value) <= 0) break;
    heap[hole] = smaller;
    hole = child;
  }
  heap[hole] = moving;
}
