/**
 * Symbols of an LZMA stream: literals, matches, and matches that repeat one of the last four distances, by the public
 * specification of the format. One function, whose state is in local variables: as globals they would be written to memory
 * after each of the ten bits that a symbol has or more, and AssemblyScript has no other way to share what is spelled out here.
 *
 * A bit that decides what comes next is a branch. Those of a tree come without one, by `select`, because half of them cannot be
 * foretold, and the probabilities of both that may follow are loaded before the bit is known.
 */
import { patterns, steps } from './copies';
import {
  IS_LONG,
  IS_MATCH,
  IS_NOT_LAST,
  IS_NOT_SECOND,
  IS_NOT_THIRD,
  IS_REPEAT,
  LAST_BITS,
  LENGTHS,
  LITERAL_BYTES,
  LITERALS,
  LONG,
  LOW_BITS,
  MEDIUM,
  probabilities,
  REPEAT_LENGTHS,
  resetProbabilities,
  SHORT,
  SLOTS,
} from './probabilities';

/** How a call ends. */
export const GO_ON: u32 = 0;
export const END: u32 = 1;
export const DAMAGED: u32 = 2;

/** Below it, the next byte is taken. */
const TOP: u32 = 1 << 24;
const ROUND: u32 = <u32>(31 - 2048);
const END_MARK: u32 = 0xffffffff;

/** Next byte of the input. */
let inputNow: usize = 0;
let rangeNow: u32 = 0;
let codeNow: u32 = 0;
/** Where the next byte goes. */
let outputNow: usize = 0;
/** What the last symbols were: below 7 the last one was a literal. */
let stateNow: u32 = 0;
/** Distances less 1, the last one first. */
let distance1: u32 = 0;
let distance2: u32 = 0;
let distance3: u32 = 0;
let distance4: u32 = 0;
/** First byte that a match may begin with, and how far back. */
let windowBegin: usize = 0;
let farthest: u32 = 0;
/** Upper bits of the byte before that count for a literal, and lower ones of a place. */
let contextBits: u32 = 0;
let literalPlaces: u32 = 0;
let places: u32 = 0;

export function beginSymbols(lc: u32, lp: u32, pb: u32, dictionary: u32, code: u32, input: usize, output: usize): void {
  resetProbabilities();
  contextBits = lc;
  literalPlaces = (1 << lp) - 1;
  places = (1 << pb) - 1;
  farthest = dictionary;
  rangeNow = 0xffffffff;
  codeNow = code;
  inputNow = input;
  outputNow = output;
  windowBegin = output;
  stateNow = 0;
  distance1 = 0;
  distance2 = 0;
  distance3 = 0;
  distance4 = 0;
  store<u8>(output - 1, 0);
}

export function inputAt(): usize {
  return inputNow;
}

export function outputAt(): usize {
  return outputNow;
}

/** After the input was moved. */
export function goOnFrom(input: usize): void {
  inputNow = input;
}

/** After bytes of the output were taken back, or moved. */
export function goOnTo(output: usize): void {
  outputNow = output;
}

/** Whether the coder has to take a byte before it can tell the end. */
export function wantsByte(): bool {
  return rangeNow < TOP;
}

export function takeByte(): void {
  rangeNow <<= 8;
  codeNow = (codeNow << 8) | (<u32>load<u8>(inputNow));
  inputNow += 1;
}

/** Whether the stream may end here without a mark. */
export function mayEnd(): bool {
  return codeNow == 0;
}

