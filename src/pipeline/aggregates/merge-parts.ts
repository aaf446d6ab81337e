/** The merge of sorted parts: reads them in parallel and holds one slot of each, whatever their size. */
import { InvalidDataError } from '../invalid-data.ts';
import { sortedBatches, sortedMerge } from '../sorted-merge.ts';
import { comparePartSlots, type PartSlot, sumSlots } from './part-line.ts';
import type { Slot } from './slot.ts';

/**
 * Merges parts, each in slot order, into one stream in slot order; slots that are equal by key are summed in the order
 * of the parts.
 * @throws InvalidDataError `unsorted_slots`
 */
export function mergeParts(parts: readonly PartSlots[]): AsyncGenerator<PartSlot> {
  return sortedMerge(parts, RULES);
}

/** The same in batches. */
export function mergePartBatches(parts: readonly PartSlots[]): AsyncGenerator<readonly PartSlot[]> {
  return sortedBatches(parts, RULES);
}

type PartSlots = AsyncIterable<PartSlot> | Iterable<PartSlot>;

const RULES = { compare: comparePartSlots, combine: summed, unsorted };

function summed(equal: readonly [PartSlot, ...PartSlot[]]): PartSlot {
  const [first] = equal;
  if (equal.length === 1) return first;
  return { channelVersion: first.channelVersion, slot: sumSlots(equal.map(({ slot }) => slot) as [Slot, ...Slot[]]) };
}

function unsorted(item: PartSlot, after: PartSlot): InvalidDataError {
  return new InvalidDataError('unsorted_slots', `slots out of order: ${nameOf(item)} after ${nameOf(after)}`);
}

function nameOf({ channelVersion, slot }: PartSlot): string {
  return JSON.stringify([channelVersion, slot.measure, slot.byDate, slot.path, slot.date, slot.values.length]);
}
