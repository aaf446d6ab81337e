/** Folds the sums of one measure into the rows of one by-date. */
import { MAX_ROW, take } from '../merge/memory';
import { addRow, beginRows, paths, useRow, useRule, VALUES } from '../merge/rows';
import { find, hashOf, keep, textOf } from '../merge/texts';
import { nameOf } from './names';
import { filterPaths, ROW, rowOf, sourceOf, Sum } from './sums';

const DATE_BYTES: u32 = 8;
/** `date/`, and a path of 1,024 characters of at most six bytes. */
const PATH_BYTES: usize = 9 + 6144 + 64;

let text: usize = 0;
let places: usize = 0;
let numbers: usize = 0;

export const FOLD_BYTES: usize = PATH_BYTES + <usize>MAX_ROW * 12 + 4096;

export function layOutFold(): void {
  text = take(PATH_BYTES);
  places = take(<usize>MAX_ROW * 4);
  numbers = take(<usize>MAX_ROW * 8);
}

/** Begins an empty table and adds all rows of the measure. */
export function foldName(number: u32, bySubmissionDate: bool): void {
  const name = nameOf(number);
  beginRows(name.isSimple);
  useRule(name.isSimple, 1);
  for (let at = name.first; at != 0; at = changetype<Sum>(at).next) {
    const source = sourceOf(changetype<Sum>(at).source);
    if (bySubmissionDate && source.hasSubmissionDate == 0) continue;
    const row = rowOf(at);
    useRow(places, numbers, row.length, unpack(at + ROW + VALUES, row.length));
    const path = textOf(filterPaths, row.path);
    const date = bySubmissionDate ? source.submissionDate : source.buildDate;
    addRow(datedPath(date, path.at, path.length, path.odd, path.units), row.end);
  }
}

/** Notes the numbers that are not 0. @returns how many */
function unpack(values: usize, length: u32): u32 {
  let filled: u32 = 0;
  for (let place: u32 = 0; place < length; place++) {
    while (
      place + 4 <= length &&
      !v128.any_true(v128.or(v128.load(values + <usize>place * 8), v128.load(values + <usize>place * 8, 16)))
    )
      place += 4;
    if (place == length) break;
    const number = load<f64>(values + <usize>place * 8);
    if (number == 0) continue;
    store<u32>(places + <usize>filled * 4, place);
    store<f64>(numbers + <usize>filled * 8, number);
    filled += 1;
  }
  return filled;
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
