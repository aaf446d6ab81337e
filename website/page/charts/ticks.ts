/** Round numbers for axes. */

/** @returns up to about `wanted` round values within the range, ascending */
export function linearTicks(low: number, high: number, wanted: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) ticks.push(index * step);
  return ticks;
}

/** 1, 2, 5, 10, 20, … within the range. */
export function logarithmicTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(Math.max(low, 1e-9))); power <= high; power *= 10)
    for (const factor of [1, 2, 5]) {
      const value = factor * power;
      if (value >= low && value <= high) ticks.push(value);
    }
  return ticks;
}

/** Leaves out what is closer than `least` to the one before. */
export function spaced<T>(items: readonly T[], placeOf: (item: T) => number, least: number): T[] {
  let last = Number.NEGATIVE_INFINITY;
  return items.filter((item) => {
    const place = placeOf(item);
    if (place - last < least) return false;
    last = place;
    return true;
  });
}

/** Moves labels apart, from top to bottom, keeping their order and staying above `bottom`. */
export function spread(places: readonly number[], least: number, bottom: number): number[] {
  const order = places.map((place, index) => ({ place, index })).toSorted((a, b) => a.place - b.place);
  let last = Number.NEGATIVE_INFINITY;
  for (const label of order) {
    label.place = Math.max(label.place, last + least);
    last = label.place;
  }
  let next = bottom;
  for (const label of order.toReversed()) {
    label.place = Math.min(label.place, next);
    next = label.place - least;
  }
  const moved = [...places];
  for (const { place, index } of order) moved[index] = place;
  return moved;
}
