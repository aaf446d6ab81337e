/**
 * Reads the record of a submission (docs/formats/submissions.md 3.4): notes its histograms and simple measurements, and where the
 * values begin that the host reads. Reads what browsers write, with a blank behind a colon or comma or without; anything else the
 * host reads, by the reader that is the reference.
 */
import { take } from '../merge/memory';
import { after, readNumber } from '../merge/read-numbers';
import { behindComma, behindName, nameLength } from './members';
import { beginNoting, readHistograms } from './read-histograms';
import { beginSimple, noteSimpleOf } from './simple-measures';
import { behindValue } from './skip-values';

const MINUS: u8 = 0x2d;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** Names, or parts of eight, four and two bytes of them, as they lie in memory. */
const HISTOGRA: u64 = 0x6172676f74736968;
const MS: u16 = 0x736d;
const SIMPLE_ME: u64 = 0x654d656c706d6973;
const ASUREMEN: u64 = 0x6e656d6572757361;
const TS: u16 = 0x7374;
const INFO_: u32 = 0x6f666e69;
const VE: u16 = 0x6576;
const ER: u16 = 0x7265;
const OS: u16 = 0x534f;
const VERS: u32 = 0x73726576;
const SION: u32 = 0x6e6f6973;
const ARCH: u32 = 0x68637261;
const REVISION: u64 = 0x6e6f697369766572;

/** Kinds of objects: a submission, its `info`, its `simpleMeasurements`, an object in the latter. */
const SUBMISSION: u32 = 0;
const INFO: u32 = 1;
const SIMPLE: u32 = 2;
const GROUP: u32 = 3;

/** How often `histograms` may come in one submission; the host says so of one that has more. */
const MAX_OBJECTS: u32 = 8;

/**
 * Where values begin in the line, of 32 bits each, 0 for one that is missing: of `ver` and `info`, and of OS, version, arch and
 * revision in the latter.
 */
export let valuePlaces: usize = 0;
const PLACES: usize = 6;
const OF_INFO: usize = 2;

let channelVersion: u32 = 0;
let objects: u32 = 0;

export function layOutValues(): void {
  valuePlaces = take(PLACES * 4);
}

/** Reads the record at `at`. @returns behind it; 0 when the host must read it, from its start */
export function readSubmission(at: usize, newChannelVersion: u32): usize {
  channelVersion = newChannelVersion;
  objects = 0;
  beginNoting();
  beginSimple();
  memory.fill(valuePlaces, 0, PLACES * 4);
  return readObject(at, SUBMISSION, 0, 0);
}

/** The same for `info` alone. */
export function readInfo(at: usize): usize {
  memory.fill(valuePlaces + OF_INFO * 4, 0, (PLACES - OF_INFO) * 4);
  return readObject(at, INFO, 0, 0);
}

/** The same for `simpleMeasurements` alone. */
export function readSimple(at: usize): usize {
  beginSimple();
  return readObject(at, SIMPLE, 0, 0);
}

/** @param object name of the object, when that is one in `simpleMeasurements` */
function readObject(at: usize, kind: u32, object: usize, objectLength: u32): usize {
  if (load<u8>(at) != OPEN) return 0;
  let p = at + 1;
  if (load<u8>(p) == CLOSE) return p + 1;
  while (true) {
    const name = p + 1;
    p = behindName(p);
    if (p == 0) return 0;
    const length = nameLength;
    if (kind == SUBMISSION) p = readMember(name, length, p);
    else if (kind == INFO) p = readInfoMember(name, length, p);
    else p = readSimpleMember(kind, object, objectLength, name, length, p);
    if (p == 0) return 0;
    if (load<u8>(p) == CLOSE) return p + 1;
    p = behindComma(p);
    if (p == 0) return 0;
  }
}

/** Of members that come twice, the last one counts. */
function readMember(name: usize, length: u32, value: usize): usize {
  if (length == 10 && load<u64>(name) == HISTOGRA && load<u16>(name, 8) == MS) {
    objects += 1;
    beginNoting();
    return objects > MAX_OBJECTS ? 0 : readHistograms(value, channelVersion);
  }
  if (length == 18 && load<u64>(name) == SIMPLE_ME && load<u64>(name, 8) == ASUREMEN && load<u16>(name, 16) == TS)
    return readSimple(value);
  if (length == 4 && load<u32>(name) == INFO_) {
    store<u32>(valuePlaces, <u32>value, 4);
    return readInfo(value);
  }
  if (length == 3 && load<u16>(name) == VE && load<u16>(name, 1) == ER) store<u32>(valuePlaces, <u32>value);
  return behindValue(value);
}

function readInfoMember(name: usize, length: u32, value: usize): usize {
  if (length == 2 && load<u16>(name) == OS) store<u32>(valuePlaces, <u32>value, 8);
  else if (length == 7 && load<u32>(name) == VERS && load<u32>(name, 3) == SION)
    store<u32>(valuePlaces, <u32>value, 12);
  else if (length == 4 && load<u32>(name) == ARCH) store<u32>(valuePlaces, <u32>value, 16);
  else if (length == 8 && load<u64>(name) == REVISION) store<u32>(valuePlaces, <u32>value, 20);
  return behindValue(value);
}

function readSimpleMember(kind: u32, object: usize, objectLength: u32, name: usize, length: u32, value: usize): usize {
  const byte = load<u8>(value);
  if (byte == MINUS || <u32>byte - 48 < 10) {
    const number = readNumber(value);
    const behind = after;
    return behind != 0 && noteSimpleOf(object, objectLength, name, length, number) ? behind : 0;
  }
  return byte == OPEN && kind == SIMPLE ? readObject(value, GROUP, name, length) : behindValue(value);
}
