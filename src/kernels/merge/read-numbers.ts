/** JSON numbers → doubles, rounded as `Number(text)` rounds them. */
import { numberAt } from './host';
import { multiplyHigh, powerExponent, powerHigh, powerLow } from './powers';

/** Behind the number that was read last; 0 when it was none. */
export let after: usize = 0;

/** For the host. */
export function numberEndsAt(at: usize): void {
  after = at;
}

/** 10⁰ … 10²², which are exact. */
const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);

/** That fit 64 bits whatever they are. */
const MAX_DIGITS: u32 = 19;

const COMMA: u8 = 0x2c;
const CLOSE_LIST: u8 = 0x5d;

/** Whether what `readElement` read was an integer of up to nine digits without a sign. */
export let isSmall: bool = false;

/** Reads a number of a list; `after` says where the comma or bracket behind it is, 0 when it is none or nothing such follows. */
export function readElement(at: usize): f64 {
  let p = at;
  let digit: u32 = <u32>load<u8>(p) - 48;
  let whole = digit;
  p += 1;
  if (digit < 10) {
    digit = <u32>load<u8>(p) - 48;
    if (digit < 10) {
      if (whole == 0) return none();
      const limit = p + 8;
      do {
        whole = whole * 10 + digit;
        p += 1;
        digit = <u32>load<u8>(p) - 48;
      } while (digit < 10 && p < limit);
    }
  } else whole = u32.MAX_VALUE; // A sign, or what is no number.
  let byte = load<u8>(p);
  isSmall = whole <= 999_999_999 && (byte == COMMA || byte == CLOSE_LIST);
  if (isSmall) {
    after = p;
    return <f64>whole;
  }
  const number = readNumber(at);
  if (after == 0) return number;
  byte = load<u8>(after);
  return byte == COMMA || byte == CLOSE_LIST ? number : none();
}

/** Reads the number at `at`; `after` says where it ends. */
export function readNumber(at: usize): f64 {
  let p = at;
  const isNegative = load<u8>(p) == 0x2d;
  if (isNegative) p += 1;
  const first = p;
  let mantissa: u64 = 0;
  let digit: u32 = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    mantissa = mantissa * 10 + digit;
    p += 1;
    digit = <u32>load<u8>(p) - 48;
  }
  let digits = <u32>(p - first);
  if (digits == 0 || (digits > 1 && load<u8>(first) == 0x30)) return none();
  let decimals: u32 = 0;
  if (load<u8>(p) == 0x2e) {
    p += 1;
    const firstDecimal = p;
    digit = <u32>load<u8>(p) - 48;
    while (digit < 10) {
      mantissa = mantissa * 10 + digit;
      p += 1;
      digit = <u32>load<u8>(p) - 48;
    }
    decimals = <u32>(p - firstDecimal);
    if (decimals == 0) return none();
    digits += decimals;
  }
  if (digits > MAX_DIGITS || (load<u8>(p) | 0x20) == 0x65) return numberAt(at);
  let value: f64;
  // Both parts are exact, so one division rounds correctly.
  if (mantissa <= 9007199254740992) value = <f64>mantissa / load<f64>(POWERS + ((<usize>decimals) << 3));
  else if (decimals == 0) value = <f64>mantissa;
  else {
    value = divided(mantissa, decimals);
    if (value < 0) return numberAt(at);
  }
  after = p;
  return isNegative ? -value : value;
}

function none(): f64 {
  after = 0;
  return 0;
}

/** mantissa / 10^decimals; −1 when 128 bits of the power do not tell how to round. */
function divided(mantissa: u64, decimals: u32): f64 {
  const zeros = clz(mantissa);
  const w = mantissa << zeros;
  const g = -(<i32>decimals);
  // The upper 128 of the 192 bits of w · g. The power is rounded up, so the last of them may be too high by 1.
  const carried = multiplyHigh(w, powerLow(g));
  const middle = w * powerHigh(g) + carried;
  const high = multiplyHigh(w, powerHigh(g)) + u64(middle < carried);
  // 53 bits and one to round by.
  const cut = 9 + (high >> 63);
  const rest = high & (((<u64>1) << cut) - 1);
  if (rest == 0 && middle < 4) return -1;
  if (rest == ((<u64>1) << cut) - 1 && middle > <u64>-4) return -1;
  const kept = high >> cut;
  const significand = (kept >> 1) + (kept & 1);
  const exponent = powerExponent(g) - <i32>zeros + 129 + <i32>cut;
  return <f64>significand * reinterpret<f64>((<u64>(exponent + 1023)) << 52);
}