/** Reads one symbol, and more as long as both limits are not reached: each symbol may pass them, by `MOST_INPUT` and `MOST_OUTPUT`. */
export function readSymbols(inputLimit: usize, outputLimit: usize): u32 {
  let input = inputNow;
  let range = rangeNow;
  let code = codeNow;
  let output = outputNow;
  let state = stateNow;
  let distance = distance1;
  let second = distance2;
  let third = distance3;
  let fourth = distance4;
  const all = probabilities;
  const begin = windowBegin;
  const dictionary = farthest;
  const lc = contextBits;
  const literalMask = literalPlaces;
  const placeMask = places;
  let result = GO_ON;
  // Of a bit: its probability and where that is; the part of the range below which it is 0; what may come next.
  let probability: u32 = 0;
  let at: usize = 0;
  let bound: u32 = 0;
  let isOne: bool = false;
  let both: u32 = 0;
  // Of a tree: its first probability, and the bits so far, with a 1 before them.
  let tree: usize = 0;
  let symbol: u32 = 0;
  let other: u32 = 0;
  let mark: u32 = 0;
  let bit: u32 = 0;
  let isNew = false;
  let lengths: usize = 0;
  let length: u32 = 0;
  let slot: u32 = 0;
  let bits: u32 = 0;
  let place: u32 = 0;
  let high: u32 = 0;
  let sign: u32 = 0;
  do {
    const position = <usize>((<u32>output) & placeMask);
    at = all + IS_MATCH + ((((<usize>state) << 4) + position) << 1);
    if (range < TOP) {
      range <<= 8;
      code = (code << 8) | (<u32>load<u8>(input));
      input += 1;
    }
    probability = load<u16>(at);
    bound = (range >> 11) * probability;
    if (code < bound) {
      range = bound;
      store<u16>(at, probability + ((2048 - probability) >> 5));
      // A literal: a tree by its place and the byte before it.
      tree =
        all +
        LITERALS +
        <usize>(((((<u32>output) & literalMask) << lc) + ((<u32>load<u8>(output - 1)) >> (8 - lc))) * LITERAL_BYTES);
      if (state < 7) {
        state = state < 4 ? 0 : state - 3;
        symbol = 1;
        probability = load<u16>(tree + 2);
        do {
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
        } while (symbol < 0x100);
      } else {
        state = state < 10 ? state - 3 : state - 6;
        // After a match: by the byte that it would have gone on with, as long as its bits are the same.
        other = load<u8>(output - distance - 1);
        mark = 0x100;
        symbol = 1;
        do {
          other <<= 1;
          bit = other & mark;
          at = tree + ((<usize>(mark + bit + symbol)) << 1);
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          probability = load<u16>(at);
          bound = (range >> 11) * probability;
          if (code < bound) {
            range = bound;
            store<u16>(at, probability + ((2048 - probability) >> 5));
            symbol <<= 1;
            mark &= ~bit;
          } else {
            range -= bound;
            code -= bound;
            store<u16>(at, probability - (probability >> 5));
            symbol = (symbol << 1) + 1;
            mark &= bit;
          }
        } while (symbol < 0x100);
      }
      store<u8>(output, <u8>symbol);
      output += 1;
      continue;
    } else {
      range -= bound;
      code -= bound;
      store<u16>(at, probability - (probability >> 5));
      at = all + IS_REPEAT + ((<usize>state) << 1);
      if (range < TOP) {
        range <<= 8;
        code = (code << 8) | (<u32>load<u8>(input));
        input += 1;
      }
      probability = load<u16>(at);
      bound = (range >> 11) * probability;
      if (code < bound) {
        range = bound;
        store<u16>(at, probability + ((2048 - probability) >> 5));
        fourth = third;
        third = second;
        second = distance;
        isNew = true;
        lengths = all + LENGTHS;
        state = state < 7 ? 7 : 10;
      } else {
        range -= bound;
        code -= bound;
        store<u16>(at, probability - (probability >> 5));
        at = all + IS_NOT_LAST + ((<usize>state) << 1);
        if (range < TOP) {
          range <<= 8;
          code = (code << 8) | (<u32>load<u8>(input));
          input += 1;
        }
        probability = load<u16>(at);
        bound = (range >> 11) * probability;
        if (code < bound) {
          range = bound;
          store<u16>(at, probability + ((2048 - probability) >> 5));
          at = all + IS_LONG + ((((<usize>state) << 4) + position) << 1);
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          probability = load<u16>(at);
          bound = (range >> 11) * probability;
          if (code < bound) {
            range = bound;
            store<u16>(at, probability + ((2048 - probability) >> 5));
            // One byte.
            if (distance >= <u32>(output - begin)) {
              result = DAMAGED;
              break;
            }
            state = state < 7 ? 9 : 11;
            store<u8>(output, load<u8>(output - distance - 1));
            output += 1;
            continue;
          } else {
            range -= bound;
            code -= bound;
            store<u16>(at, probability - (probability >> 5));
          }
        } else {
          range -= bound;
          code -= bound;
          store<u16>(at, probability - (probability >> 5));
          at = all + IS_NOT_SECOND + ((<usize>state) << 1);
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          probability = load<u16>(at);
          bound = (range >> 11) * probability;
          if (code < bound) {
            range = bound;
            store<u16>(at, probability + ((2048 - probability) >> 5));
            symbol = second;
          } else {
            range -= bound;
            code -= bound;
            store<u16>(at, probability - (probability >> 5));
            at = all + IS_NOT_THIRD + ((<usize>state) << 1);
            if (range < TOP) {
              range <<= 8;
              code = (code << 8) | (<u32>load<u8>(input));
              input += 1;
            }
            probability = load<u16>(at);
            bound = (range >> 11) * probability;
            if (code < bound) {
              range = bound;
              store<u16>(at, probability + ((2048 - probability) >> 5));
              symbol = third;
            } else {
              range -= bound;
              code -= bound;
              store<u16>(at, probability - (probability >> 5));
              symbol = fourth;
              fourth = third;
            }
            third = second;
          }
          second = distance;
          distance = symbol;
        }
        isNew = false;
        lengths = all + REPEAT_LENGTHS;
        state = state < 7 ? 8 : 11;
      }
    }
    at = lengths;
    if (range < TOP) {
      range <<= 8;
      code = (code << 8) | (<u32>load<u8>(input));
      input += 1;
    }
    probability = load<u16>(at);
    bound = (range >> 11) * probability;
    if (code < bound) {
      range = bound;
      store<u16>(at, probability + ((2048 - probability) >> 5));
      tree = lengths + SHORT + ((<usize>position) << 4);
      symbol = 1;
      probability = load<u16>(tree + 2);
      do {
        both = load<u32>(tree + ((<usize>symbol) << 2));
        if (range < TOP) {
          range <<= 8;
          code = (code << 8) | (<u32>load<u8>(input));
          input += 1;
        }
        bound = (range >> 11) * probability;
        isOne = code >= bound;
        store<u16>(
          tree + ((<usize>symbol) << 1),
          probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
        );
        range = select<u32>(range - bound, bound, isOne);
        code = select<u32>(code - bound, code, isOne);
        symbol = (symbol << 1) + u32(isOne);
        probability = select<u32>(both >> 16, both & 0xffff, isOne);
      } while (symbol < 8);
      length = symbol - 8 + 2;
    } else {
      range -= bound;
      code -= bound;
      store<u16>(at, probability - (probability >> 5));
      at = lengths + 2;
      if (range < TOP) {
        range <<= 8;
        code = (code << 8) | (<u32>load<u8>(input));
        input += 1;
      }
      probability = load<u16>(at);
      bound = (range >> 11) * probability;
      if (code < bound) {
        range = bound;
        store<u16>(at, probability + ((2048 - probability) >> 5));
        tree = lengths + MEDIUM + ((<usize>position) << 4);
        symbol = 1;
        probability = load<u16>(tree + 2);
        do {
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
        } while (symbol < 8);
        length = symbol - 8 + 10;
      } else {
        range -= bound;
        code -= bound;
        store<u16>(at, probability - (probability >> 5));
        tree = lengths + LONG;
        symbol = 1;
        probability = load<u16>(tree + 2);
        do {
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
        } while (symbol < 256);
        length = symbol - 256 + 18;
      }
    }
    if (isNew) {
      tree = all + SLOTS + ((<usize>min<u32>(length - 2, 3)) << 7);
      symbol = 1;
      probability = load<u16>(tree + 2);
      do {
        both = load<u32>(tree + ((<usize>symbol) << 2));
        if (range < TOP) {
          range <<= 8;
          code = (code << 8) | (<u32>load<u8>(input));
          input += 1;
        }
        bound = (range >> 11) * probability;
        isOne = code >= bound;
        store<u16>(
          tree + ((<usize>symbol) << 1),
          probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
        );
        range = select<u32>(range - bound, bound, isOne);
        code = select<u32>(code - bound, code, isOne);
        symbol = (symbol << 1) + u32(isOne);
        probability = select<u32>(both >> 16, both & 0xffff, isOne);
      } while (symbol < 64);
      slot = symbol - 64;
      distance = slot;
      if (slot >= 4) {
        bits = (slot >> 1) - 1;
        distance = (2 | (slot & 1)) << bits;
        symbol = 1;
        if (slot < 14) {
          tree = all + LOW_BITS + ((<usize>(distance - slot)) << 1);
          place = 0;
          do {
            probability = load<u16>(tree + ((<usize>symbol) << 1));
            if (range < TOP) {
              range <<= 8;
              code = (code << 8) | (<u32>load<u8>(input));
              input += 1;
            }
            bound = (range >> 11) * probability;
            isOne = code >= bound;
            store<u16>(
              tree + ((<usize>symbol) << 1),
              probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
            );
            range = select<u32>(range - bound, bound, isOne);
            code = select<u32>(code - bound, code, isOne);
            symbol = (symbol << 1) + u32(isOne);
            distance += u32(isOne) << place;
            place += 1;
          } while (place < bits);
        } else {
          // Bits of even chances, of which the sign is the bit.
          bits -= 4;
          high = 0;
          do {
            if (range < TOP) {
              range <<= 8;
              code = (code << 8) | (<u32>load<u8>(input));
              input += 1;
            }
            range >>= 1;
            code -= range;
            sign = <u32>((<i32>code) >> 31);
            high = (high << 1) + (sign + 1);
            code += range & sign;
            bits -= 1;
          } while (bits > 0);
          distance += high << 4;
          tree = all + LAST_BITS;
          probability = load<u16>(tree + 2);
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
          distance += u32(isOne);
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
          distance += u32(isOne) << 1;
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          probability = select<u32>(both >> 16, both & 0xffff, isOne);
          distance += u32(isOne) << 2;
          both = load<u32>(tree + ((<usize>symbol) << 2));
          if (range < TOP) {
            range <<= 8;
            code = (code << 8) | (<u32>load<u8>(input));
            input += 1;
          }
          bound = (range >> 11) * probability;
          isOne = code >= bound;
          store<u16>(
            tree + ((<usize>symbol) << 1),
            probability - <u32>((<i32>(probability + select<u32>(0, ROUND, isOne))) >> 5),
          );
          range = select<u32>(range - bound, bound, isOne);
          code = select<u32>(code - bound, code, isOne);
          symbol = (symbol << 1) + u32(isOne);
          distance += u32(isOne) << 3;
          if (distance == END_MARK) {
            if (range < TOP) {
              range <<= 8;
              code = (code << 8) | (<u32>load<u8>(input));
              input += 1;
            }
            result = code == 0 ? END : DAMAGED;
            break;
          }
        }
      }
    }
    if (distance >= <u32>(output - begin) || distance >= dictionary) {
      result = DAMAGED;
      break;
    }
    const end = output + length;
    let from = output - distance - 1;
    // Bytes behind the end may be written: they come next, and there is room.
    if (distance >= 15) {
      do {
        v128.store(output, v128.load(from));
        output += 16;
        from += 16;
      } while (output < end);
    } else {
      const bytes = i8x16.swizzle(v128.load(from), v128.load(patterns + ((<usize>(distance + 1)) << 4)));
      const step = <usize>load<u8>(steps + distance + 1);
      do {
        v128.store(output, bytes);
        output += step;
      } while (output < end);
    }
    output = end;
  } while (input < inputLimit && output < outputLimit);
  inputNow = input;
  rangeNow = range;
  codeNow = code;
  outputNow = output;
  stateNow = state;
  distance1 = distance;
  distance2 = second;
  distance3 = third;
  distance4 = fourth;
  return result;
}
