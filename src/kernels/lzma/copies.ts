/** Patterns by which a match is copied whose distance is below 16: its bytes repeated, as many as fit a vector. */
import { take } from '../merge/memory';

/** Of each distance: the places of the bytes, 16 of them. */
export let patterns: usize = 0;
/** Of each distance: its greatest multiple up to 16. */
export let steps: usize = 0;

export function layOutCopies(): void {
  patterns = take(16 * 16);
  steps = take(16);
  for (let distance: u32 = 1; distance < 16; distance++) {
    for (let index: u32 = 0; index < 16; index++) store<u8>(patterns + distance * 16 + index, <u8>(index % distance));
    store<u8>(steps + distance, <u8>(16 - (16 % distance)));
  }
}
