/**
 * One row for each place, for readers that know no list of lengths (docs/formats/results.md 4.4): of rows of different
 * lengths the one with the highest build id stays, by the original's rule for two aggregates.
 */
import { comparePartSlots, type PartSlot } from './part-line.ts';
import { COUNT, type Slot } from './slot.ts';

/** @param slots in slot order, so that rows of one place are neighbours */
export async function* oneLength(slots: AsyncIterable<PartSlot> | Iterable<PartSlot>): AsyncGenerator<PartSlot> {
  let kept: PartSlot | undefined;
  for await (const item of slots) {
    if (kept !== undefined && !isSamePlace(kept, item)) yield kept;
    else if (kept !== undefined && isPreferred(kept.slot, item.slot)) continue;
    kept = item;
  }
  if (kept !== undefined) yield kept;
}

function isSamePlace(a: PartSlot, b: PartSlot): boolean {
  return comparePartSlots(a, { ...b, slot: { ...b.slot, values: a.slot.values } }) === 0;
}

/**
 * Build ids are compared as text. Of equal ones the original kept what came first; here the row of more submissions stays,
 * then the longer one, so that order has no influence.
 */
function isPreferred(a: Slot, b: Slot): boolean {
  if (a.buildId !== b.buildId) return a.buildId > b.buildId;
  const [x, y] = [a.values.at(-COUNT) ?? 0, b.values.at(-COUNT) ?? 0];
  return x === y ? a.values.length > b.values.length : x > y;
}
