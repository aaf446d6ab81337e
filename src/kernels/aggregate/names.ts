/** Names of histograms and of simple measures, of one channel/version each: a measure, or no measure at all. */
import { areEqual, hashOf } from '../merge/texts';
import { take } from '../merge/memory';
import { newName } from './host';

/** Flags that the host gives: it is a measure; it is a simple one. */
const MEASURE: u32 = 1;
const SIMPLE: u32 = 2;

@unmanaged
export class Name {
  /** Its bytes. */
  at: usize;
  length: u32;
  hash: u32;
  /** Number of its channel/version. */
  channelVersion: u32;
  flags: u32;
  /** Number of the submission that had it last, as a histogram and as a simple measurement. */
  record: u32;
  simpleRecord: u32;
  /** Its first and last row in the table. */
  first: usize;
  last: usize;
  /** Its first and last chunk of packed rows. */
  firstChunk: usize;
  lastChunk: usize;
  /** In its packed rows. */
  submissions: f64;
  /** How many files its packed rows are of, and the first and the last of these. */
  files: u32;
  firstFile: u32;
  lastFile: u32;

  get isMeasure(): bool {
    return (this.flags & MEASURE) != 0;
  }
  get isSimple(): bool {
    return (this.flags & SIMPLE) != 0;
  }
}

const NAME_BYTES: usize = offsetof<Name>();
/**
 * One submission has 4,000 histograms at most, eight times, and 4,000 simple measurements; beyond `MANY` the host writes the
 * sums and clears all.
 */
const MOST: u32 = 1 << 17;
const MANY: u32 = MOST / 4;
/** Longest name that is kept: no measure may have a longer one (`MAX_MEASURE`). */
export const MAX_NAME: u32 = 128;

let slots: usize = 0;
let entries: usize = 0;
let pool: usize = 0;
let free: usize = 0;
let seed: u32 = 0;
export let nameCount: u32 = 0;

export function layOutNames(newSeed: u32): void {
  seed = newSeed;
  slots = take(<usize>MOST * 2 * 4);
  entries = take((<usize>MOST + 1) * NAME_BYTES);
  pool = take(<usize>MOST * MAX_NAME);
  free = pool;
}

export const NAMES_BYTES: usize = <usize>MOST * (8 + NAME_BYTES + MAX_NAME) + 8192;

export function clearNames(): void {
  memory.fill(slots, 0, <usize>MOST * 2 * 4);
  nameCount = 0;
  free = pool;
}

export function hasManyNames(): bool {
  return nameCount > MANY;
}

/** Numbers begin at 1. */
export function nameOf(number: u32): Name {
  return changetype<Name>(entries + <usize>number * NAME_BYTES);
}

/** @returns 0 for a name that is too long for any measure */
export function findName(at: usize, length: u32, channelVersion: u32): u32 {
  if (length > MAX_NAME) return 0;
  const hash = hashOf(at, length, seed + channelVersion);
  let slot = hash & (MOST * 2 - 1);
  while (true) {
    const number = load<u32>(slots + <usize>slot * 4);
    if (number == 0) break;
    const name = nameOf(number);
    if (
      name.hash == hash &&
      name.length == length &&
      name.channelVersion == channelVersion &&
      areEqual(name.at, at, length)
    )
      return number;
    slot = (slot + 1) & (MOST * 2 - 1);
  }
  nameCount += 1;
  store<u32>(slots + <usize>slot * 4, nameCount);
  const name = nameOf(nameCount);
  memory.copy(free, at, length);
  name.at = free;
  name.length = length;
  name.hash = hash;
  name.channelVersion = channelVersion;
  name.flags = newName(at, length);
  name.record = 0;
  name.simpleRecord = 0;
  name.first = 0;
  name.last = 0;
  name.firstChunk = 0;
  name.lastChunk = 0;
  name.submissions = 0;
  name.files = 0;
  free += length;
  return nameCount;
}
