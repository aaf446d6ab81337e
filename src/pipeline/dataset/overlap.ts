/** Whether two contributions count the same input file: prevents a submission from being counted by both. */
import { compareText } from '../text-order.ts';
import type { SortedLines } from './file-lists.ts';

/** The first key that both ascending lists have. */
export async function firstShared(a: SortedLines, b: SortedLines): Promise<string | undefined> {
  const [left, right] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  try {
    let [one, other] = await Promise.all([left.next(), right.next()]);
    while (one.done !== true && other.done !== true) {
      const order = compareText(one.value, other.value);
      if (order === 0) return one.value;
      if (order < 0) one = await left.next();
      else other = await right.next();
    }
    return undefined;
  } finally {
    await Promise.all([left.return?.(), right.return?.()]);
  }
}
