/**
 * Lower bounds of a histogram's buckets, as browsers make them (docs/formats/histogram-server.md 6.4). Kept apart from
 * the product's own formulas, so that samples can contradict them.
 */

export function linearBounds(low: number, high: number, count: number): number[] {
  const bounds = [0];
  for (let index = 1; index < count; index += 1) {
    bounds.push(Math.floor((low * (count - 1 - index) + high * (index - 1)) / (count - 2) + 0.5));
  }
  return bounds;
}

export function exponentialBounds(low: number, high: number, count: number): number[] {
  const bounds = [0, low];
  let current = low;
  for (let index = 2; index < count; index += 1) {
    const step = (Math.log(high) - Math.log(current)) / (count - index);
    current = Math.max(current + 1, Math.floor(Math.exp(Math.log(current) + step) + 0.5));
    bounds.push(current);
  }
  return bounds;
}

/** Index of the highest bound that is not above the value. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let from = 0;
  let to = bounds.length;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if ((bounds[middle] ?? Infinity) <= value) from = middle;
    else to = middle;
  }
  return from;
}
