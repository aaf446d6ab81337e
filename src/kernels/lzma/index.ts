/**
 * Decodes one LZMA-alone stream after the other (docs/formats/submissions.md 3.1). What the host calls
 * (`src/kernels/lzma-kernel.ts`).
 *
 * A stream: a header of 13 bytes, which the host reads; the coder's first 5 bytes; symbols; an end mark, or as many bytes as the
 * header says, or both.
 *
 * Memory, one region after the other: patterns, probabilities (28 kB at most), the input with room behind it, and the window. The
 * window is not a ring: a match is always one piece of it, and so is the output, which the host reads where it is. It has room
 * for the dictionary and a quarter more, 1 MiB at least; when that is used up, as much as the dictionary is moved to its
 * front. Pages that are never written cost address space only.
 */
import { take } from '../merge/memory';
import { layOutCopies } from './copies';
import { layOutProbabilities } from './probabilities';
import {
  beginSymbols,
  DAMAGED,
  END,
  GO_ON,
  goOnFrom,
  goOnTo,
  inputAt,
  mayEnd,
  outputAt,
  readSymbols,
  takeByte,
  wantsByte,
} from './symbols';

export { goOnFrom, inputAt, outputAt };

/** The input ends in the middle of a symbol, or the stream without its end. */
const CUT: u32 = 3;

/** Input that one symbol takes at most: 20 bytes by the specification, and one before the end. */
const MOST_INPUT: usize = 24;
/** Output of a symbol that a limit does not stop, and what is written behind it. */
const MOST_OUTPUT: usize = 512;
const BLOCK: usize = 256 << 10;
const MIN_ROOM: usize = 1 << 20;
const PAGE: usize = 65_536;

let window: usize = 0;
let windowEnd: usize = 0;
let dictionary: usize = 0;
let block: usize = 0;
/** Bytes that are still to come, when the header says how many. */
let isSizeKnown: bool = false;
let left: u64 = 0;

/** Lays out the memory. @returns where the input goes: `inputBytes`, and 32 more that are its end */
export function setUp(inputBytes: usize): usize {
  layOutCopies();
  layOutProbabilities();
  const input = take(inputBytes + 32);
  // The byte before the first is read as well; places count from a multiple of 16.
  window = (take(0) + 32) & ~15;
  return input;
}

/**
 * Begins a stream.
 * @param size decoded bytes; negative when they are unknown
 * @param code the first four bytes after the one that is always 0
 * @returns whether there is memory for it
 */
export function begin(lc: u32, lp: u32, pb: u32, dictionaryBytes: u32, size: i64, code: u32, input: usize): bool {
  dictionary = dictionaryBytes;
  windowEnd = window + dictionary + max<usize>(dictionary >> 2, MIN_ROOM) + MOST_OUTPUT;
  const pages = (windowEnd + PAGE - 1) / PAGE;
  const has = <usize>memory.size();
  if (pages > has && memory.grow(<i32>(pages - has)) < 0) return false;
  isSizeKnown = size >= 0;
  left = <u64>size;
  block = window;
  beginSymbols(lc, lp, pb, dictionaryBytes, code, input, window);
  return true;
}

/** The block that was decoded, up to `outputAt`. */
export function blockAt(): usize {
  return block;
}

/**
 * Decodes a block, or until there may be no whole symbol in the input.
 * @param end of the input
 * @param isLast whether nothing follows it; 32 bytes behind the end are 0 then
 */
export function decode(end: usize, isLast: bool): u32 {
  if (outputAt() + BLOCK + MOST_OUTPUT > windowEnd) moveWindow();
  block = outputAt();
  const result = decodeSymbols(end, isLast, block + (isSizeKnown ? <usize>min<u64>(BLOCK, left) : BLOCK));
  if (!isSizeKnown) return result;
  const decoded = <u64>(outputAt() - block);
  if (decoded > left) {
    goOnTo(block + <usize>left);
    left = 0;
    return DAMAGED;
  }
  left -= decoded;
  // A mark must not come before the end.
  if (result != GO_ON) return result == END ? DAMAGED : result;
  return left == 0 ? findEnd(end, isLast) : GO_ON;
}

function decodeSymbols(end: usize, isLast: bool, limit: usize): u32 {
  let result = GO_ON;
  if (inputAt() + MOST_INPUT < end && outputAt() < limit) result = readSymbols(end - MOST_INPUT, limit);
  if (!isLast) return result;
  // One after the other, since the input may end in any of them.
  while (result == GO_ON && outputAt() < limit) {
    const before = outputAt();
    result = readSymbols(inputAt(), limit);
    if (inputAt() > end) {
      goOnTo(before);
      return CUT;
    }
  }
  return result;
}

/** After all bytes that the header promised: the stream may end, or have a mark. */
function findEnd(end: usize, isLast: bool): u32 {
  if (!isLast && inputAt() + MOST_INPUT >= end) return GO_ON;
  if (wantsByte()) takeByte();
  if (inputAt() > end) return CUT;
  if (mayEnd()) return END;
  const before = outputAt();
  const result = readSymbols(inputAt(), before);
  goOnTo(before);
  if (inputAt() > end) return CUT;
  return result == END ? END : DAMAGED;
}

/** What matches may reach moves to the front, by a multiple of 16. */
function moveWindow(): void {
  const by = (outputAt() - dictionary - window) & ~15;
  const from = window + by;
  memory.copy(window, from, outputAt() - from);
  goOnTo(outputAt() - by);
}
