/** What stands between the values of an object, as browsers write it: with a blank behind a colon or comma, or without. */

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const BLANK: u8 = 0x20;

/** Of the name that `behindName` found, which begins behind the quote that it was given. */
export let nameLength: u32 = 0;

/** The value behind the name whose quote is at `at`; 0 when the host must look at it. */
export function behindName(at: usize): usize {
  if (load<u8>(at) != QUOTE) return 0;
  const close = endOfName(at + 1);
  if (close == 0) return 0;
  nameLength = <u32>(close - at - 1);
  return behindColon(close + 1);
}

/** Behind a colon and the blank that may follow it; 0 for anything else. */
export function behindColon(at: usize): usize {
  return load<u8>(at) == COLON ? behindBlank(at + 1) : 0;
}

/** The same for a comma. */
export function behindComma(at: usize): usize {
  return load<u8>(at) == COMMA ? behindBlank(at + 1) : 0;
}

function behindBlank(at: usize): usize {
  return load<u8>(at) == BLANK ? at + 1 : at;
}

/** The closing quote; 0 when something stands before it that the host must look at. */
function endOfName(at: usize): usize {
  const quote = i8x16.splat(QUOTE);
  const escape = i8x16.splat(0x5c);
  const blank = i8x16.splat(BLANK);
  let p = at;
  while (true) {
    const bytes = v128.load(p);
    // As signed numbers, bytes beyond ASCII are below a blank too.
    const found = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, escape)), i8x16.lt_s(bytes, blank)),
    );
    if (found == 0) {
      p += 16;
      continue;
    }
    p += ctz(found);
    return load<u8>(p) == QUOTE ? p : 0;
  }
}
