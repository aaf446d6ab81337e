/**
 * Texts by their bytes: each one that comes often (a path, the end of an aggregate, a key) is kept once and known by a
 * number. The host is asked what a new text means; from then on only bytes are compared.
 */
import { take } from './memory';

/** What is known of one text. */
@unmanaged
export class Text {
  /** Its bytes. */
  at: usize;
  length: u32;
  hash: u32;
  /** The text that stands for it: itself, or the same one in its usual spelling; 0 for an end that the host must read. */
  meaning: u32;
  /** UTF-16 units: of a path decoded, of an end as it is. */
  units: u32;
  /** Not plain ASCII: the host compares it. */
  odd: u32;
  /** Of an end: digits of the build id. */
  buildDigits: u32;
  /** Of a path: its place among all paths, from 1; 0 for one that came later than they were sorted. */
  rank: u32;
  /** Of a path: the key in which it was seen last, its first row there, the end that it last had. */
  key: u32;
  row: usize;
  end: u32;
}

const TEXT_BYTES: usize = offsetof<Text>();

@unmanaged
export class Texts {
  slots: usize;
  mask: u32;
  entries: usize;
  bytes: usize;
  /** Next free byte. */
  free: usize;
  count: u32;
  seed: u32;
}

const FIRST_MASK: u32 = (1 << 13) - 1;

/** Room that `makeTexts` takes, and a little more. */
export function textsBytes(most: u32, poolBytes: usize): usize {
  return <usize>most * (16 + TEXT_BYTES) + poolBytes + 4096;
}

/**
 * @param most texts
 * @param poolBytes room for their bytes
 * @param seed chosen at random, so that nobody can make texts that all fall on one slot
 */
export function makeTexts(most: u32, poolBytes: usize, seed: u32): Texts {
  const texts = changetype<Texts>(take(offsetof<Texts>()));
  texts.slots = take(<usize>most * 16);
  texts.mask = FIRST_MASK;
  texts.entries = take((<usize>most + 1) * TEXT_BYTES);
  texts.bytes = take(poolBytes);
  texts.free = texts.bytes;
  texts.count = 0;
  texts.seed = seed;
  return texts;
}

export function clearTexts(texts: Texts): void {
  memory.fill(texts.slots, 0, (<usize>texts.mask + 1) * 4);
  texts.mask = FIRST_MASK;
  texts.count = 0;
  texts.free = texts.bytes;
}

/** The text of a number; numbers begin at 1. */
export function textOf(texts: Texts, number: u32): Text {
  return changetype<Text>(texts.entries + <usize>number * TEXT_BYTES);
}

const FACTOR: u64 = 0x9e3779b97f4a7c15;

export function hashOf(at: usize, length: u32, seed: u32): u32 {
  let hash: u64 = (((<u64>seed) << 32) ^ (<u64>length)) * FACTOR;
  let place: u32 = 0;
  while (place + 8 <= length) {
    hash = (hash ^ load<u64>(at + place)) * FACTOR;
    hash ^= hash >> 29;
    place += 8;
  }
  if (place < length) {
    const rest = load<u64>(at + place) & ~(u64.MAX_VALUE << u64((length - place) * 8));
    hash = (hash ^ rest) * FACTOR;
    hash ^= hash >> 29;
  }
  return <u32>((hash * FACTOR) >> 32);
}

/** Both have room for a vector behind them. */
export function areEqual(a: usize, b: usize, length: u32): bool {
  let place: u32 = 0;
  while (place + 16 <= length) {
    if (v128.any_true(v128.xor(v128.load(a + place), v128.load(b + place)))) return false;
    place += 16;
  }
  const differ = i8x16.bitmask(i8x16.ne(v128.load(a + place), v128.load(b + place)));
  return (differ & ((1 << (length - place)) - 1)) == 0;
}

/** The order of two texts by their bytes. */
export function compareBytes(a: usize, lengthOfA: u32, b: usize, lengthOfB: u32): i32 {
  const common = min(lengthOfA, lengthOfB);
  let place: u32 = 0;
  while (place < common) {
    let differ = i8x16.bitmask(i8x16.ne(v128.load(a + place), v128.load(b + place)));
    const left = common - place;
    if (left < 16) differ &= (1 << left) - 1;
    if (differ != 0) {
      const at = place + <u32>ctz(differ);
      return <i32>load<u8>(a + at) - <i32>load<u8>(b + at);
    }
    place += 16;
  }
  return <i32>lengthOfA - <i32>lengthOfB;
}

/** The first quote, backslash or control character at or behind `at`; every line ends with one. */
export function nextSpecial(at: usize): usize {
  const quote = i8x16.splat(0x22);
  const escape = i8x16.splat(0x5c);
  const blank = i8x16.splat(0x20);
  let p = at;
  while (true) {
    const bytes = v128.load(p);
    const found = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, escape)), i8x16.lt_u(bytes, blank)),
    );
    if (found != 0) return p + ctz(found);
    p += 16;
  }
}

/** The number of a text, 0 when it is new. */
export function find(texts: Texts, at: usize, length: u32, hash: u32): u32 {
  let slot = hash & texts.mask;
  while (true) {
    const number = load<u32>(texts.slots + <usize>slot * 4);
    if (number == 0) return 0;
    const text = textOf(texts, number);
    if (text.hash == hash && text.length == length && areEqual(text.at, at, length)) return number;
    slot = (slot + 1) & texts.mask;
  }
}

/** Keeps a new text, as one of plain ASCII that stands for itself. */
export function keep(texts: Texts, at: usize, length: u32, hash: u32): u32 {
  if (texts.count >= texts.mask / 2) spread(texts);
  texts.count += 1;
  const number = texts.count;
  const text = textOf(texts, number);
  memory.copy(texts.free, at, length);
  text.at = texts.free;
  text.length = length;
  text.hash = hash;
  text.meaning = number;
  text.units = length;
  text.odd = 0;
  text.buildDigits = 0;
  text.rank = 0;
  text.key = 0;
  text.row = 0;
  text.end = 0;
  texts.free += length;
  fill(texts, number, hash);
  return number;
}

/** Twice as many slots. */
function spread(texts: Texts): void {
  texts.mask = texts.mask * 2 + 1;
  memory.fill(texts.slots, 0, (<usize>texts.mask + 1) * 4);
  for (let number: u32 = 1; number <= texts.count; number++) fill(texts, number, textOf(texts, number).hash);
}

function fill(texts: Texts, number: u32, hash: u32): void {
  let slot = hash & texts.mask;
  while (load<u32>(texts.slots + <usize>slot * 4) != 0) slot = (slot + 1) & texts.mask;
  store<u32>(texts.slots + <usize>slot * 4, number);
}
