/** Merges sorted streams and holds one item of each: parts, lists of files, shares of a result. */

export interface MergeRules<Item, Merged> {
  /** The order of every source; 0 for items that belong together. */
  readonly compare: (a: Item, b: Item) => number;
  /** Makes one of all items that are equal: those of earlier sources come first, those of one source in its order. */
  readonly combine: (equal: readonly [Item, ...Item[]]) => Merged;
  /** The error for an item that comes after a greater one of its own source. */
  readonly unsorted: (item: Item, after: Item) => Error;
}

const BATCH = 256;

interface Source<Item> {
  readonly items: AsyncIterator<Item, unknown> | Iterator<Item, unknown>;
  /** Position in the input, which decides between equal items. */
  readonly order: number;
  head: Item;
}

/**
 * Merges any number of sorted sources into one sorted stream, over a binary heap. All sources are opened in parallel,
 * and closed however the stream ends: at its end, by an error, or because its reader stops.
 * @throws what `unsorted` makes, before anything that is out of order is handed on
 */
export async function* sortedMerge<Item, Merged>(
  sources: readonly (AsyncIterable<Item> | Iterable<Item>)[],
  rules: MergeRules<Item, Merged>,
): AsyncGenerator<Merged, void, undefined> {
  for await (const batch of sortedBatches(sources, rules)) for (const item of batch) yield item;
}

/** The same in batches, for millions of items: an item by itself costs its reader more than the merge. */
export async function* sortedBatches<Item, Merged>(
  sources: readonly (AsyncIterable<Item> | Iterable<Item>)[],
  { compare, combine, unsorted }: MergeRules<Item, Merged>,
): AsyncGenerator<readonly Merged[], void, undefined> {
  const before = (a: Source<Item>, b: Source<Item>): boolean => {
    const order = compare(a.head, b.head);
    return order !== 0 ? order < 0 : a.order < b.order;
  };
  const iterators = sources.map((source) =>
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator](),
  );
  try {
    const heap = await opened(iterators);
    for (let index = heap.length >> 1; index >= 0; index -= 1) sink(heap, index, before);
    let batch: Merged[] = [];
    let least = heap[0];
    while (least !== undefined) {
      const key = least.head;
      const equal: [Item, ...Item[]] = [key];
      for (;;) {
        const step = least.items.next();
        // Sources with items at hand answer at once; awaiting them would cost a turn of the event loop per item.
        const next = step instanceof Promise ? await step : step;
        if (next.done !== true) least.head = next.value;
        else removeTop(heap);
        sink(heap, 0, before);
        least = heap[0];
        if (least === undefined) break;
        const order = compare(least.head, key);
        if (order > 0) break;
        // No other source is below the key, so the one just read is out of order.
        if (order < 0) throw unsorted(least.head, key);
        equal.push(least.head);
      }
      batch.push(combine(equal));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()));
  }
}

async function opened<Item>(iterators: readonly Source<Item>['items'][]): Promise<Source<Item>[]> {
  const firsts = await Promise.all(iterators.map(async (items, order) => ({ items, order, step: await items.next() })));
  return firsts.flatMap(({ items, order, step }) => (step.done === true ? [] : [{ items, order, head: step.value }]));
}

function removeTop<Item>(heap: Source<Item>[]): void {
  const last = heap.pop();
  if (last !== undefined && heap.length > 0) heap[0] = last;
}

function sink<Item>(heap: Source<Item>[], from: number, before: (a: Source<Item>, b: Source<Item>) => boolean): void {
  const moving = heap[from];
  if (moving === undefined) return;
  let hole = from;
  for (;;) {
    let child = 2 * hole + 1;
    let least = heap[child];
    if (least === undefined) break;
    const right = heap[child + 1];
    if (right !== undefined && before(right, least)) {
      least = right;
      child += 1;
    }
    if (!before(least, moving)) break;
    heap[hole] = least;
    hole = child;
  }
  heap[hole] = moving;
}
