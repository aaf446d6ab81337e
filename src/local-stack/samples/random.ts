/** Repeatable chance: equal seed and label give the same numbers on every machine, whatever else was drawn before. */
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
  const state = new Uint32Array([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)));
  const unit = (): number => next(state) / 2 ** 32;
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

/** One step of xoshiro128**: 32 bits, and the state moves on. */
function next(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  const mixed = c ^ a;
  const crossed = d ^ b;
  state[0] = a ^ crossed;
  state[1] = b ^ mixed;
  state[2] = mixed ^ (b << 9);
  state[3] = rotate(crossed, 11);
  return result;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
