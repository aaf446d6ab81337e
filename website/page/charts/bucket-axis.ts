/** Where buckets are on the horizontal axis of a distribution. */
import { bucketName, type Definition, isCategorical, type Sums } from '../../client/index.ts';
import { number } from '../format.ts';
import { linearTicks, logarithmicTicks, spaced } from './ticks.ts';

export type AxisKind = 'log' | 'linear' | 'categories';

export function axisKind(definition: Definition, wanted: 'auto' | 'log' | 'linear'): AxisKind {
  if (isCategorical(definition)) return 'categories';
  return wanted === 'auto' ? (definition.kind === 'exponential' ? 'log' : 'linear') : wanted;
}

/** First and last bucket that any of them has samples in; all buckets when there are none. */
export function usedBuckets(all: readonly Pick<Sums, 'counts'>[], buckets: number): readonly [number, number] {
  let [first, last] = [buckets, -1];
  for (const { counts } of all)
    for (const [index, count] of counts.entries())
      if (count > 0) [first, last] = [Math.min(first, index), Math.max(last, index)];
  return last < 0 ? [0, Math.max(0, buckets - 1)] : [first, last];
}

/** Start and end of a bucket; the last one is drawn as wide as the one before. */
export function bucketRange(bounds: readonly number[], index: number): readonly [number, number] {
  const start = bounds[index] ?? 0;
  return [start, bounds[index + 1] ?? start + Math.max(1, start - (bounds[index - 1] ?? 0))];
}

export class BucketAxis {
  readonly kind: AxisKind;
  readonly #place: (value: number) => number;
  readonly #low: number;
  readonly #span: number;
  readonly #width: number;

  /** @param buckets first and last one that are shown. @param width pixels */
  constructor(kind: AxisKind, definition: Definition, buckets: readonly [number, number], width: number) {
    this.kind = kind;
    const lowest = Math.max(definition.bounds[1] ?? 1, 1e-9);
    const step = Math.max(0.25, Math.log(Math.max(definition.bounds[2] ?? 0, lowest * 1.3) / lowest));
    // What is below the lowest bound has no logarithm that ends: it gets a bucket's width.
    const logarithm = (value: number): number =>
      value >= lowest ? Math.log(value) : Math.log(lowest) - step * (1 - value / lowest);
    this.#place = kind === 'log' ? logarithm : (value) => value;
    const [from, to] = this.#ends(definition, buckets);
    this.#low = this.#place(from);
    this.#span = this.#place(to) - this.#low || 1;
    this.#width = width;
  }

  #ends({ bounds }: Definition, [first, last]: readonly [number, number]): readonly [number, number] {
    if (this.kind === 'categories') return [first, last + 1];
    return [bucketRange(bounds, first)[0], bucketRange(bounds, last)[1]];
  }

  /** Pixels from the left of a value, or of the left side of a category. */
  at(value: number): number {
    return ((this.#place(value) - this.#low) / this.#span) * this.#width;
  }

  /** Pixels of both sides of a bucket. */
  sides(definition: Definition, index: number): readonly [number, number] {
    if (this.kind === 'categories') return [this.at(index), this.at(index + 1)];
    const [start, end] = bucketRange(definition.bounds, index);
    return [this.at(start), this.at(end)];
  }

  ticks(definition: Definition, [first, last]: readonly [number, number]): readonly (readonly [number, string])[] {
    if (this.kind === 'categories') {
      const names = Array.from({ length: last - first + 1 }, (_, place) => first + place).map(
        (index): [number, string] => [this.at(index + 0.5), shortened(bucketName(definition, index))],
      );
      const widest = Math.max(...names.map(([, name]) => name.length));
      return spaced(names, ([place]) => place, widest * 6.5 + 10);
    }
    const [from] = bucketRange(definition.bounds, first);
    const [, to] = bucketRange(definition.bounds, last);
    const values =
      this.kind === 'log'
        ? [...(from === 0 ? [0] : []), ...logarithmicTicks(from, to)]
        : linearTicks(from, to, this.#width / 90);
    const ticks = values.map((value): [number, string] => [this.at(value), number(value)]);
    return spaced(ticks, ([place]) => place, 44);
  }
}

function shortened(text: string): string {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
