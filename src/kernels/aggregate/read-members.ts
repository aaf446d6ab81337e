/**
 * Reads an object of texts and numbers, as `info` and `simpleMeasurements` of a submission are, and notes its members: what they
 * mean is the host's to say. Objects in it may have members of that kind too. Reads what browsers write, with a blank behind a colon
 * or comma or without; anything else the host reads, by the reader that is the reference.
 */
import { take } from '../merge/memory';
import { after, readNumber } from '../merge/read-numbers';
import { clearTexts, find, hashOf, keep, makeTexts, nextSpecial, Texts, textsBytes } from '../merge/texts';
import { endOfName } from './read-histograms';

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const COLON: u8 = 0x3a;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const BLANK: u8 = 0x20;
const LF: u8 = 0x0a;

/** Kinds of values; the host knows them by these numbers. */
const OTHER: u32 = 0;
const NUMBER: u32 = 1;
const TEXT: u32 = 2;

@unmanaged
class Member {
  /** Number of its name. */
  name: u32;
  kind: u32;
  /** Place of a text, with its quote. */
  at: u32;
  /** Of a number. */
  value: f64;
}

const MEMBER_BYTES: usize = offsetof<Member>();
/** More of them in one object are for the host, and so are longer names. */
const MAX_MEMBERS: u32 = 4096;
const MAX_NAME: u32 = 256;
/** Names that are kept, with room for those of one object behind the number at which the host has them forgotten. */
const MAX_NAMES: u32 = 1 << 15;
/** A name may have that of its object before it. */
const NAME_BYTES: u32 = 2 * MAX_NAME + 1;

export const MEMBERS_BYTES: usize =
  <usize>MAX_MEMBERS * MEMBER_BYTES + textsBytes(MAX_NAMES, <usize>MAX_NAMES * NAME_BYTES) + NAME_BYTES + 4096;

export let members: usize = 0;
export let memberCount: u32 = 0;
/** `name`, or `object LF name`. */
export let memberNames: Texts = changetype<Texts>(0);
let joined: usize = 0;

export function layOutMembers(seed: u32): void {
  members = take(<usize>MAX_MEMBERS * MEMBER_BYTES);
  joined = take(NAME_BYTES);
  memberNames = makeTexts(MAX_NAMES, <usize>MAX_NAMES * NAME_BYTES, seed);
}

export function forgetMemberNames(): void {
  clearTexts(memberNames);
}

/** Reads the object at `at`. @returns behind it; 0 when the host must read it, from its start */
export function readMembers(at: usize): usize {
  memberCount = 0;
  return load<u8>(at) == OPEN ? readObject(at + 1, 0, 0) : 0;
}

/** @param object name of the object in which this one is; 0 for none */
function readObject(at: usize, object: usize, objectLength: u32): usize {
  let p = at;
  if (load<u8>(p) == CLOSE) return p + 1;
  while (true) {
    if (load<u8>(p) != QUOTE) return 0;
    const name = p + 1;
    const close = endOfName(name);
    if (close == 0 || load<u8>(close + 1) != COLON) return 0;
    const length = <u32>(close - name);
    p = close + 2;
    if (load<u8>(p) == BLANK) p += 1;
    const isObject = load<u8>(p) == OPEN;
    if (isObject && object != 0) return 0;
    const number = nameOf(object, objectLength, name, length);
    if (number == 0) return 0;
    p = readValue(p, number);
    if (p != 0 && isObject) p = readObject(p, name, length);
    if (p == 0) return 0;
    const byte = load<u8>(p);
    p += 1;
    if (byte == CLOSE) return p;
    if (byte != COMMA) return 0;
    if (load<u8>(p) == BLANK) p += 1;
  }
}

/** The number of a name; 0 when it is too long, or one too many. */
function nameOf(object: usize, objectLength: u32, name: usize, length: u32): u32 {
  if (length > MAX_NAME) return 0;
  let at = name;
  let bytes = length;
  if (object != 0) {
    memory.copy(joined, object, objectLength);
    store<u8>(joined + objectLength, LF);
    memory.copy(joined + objectLength + 1, name, length);
    at = joined;
    bytes = objectLength + 1 + length;
  }
  const hash = hashOf(at, bytes, memberNames.seed);
  const known = find(memberNames, at, bytes, hash);
  if (known != 0) return known;
  return memberNames.count == MAX_NAMES ? 0 : keep(memberNames, at, bytes, hash);
}

/** Notes the value at `at`, of an object its bracket. @returns behind it; 0 when the host must read it */
function readValue(at: usize, name: u32): usize {
  if (memberCount == MAX_MEMBERS) return 0;
  const member = changetype<Member>(members + <usize>memberCount * MEMBER_BYTES);
  memberCount += 1;
  member.name = name;
  member.kind = OTHER;
  const byte = load<u8>(at);
  if (byte == MINUS || <u32>byte - 48 < 10) {
    member.kind = NUMBER;
    member.value = readNumber(at);
    return after;
  }
  if (byte == QUOTE) {
    member.kind = TEXT;
    member.at = <u32>at;
    return behindText(at + 1);
  }
  if (byte == OPEN) return at + 1;
  const word = load<u32>(at);
  if (word == 0x65757274 || word == 0x6c6c756e) return at + 4; // true, null
  return word == 0x736c6166 && load<u8>(at + 4) == 0x65 ? at + 5 : 0; // false
}

/** Behind the closing quote; 0 for a text with escapes, which the host must look at. */
function behindText(at: usize): usize {
  const p = nextSpecial(at);
  return load<u8>(p) == QUOTE ? p + 1 : 0;
}
