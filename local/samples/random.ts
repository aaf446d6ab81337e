/** Repeatable random numbers: equal seed and label give the same ones on every machine, whatever was drawn before. */
import { createHash } from 'node:crypto';

export interface Chance {
  /** Evenly in [0, 1). */
  unit(): number;
  /** Evenly among 0 … below − 1. */
  below(count: number): number;
  /** True with this probability. */
  happens(probability: number): boolean;
  /** Standard normal. */
  normal(): number;
  /** One element, by its weight. */
  pick<T>(choices: readonly (readonly [value: T, weight: number])[]): T;
  /** That many hex digits. */
  hex(digits: number): string;
}

/** A stream of its own for each label, so that adding a draw in one place changes nothing in another. */
export function chanceFor(seed: string, label: string): Chance {
  const digest = createHash('sha256').update(`${seed}\n${label}`).digest();
  const word = generator(digest);
  const unit = (): number => word() / 2 ** 32;
  return {
    unit,
    below: (count) => Math.floor(unit() * count),
    happens: (probability) => unit() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    pick: (choices) => {
      let rest = unit() * choices.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [value, weight] of choices) {
        rest -= weight;
        if (rest < 0) return value;
      }
      return lastValue(choices);
    },
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(unit() * 16).toString(16)).join(''),
  };
}

function lastValue<T>(choices: readonly (readonly [T, number])[]): T {
  const last = choices.at(-1);
  if (last === undefined) throw new Error('nothing to pick from');
  return last[0];
}

/** xoshiro128**: the next 32 bits at each call. Plain variables, since a set of samples draws millions of them. */
function generator(seed: Buffer): () => number {
  let a = seed.readInt32LE(0);
  let b = seed.readInt32LE(4);
  let c = seed.readInt32LE(8);
  let d = seed.readInt32LE(12);
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
