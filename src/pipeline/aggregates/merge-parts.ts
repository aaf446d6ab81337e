/** The k-way merge of sorted parts: reads them side by side and holds one slot of each, whatever their size. */
import { comparePartSlots, type PartSlot, sumSlots } from './part-line.ts';
import type { Slot } from './slot.ts';

interface Source {
  readonly slots: AsyncIterator<PartSlot, unknown> | Iterator<PartSlot, unknown>;
  /** Position of the part in the input; slots that meet are added in this order. */
  readonly order: number;
  head: PartSlot;
}

/**
 * Merges parts, each in slot order, into one stream in slot order; slots that are equal by key are summed in the order
 * of the parts.
 */
export async function* mergeParts(
  parts: readonly (AsyncIterable<PartSlot> | Iterable<PartSlot>)[],
): AsyncGenerator<PartSlot> {
  const heap: Source[] = [];
  try {
    for (const [order, part] of parts.entries()) {
      const slots = Symbol.asyncIterator in part ? part[Symbol.asyncIterator]() : part[Symbol.iterator]();
      const first = await slots.next();
      if (first.done !== true) push(heap, { slots, order, head: first.value });
    }
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      const key = top.head;
      const equal: Slot[] = [];
      for (let next = heap[0]; next !== undefined && comparePartSlots(next.head, key) === 0; next = heap[0]) {
        equal.push(next.head.slot);
        const step = next.slots.next();
        // Parts in memory answer at once; awaiting them would cost a turn of the event loop per slot.
        const following = step instanceof Promise ? await step : step;
        if (following.done === true) removeTop(heap);
        else {
          next.head = following.value;
          sink(heap);
        }
      }
      yield { channelVersion: key.channelVersion, slot: sumSlots(equal as [Slot, ...Slot[]]) };
    }
  } finally {
    await Promise.all(heap.map(async ({ slots }) => slots.return?.()));
  }
}

function before(a: Source, b: Source): boolean {
  const order = comparePartSlots(a.head, b.head);
  return order !== 0 ? order < 0 : a.order < b.order;
}

function push(heap: Source[], source: Source): void {
  heap.push(source);
  for (let index = heap.length - 1; index > 0;) {
    const parent = (index - 1) >> 1;
    if (!swapIfBefore(heap, index, parent)) return;
    index = parent;
  }
}

function removeTop(heap: Source[]): void {
  const last = heap.pop();
  if (last !== undefined && heap.length > 0) {
    heap[0] = last;
    sink(heap);
  }
}

function sink(heap: Source[]): void {
  for (let index = 0; ;) {
    const left = 2 * index + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    if (a === undefined) return;
    const child = b !== undefined && before(b, a) ? left + 1 : left;
    if (!swapIfBefore(heap, child, index)) return;
    index = child;
  }
}

function swapIfBefore(heap: Source[], index: number, parent: number): boolean {
  const [source, other] = [heap[index], heap[parent]];
  if (source === undefined || other === undefined || !before(source, other)) return false;
  heap[parent] = source;
  heap[index] = other;
  return true;
}
