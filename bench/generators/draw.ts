/** Draws that the generators share, quick enough for millions: choices by weight, and spreads that have a long tail. */
import type { Chance } from '../../local/samples/random.ts';

/** One of many choices by its weight; finds it by bisection. */
export class Weighted<T> {
  readonly #choices: readonly T[];
  readonly #sums: Float64Array;

  constructor(choices: readonly (readonly [choice: T, weight: number])[]) {
    this.#choices = choices.map(([choice]) => choice);
    this.#sums = Float64Array.from(choices, ([, weight]) => weight);
    for (let index = 1; index < this.#sums.length; index += 1) this.#sums[index]! += this.#sums[index - 1]!;
  }

  pick(chance: Chance): T {
    const target = chance.unit() * this.#sums.at(-1)!;
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return this.#choices[low] as T;
  }
}

/** Exponentially distributed with that mean: most are small, some many times as large. */
export function exponential(chance: Chance, mean: number): number {
  return -Math.log(1 - chance.unit()) * mean;
}

/** Log-normally distributed around that median. */
export function spread(chance: Chance, median: number, sigma: number): number {
  return median * Math.exp(sigma * chance.normal());
}

/** The day so many days after 1 October 2013; `YYYYMMDD`. */
export function dayAfter(days: number): string {
  return new Date(Date.UTC(2013, 9, 1 + days)).toISOString().slice(0, 10).replaceAll('-', '');
}
