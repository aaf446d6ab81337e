/** Values that nobody needs: checked as JSON and skipped. */
import { nextSpecial } from '../merge/texts';
import { behindColon, behindComma } from './members';

const QUOTE: u8 = 0x22;
const PLUS: u8 = 0x2b;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const OPEN_LIST: u8 = 0x5b;
const ESCAPE: u8 = 0x5c;
const CLOSE_LIST: u8 = 0x5d;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const E: u8 = 0x65;
const U: u8 = 0x75;

/** Fewer levels than the host takes, which reads what is deeper. */
const MAX_DEPTH: u32 = 32;

/** Behind the value at `at`; 0 when the host must look at it. */
export function behindValue(at: usize, depth: u32 = 0): usize {
  const byte = load<u8>(at);
  if (byte == QUOTE) return behindText(at + 1);
  if (byte == MINUS || isDigit(byte)) return behindNumber(at);
  if (byte == OPEN || byte == OPEN_LIST) return depth < MAX_DEPTH ? behindAll(at + 1, byte == OPEN, depth + 1) : 0;
  const word = load<u32>(at);
  if (word == 0x65757274 || word == 0x6c6c756e) return at + 4; // true, null
  return word == 0x736c6166 && load<u8>(at + 4) == 0x65 ? at + 5 : 0; // false
}

/** Behind an object or list, whose first member or element, if it has any, is at `at`. */
function behindAll(at: usize, isObject: bool, depth: u32): usize {
  const close = isObject ? CLOSE : CLOSE_LIST;
  let p = at;
  if (load<u8>(p) == close) return p + 1;
  while (true) {
    if (isObject) {
      p = load<u8>(p) == QUOTE ? behindText(p + 1) : 0;
      if (p != 0) p = behindColon(p);
      if (p == 0) return 0;
    }
    p = behindValue(p, depth);
    if (p == 0) return 0;
    if (load<u8>(p) == close) return p + 1;
    p = behindComma(p);
    if (p == 0) return 0;
  }
}

/** Behind a number, whose value nobody needs; 0 for what is none. */
function behindNumber(at: usize): usize {
  let p = load<u8>(at) == MINUS ? at + 1 : at;
  p = load<u8>(p) == ZERO ? p + 1 : behindDigits(p);
  if (p != 0 && load<u8>(p) == DOT) p = behindDigits(p + 1);
  if (p == 0 || (load<u8>(p) | 0x20) != E) return p;
  const sign = load<u8>(p + 1);
  return behindDigits(sign == PLUS || sign == MINUS ? p + 2 : p + 1);
}

/** Behind one digit or more; 0 for none. */
function behindDigits(at: usize): usize {
  let p = at;
  while (isDigit(load<u8>(p))) p += 1;
  return p == at ? 0 : p;
}

function isDigit(byte: u8): bool {
  return <u32>byte - 48 < 10;
}

/** Behind the closing quote of a text; 0 for a control character or a bad escape. */
function behindText(at: usize): usize {
  let p = at;
  while (true) {
    p = nextSpecial(p);
    const byte = load<u8>(p);
    if (byte == QUOTE) return p + 1;
    if (byte != ESCAPE) return 0;
    const escaped = load<u8>(p + 1);
    if (escaped == U) {
      for (let digit: usize = 2; digit < 6; digit++) if (!isHex(load<u8>(p + digit))) return 0;
      p += 6;
    } else if (isEscaped(escaped)) p += 2;
    else return 0;
  }
}

function isHex(byte: u8): bool {
  return isDigit(byte) || ((<u32>byte) | 0x20) - 0x61 < 6;
}

/** `"`, `\\`, `/`, b, f, n, r, t. */
function isEscaped(byte: u8): bool {
  switch (byte) {
    case QUOTE:
    case ESCAPE:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}
