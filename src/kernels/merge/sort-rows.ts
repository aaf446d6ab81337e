/** Puts rows in slot order: path after the date, date, length. */
import { orderOfPaths } from './host';
import { demand } from './memory';
import { arena, paths, Row, rowBytes, rowCount, used } from './rows';
import { compareBytes, textOf } from './texts';

const DATE_BYTES: u32 = 8;
/** Runs that are sorted by insertion before they are merged. */
const RUN: u32 = 8;

/** Places of the rows in order, after `sortRows`. */
export let sorted: usize = 0;

/** So many paths, the first ones, have ranks. */
let ranked: u32 = 0;

/** All paths were forgotten. */
export function forgetRanks(): void {
  ranked = 0;
}

export function sortRows(): void {
  const room = arena + used;
  const needsRanks = paths.count - ranked > max<u32>(ranked / 2, 64);
  demand(room + max(sortBytes(rowCount), needsRanks ? sortBytes(paths.count) : 0));
  if (needsRanks) rankPaths(room);
  let row = arena;
  for (let index: u32 = 0; index < rowCount; index++) {
    put(room, index, <u32>row);
    row += rowBytes(changetype<Row>(row).length);
  }
  sorted = sort(room, rowCount, false);
}

/**
 * Gives all paths ranks, by which rows are then sorted: there are few paths for many rows.
 * @param room for `sortBytes` of them
 */
function rankPaths(room: usize): void {
  let count: u32 = 0;
  for (let number: u32 = 1; number <= paths.count; number++) {
    // Other spellings of a path have no rows, and no place in the order.
    if (textOf(paths, number).meaning != number) continue;
    put(room, count, number);
    count += 1;
  }
  const inOrder = sort(room, count, true);
  for (let index: u32 = 0; index < count; index++) textOf(paths, itemAt(inOrder, index)).rank = index + 1;
  ranked = paths.count;
}

/** For the items, and as many again. */
function sortBytes(count: u32): usize {
  return 2 * halfBytes(count);
}

function halfBytes(count: u32): usize {
  return (<usize>count * 4 + 15) & ~15;
}

function itemAt(items: usize, index: u32): u32 {
  return load<u32>(items + <usize>index * 4);
}

function put(items: usize, index: u32, item: u32): void {
  store<u32>(items + <usize>index * 4, item);
}

/**
 * @param items places of rows or numbers of paths, at the start of `sortBytes` bytes
 * @returns where they are in order
 */
function sort(items: usize, count: u32, arePaths: bool): usize {
  let from = items;
  let to = items + halfBytes(count);
  for (let index: u32 = 1; index < count; index++) {
    const start = index - (index % RUN);
    const item = itemAt(from, index);
    let place = index;
    while (place > start) {
      const before = itemAt(from, place - 1);
      if (!isBefore(item, before, arePaths)) break;
      put(from, place, before);
      place -= 1;
    }
    put(from, place, item);
  }
  for (let width = RUN; width < count; width *= 2) {
    for (let start: u32 = 0; start < count; start += 2 * width)
      mergeRuns(from, to, start, min(start + width, count), min(start + 2 * width, count), arePaths);
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

function mergeRuns(from: usize, to: usize, start: u32, middle: u32, end: u32, arePaths: bool): void {
  let left = start;
  let right = middle;
  for (let index = start; index < end; index++) {
    const isRight = left == middle || (right < end && isBefore(itemAt(from, right), itemAt(from, left), arePaths));
    put(to, index, itemAt(from, isRight ? right : left));
    if (isRight) right += 1;
    else left += 1;
  }
}

function isBefore(a: u32, b: u32, arePaths: bool): bool {
  return arePaths ? comparePaths(a, b) < 0 : isRowBefore(changetype<Row>(<usize>a), changetype<Row>(<usize>b));
}

function isRowBefore(a: Row, b: Row): bool {
  if (a.path == b.path) return a.length < b.length;
  const rankOfA = textOf(paths, a.path).rank;
  const rankOfB = textOf(paths, b.path).rank;
  return rankOfA != 0 && rankOfB != 0 ? rankOfA < rankOfB : comparePaths(a.path, b.path) < 0;
}

function comparePaths(a: u32, b: u32): i32 {
  const x = textOf(paths, a);
  const y = textOf(paths, b);
  if (x.odd != 0 || y.odd != 0) return orderOfPaths(a, b);
  const behind = DATE_BYTES + 1;
  const byPath = compareBytes(x.at + behind, x.length - behind, y.at + behind, y.length - behind);
  return byPath != 0 ? byPath : compareBytes(x.at, DATE_BYTES, y.at, DATE_BYTES);
}
