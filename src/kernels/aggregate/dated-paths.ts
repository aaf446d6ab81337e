/** The rows of one measure and by-date: paths with dates. */
import { take } from '../merge/memory';
import { paths } from '../merge/rows';
import { find, hashOf, keep, textOf } from '../merge/texts';

const DATE_BYTES: u32 = 8;
/** `date/`, and a path of 1,024 characters of at most six bytes. */
const PATH_BYTES: usize = 9 + 6144 + 64;

let text: usize = 0;

export const DATED_BYTES: usize = PATH_BYTES + 4096;

export function layOutDated(): void {
  text = take(PATH_BYTES);
}

/** The text of a filter path with a date before it. */
export function datedPath(date: u64, at: usize, pathLength: u32, odd: u32, units: u32): u32 {
  store<u64>(text, date);
  store<u8>(text + DATE_BYTES, 0x2f);
  memory.copy(text + DATE_BYTES + 1, at, pathLength);
  const length = pathLength + DATE_BYTES + 1;
  const hash = hashOf(text, length, paths.seed);
  let number = find(paths, text, length, hash);
  if (number != 0) return number;
  number = keep(paths, text, length, hash);
  const kept = textOf(paths, number);
  kept.odd = odd;
  kept.units = units + DATE_BYTES + 1;
  return number;
}
