/**
 * Powers of ten with 128 bits, as the host computes them: 10^k is about g · 2^e, g of 128 bits, rounded up where it is
 * not exact.
 */
import { take } from './memory';

export const LEAST_POWER: i32 = -292;
export const GREATEST_POWER: i32 = 324;

/** Pairs of high and low 64 bits, from 10^-292 to 10^324. */
export let powers: usize = 0;

export function layOutPowers(): void {
  powers = take(<usize>(GREATEST_POWER - LEAST_POWER + 1) * 16);
}

export function powerHigh(k: i32): u64 {
  return load<u64>(powers + ((<usize>(k - LEAST_POWER)) << 4));
}

export function powerLow(k: i32): u64 {
  return load<u64>(powers + ((<usize>(k - LEAST_POWER)) << 4), 8);
}

/** e of 10^k = g · 2^e. */
export function powerExponent(k: i32): i32 {
  return floorLog2OfPower10(k) - 127;
}

export function floorLog2OfPower10(k: i32): i32 {
  return (k * 1741647) >> 19;
}

/** The upper 64 bits of a product. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const cross = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (cross & 0xffffffff);
  return aHigh * bHigh + (cross >> 32) + (other >> 32);
}
