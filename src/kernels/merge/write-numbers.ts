/**
 * Doubles → the shortest text that reads back the same, as `String(value)` writes it. Those that are no integers go the way
 * of Raffaele Giulietti, "The Schubfach way to render doubles".
 */
import { floorLog2OfPower10, multiplyHigh, powerHigh, powerLow } from './powers';

/** `00`, `01`, … `99`. */
const PAIRS = memory.data(200);
const DIGITS = memory.data(24);

export function makePairs(): void {
  for (let pair: u32 = 0; pair < 100; pair++) {
    store<u8>(PAIRS + <usize>pair * 2, 48 + pair / 10);
    store<u8>(PAIRS + <usize>pair * 2, 48 + (pair % 10), 1);
  }
}

/** Writes the number at `at`. @returns where its text ends */
export function writeNumber(at: usize, value: f64): usize {
  let p = at;
  let rest = value;
  if (rest < 0) {
    store<u8>(p, 0x2d);
    p += 1;
    rest = -rest;
  }
  if (rest < 9007199254740992) {
    const whole = <u64>rest;
    if (<f64>whole == rest) return whole <= 0xffffffff ? writeSmall(p, <u32>whole) : writeWhole(p, whole);
  }
  return writeShortest(p, rest);
}

function writeSmall(at: usize, value: u32): usize {
  if (value < 10) {
    store<u8>(at, 48 + value);
    return at + 1;
  }
  if (value < 100) {
    store<u16>(at, load<u16>(PAIRS + <usize>value * 2));
    return at + 2;
  }
  return writeWhole(at, value);
}

/** Writes an integer. */
function writeWhole(at: usize, value: u64): usize {
  const end = at + digitsOf(value);
  writeDigits(end, value);
  return end;
}

function digitsOf(value: u64): usize {
  let digits: usize = 1;
  let rest = value;
  while (rest >= 10000) {
    rest /= 10000;
    digits += 4;
  }
  return digits + usize(rest >= 10) + usize(rest >= 100) + usize(rest >= 1000);
}

/** Writes the digits of an integer so that they end at `end`. */
function writeDigits(end: usize, value: u64): void {
  let p = end;
  let rest = value;
  while (rest >= 100) {
    const next = rest / 100;
    p -= 2;
    store<u16>(p, load<u16>(PAIRS + <usize>(rest - next * 100) * 2));
    rest = next;
  }
  if (rest >= 10) store<u16>(p - 2, load<u16>(PAIRS + <usize>rest * 2));
  else store<u8>(p - 1, 48 + <u32>rest);
}

let decimalExponent: i32 = 0;

/** Writes a positive number that is no small integer. */
function writeShortest(at: usize, value: f64): usize {
  let digits = shortest(value);
  while (digits % 10 == 0) {
    digits /= 10;
    decimalExponent += 1;
  }
  const count = <i32>digitsOf(digits);
  // The decimal point is behind this many digits.
  const point = count + decimalExponent;
  if (count <= point && point <= 21) {
    writeDigits(at + count, digits);
    memory.fill(at + count, 48, point - count);
    return at + point;
  }
  if (0 < point && point <= 21) {
    writeDigits(at + 1 + count, digits);
    memory.copy(at, at + 1, point);
    store<u8>(at + point, 0x2e);
    return at + 1 + count;
  }
  if (-6 < point && point <= 0) {
    store<u16>(at, 0x2e30);
    memory.fill(at + 2, 48, -point);
    writeDigits(at + 2 - point + count, digits);
    return at + 2 - point + count;
  }
  return writeExponential(at, digits, count, point - 1);
}

function writeExponential(at: usize, digits: u64, count: i32, exponent: i32): usize {
  writeDigits(at + 1 + count, digits);
  store<u8>(at, load<u8>(at + 1));
  let p = at + 1;
  if (count > 1) {
    store<u8>(p, 0x2e);
    p += count;
  }
  store<u8>(p, 0x65);
  store<u8>(p + 1, exponent < 0 ? 0x2d : 0x2b);
  return writeWhole(p + 2, <u64>abs(exponent));
}

/** The digits of a positive number; `decimalExponent` is that of the last one. */
function shortest(value: f64): u64 {
  const bits = reinterpret<u64>(value);
  const fraction = bits & 0xfffffffffffff;
  const biased = <i32>(bits >> 52);
  const c = biased == 0 ? fraction : fraction | 0x10000000000000;
  const q = biased == 0 ? -1074 : biased - 1075;
  // The neighbour below is nearer when this is the first number of its binade.
  const isNearerBelow = fraction == 0 && biased > 1;
  const isEven = (c & 1) == 0;
  const k = (q * 1262611 - (isNearerBelow ? 524031 : 0)) >> 22;
  const h = <u64>(q + floorLog2OfPower10(-k) + 1);
  const high = powerHigh(-k);
  const low = powerLow(-k);
  const below = roundedToOdd(high, low, (4 * c - 2 + u64(isNearerBelow)) << h) + u64(!isEven);
  const middle = roundedToOdd(high, low, (4 * c) << h);
  const above = roundedToOdd(high, low, (4 * c + 2) << h) - u64(!isEven);
  const s = middle >> 2;
  if (s >= 10) {
    // One digit less, when exactly one such number is between the neighbours.
    const tens = s / 10;
    const isLower = below <= 40 * tens;
    const isUpper = 40 * tens + 40 <= above;
    if (isLower != isUpper) {
      decimalExponent = k + 1;
      return tens + u64(isUpper);
    }
  }
  decimalExponent = k;
  const isLower = below <= 4 * s;
  const isUpper = 4 * s + 4 <= above;
  if (isLower != isUpper) return s + u64(isUpper);
  const half = 4 * s + 2;
  return s + u64(middle > half || (middle == half && (s & 1) == 1));
}

function roundedToOdd(high: u64, low: u64, factor: u64): u64 {
  const carried = multiplyHigh(low, factor);
  const lower = high * factor + carried;
  const upper = multiplyHigh(high, factor) + u64(lower < carried);
  return upper | u64(lower > 1);
}
