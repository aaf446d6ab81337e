/**
 * Where the coder's probabilities are: 11 bits each, as two bytes, for one bit of the stream after what came before it.
 * A tree of n bits has 2^n of them, of which the first is not used: that of the bit behind the bits read so far, with a 1
 * before these, so that both that may come next stand side by side.
 */
import { take } from '../merge/memory';

const STATES: usize = 12;
const POSITIONS: usize = 16;
const BYTES: usize = 2;

export const IS_MATCH: usize = 0;
export const IS_REPEAT: usize = IS_MATCH + STATES * POSITIONS * BYTES;
export const IS_NOT_LAST: usize = IS_REPEAT + STATES * BYTES;
export const IS_NOT_SECOND: usize = IS_NOT_LAST + STATES * BYTES;
export const IS_NOT_THIRD: usize = IS_NOT_SECOND + STATES * BYTES;
export const IS_LONG: usize = IS_NOT_THIRD + STATES * BYTES;
/** Of a distance, by length: its slot. */
export const SLOTS: usize = IS_LONG + STATES * POSITIONS * BYTES;
/** Its lower bits, by slot. */
export const LOW_BITS: usize = SLOTS + 4 * 64 * BYTES;
export const LAST_BITS: usize = LOW_BITS + 128 * BYTES;
/** Two choices, then the three trees of a length; once for matches, once for those that repeat a distance. */
export const LENGTHS: usize = LAST_BITS + 16 * BYTES;
export const SHORT: usize = 2 * BYTES;
export const MEDIUM: usize = SHORT + POSITIONS * 8 * BYTES;
export const LONG: usize = MEDIUM + POSITIONS * 8 * BYTES;
const LENGTH_BYTES: usize = LONG + 256 * BYTES;
export const REPEAT_LENGTHS: usize = LENGTHS + LENGTH_BYTES;
/** Three trees for each context of a literal. */
export const LITERALS: usize = REPEAT_LENGTHS + LENGTH_BYTES;
export const LITERAL_BYTES: u32 = 0x300 * 2;
/** liblzma takes no more than 4 bits of context. */
const CONTEXTS: usize = 1 << 4;
const ALL: usize = LITERALS + CONTEXTS * LITERAL_BYTES;

const HALF: u16 = 1024;

export let probabilities: usize = 0;

export function layOutProbabilities(): void {
  probabilities = take(ALL);
}

export function resetProbabilities(): void {
  for (let at: usize = 0; at < ALL; at += BYTES) store<u16>(probabilities + at, HALF);
}
