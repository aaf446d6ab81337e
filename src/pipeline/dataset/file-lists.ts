/**
 * FILES_PROCESSED and FILES_MISSING: every input file is in exactly one of them (docs/formats/published.md 5.6). Both
 * are projections of the sorted lists of all days, read and written line by line, whatever their size.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { sortedMerge } from '../sorted-merge.ts';
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

function union(lists: readonly SortedLines[]): AsyncGenerator<string, void, undefined> {
  return sortedMerge(lists, { compare: compareText, combine: ([key]) => key, unsorted });
}

function unsorted(key: string, after: string): InvalidDataError {
  return new InvalidDataError('unsorted_list', `${JSON.stringify(key)} after ${JSON.stringify(after)}`);
}
