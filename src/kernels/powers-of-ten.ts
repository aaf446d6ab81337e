/**
 * 10^−292 … 10^324 with 128 bits, high half first, rounded up where they are not exact: what `merge/powers.ts` reads.
 * Computed, since 617 pairs of constants could hide a wrong digit.
 */
const LEAST = -292;
const GREATEST = 324;
const BITS = 128n;

export const POWERS_OF_TEN = powersOfTen();

function powersOfTen(): Uint8Array {
  const words = new BigUint64Array(2 * (GREATEST - LEAST + 1));
  for (let k = LEAST; k <= GREATEST; k += 1) {
    const power = normalised(k);
    words[2 * (k - LEAST)] = power >> 64n;
    words[2 * (k - LEAST) + 1] = power;
  }
  return new Uint8Array(words.buffer);
}

/** The 128 bits of 10^k, of which the highest is 1. */
function normalised(k: number): bigint {
  const power = 10n ** BigInt(Math.abs(k));
  const length = BigInt(power.toString(2).length);
  if (k < 0) return ceilOf(1n << (length - 1n + BITS), power);
  return length <= BITS ? power << (BITS - length) : ceilOf(power, 1n << (length - BITS));
}

function ceilOf(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
