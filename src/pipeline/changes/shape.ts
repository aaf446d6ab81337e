/** Whether a change came at once or over weeks: which of the two explains more of what the dates show. */
import { mean } from './robust.ts';

/** Fewer dates before a change say nothing about how it came. */
const MIN_BEFORE = 10;
const MIN_LEVEL = 3;

/** @param split number of values before the change */
export function cameSlowly(values: readonly number[], split: number): boolean {
  return split >= MIN_BEFORE && aroundLine(values) < aroundLevels(values, split);
}

/** Where the values split best into two levels; null when a line explains them as well. */
export function bestSplit(values: readonly number[]): number | null {
  let best = { split: 0, squares: Infinity };
  for (let split = MIN_LEVEL; split <= values.length - MIN_LEVEL; split += 1) {
    const squares = aroundLevels(values, split);
    if (squares < best.squares) best = { split, squares };
  }
  return best.squares < aroundLine(values) ? best.split : null;
}

function aroundLevels(values: readonly number[], split: number): number {
  return around(values.slice(0, split)) + around(values.slice(split));
}

function around(values: readonly number[]): number {
  const level = mean(values);
  return values.reduce((sum, value) => sum + (value - level) ** 2, 0);
}

function aroundLine(values: readonly number[]): number {
  const [level, middle] = [mean(values), (values.length - 1) / 2];
  let [products, squares] = [0, 0];
  for (const [index, value] of values.entries()) {
    products += (index - middle) * (value - level);
    squares += (index - middle) ** 2;
  }
  return around(values) - products ** 2 / squares;
}
