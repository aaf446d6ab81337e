/**
 * Lines of parts as they come (`part-line.ts`), from bytes: a line repeats most of the one before, since they are sorted, and
 * of what it does not repeat there are few builds and dates. All others are read as JSON.
 */
import { type PartSlot, readPartLine } from './part-line.ts';
import type { ByDate } from './slot.ts';
import { TextValues } from './text-values.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const DELETE = 0x7f;

const DATE_DIGITS = 8;
/** Of a build id that is known by its number, which is exact. */
const BUILD_DIGITS = 15;
/** Known dates, and known builds. Submitters can invent both. */
const MAX_KNOWN = 1 << 12;

interface Head {
  readonly channelVersion: string;
  readonly measure: string;
  readonly byDate: ByDate;
}

interface Build {
  /** From the build id to the values. */
  readonly text: Buffer;
  readonly buildId: string;
  readonly revision: string;
}

const NONE = Buffer.alloc(0);

export class PartLines {
  readonly #dates = new Map<number, string>();
  readonly #builds = new Map<number, Build>();
  /** `["channel/version","measure","by-date",` of the line before, and its path in quotation marks. */
  #headText: Buffer = NONE;
  #head: Head | undefined;
  #pathText: Buffer = NONE;
  #pathStart = 0;
  #pathEnd = 0;
  #path = '';
  /** Behind what was read last. */
  #at = 0;

  /**
   * Reads the line at [start, end). Its values are these bytes, which must stay as they are.
   * @throws InvalidDataError `bad_part`
   */
  read(bytes: Buffer, start: number, end: number): PartSlot {
    return this.#readPlain(bytes, start, end) ?? readPartLine(bytes.toString('utf8', start, end));
  }

  /** @returns undefined for a line that is not as this project writes nearly all of them */
  #readPlain(bytes: Buffer, start: number, end: number): PartSlot | undefined {
    // Nothing behind the end is read: each text that is looked for has its last byte before these two.
    if (bytes[end - 1] !== CLOSE || bytes[end - 2] !== CLOSE) return undefined;
    const head = this.#readHead(bytes, start);
    if (head === undefined) return undefined;
    const path = this.#readPath(bytes, this.#at);
    const date = path === undefined ? undefined : this.#readDate(bytes, this.#at);
    const build = date === undefined ? undefined : this.#readBuild(bytes, this.#at);
    if (path === undefined || date === undefined || build === undefined) return undefined;
    const values = TextValues.at(bytes, this.#at, end - 2);
    if (values === undefined) return undefined;
    const { channelVersion, measure, byDate } = head;
    const { buildId, revision } = build;
    return { channelVersion, slot: { measure, byDate, path, date, values, buildId, revision } };
  }

  #readHead(bytes: Buffer, start: number): Head | undefined {
    const known = this.#headText;
    if (hasText(bytes, start, known)) {
      this.#at = start + known.length;
      return this.#head;
    }
    if (bytes[start] !== OPEN) return undefined;
    const channelVersion = this.#readText(bytes, start + 1);
    const measure = channelVersion === undefined ? undefined : this.#readText(bytes, this.#at);
    const byDate = measure === undefined ? undefined : this.#readText(bytes, this.#at);
    if (channelVersion === undefined || measure === undefined || byDate === undefined) return undefined;
    this.#headText = Buffer.from(bytes.subarray(start, this.#at));
    this.#head = { channelVersion, measure, byDate: byDate as ByDate };
    return this.#head;
  }

  #readPath(bytes: Buffer, start: number): string | undefined {
    if (hasText(bytes, start, this.#pathText, this.#pathStart, this.#pathEnd)) {
      this.#at = start + this.#pathEnd - this.#pathStart;
      return this.#path;
    }
    const path = this.#readText(bytes, start);
    if (path === undefined) return undefined;
    this.#pathText = bytes;
    this.#pathStart = start;
    this.#pathEnd = this.#at;
    this.#path = path;
    return path;
  }

  #readDate(bytes: Buffer, start: number): string | undefined {
    const number = numberAt(bytes, start + 1, start + 1 + DATE_DIGITS);
    const end = start + 1 + DATE_DIGITS;
    if (number < 0 || bytes[start] !== QUOTE || bytes[end] !== QUOTE || bytes[end + 1] !== COMMA) return undefined;
    this.#at = end + 2;
    let date = this.#dates.get(number);
    if (date === undefined) {
      date = bytes.toString('latin1', start + 1, end);
      if (this.#dates.size === MAX_KNOWN) this.#dates.clear();
      this.#dates.set(number, date);
    }
    return date;
  }

  #readBuild(bytes: Buffer, start: number): Omit<Build, 'text'> | undefined {
    let end = start + 1;
    while (isDigit(bytes[end]) && end - start <= BUILD_DIGITS) end += 1;
    const number = bytes[end] === QUOTE ? numberAt(bytes, start + 1, end) : -1;
    const known = this.#builds.get(number);
    if (known !== undefined && hasText(bytes, start, known.text)) {
      this.#at = start + known.text.length;
      return known;
    }
    const buildId = this.#readText(bytes, start);
    const revision = buildId === undefined ? undefined : this.#readText(bytes, this.#at);
    if (buildId === undefined || revision === undefined || bytes[this.#at] !== OPEN) return undefined;
    this.#at += 1;
    const build = { text: Buffer.from(bytes.subarray(start, this.#at)), buildId, revision };
    if (number < 0) return build;
    if (this.#builds.size === MAX_KNOWN) this.#builds.clear();
    this.#builds.set(number, build);
    return build;
  }

  /** Reads a text in quotation marks and the comma behind it; undefined when there is more to it than its bytes. */
  #readText(bytes: Buffer, start: number): string | undefined {
    if (bytes[start] !== QUOTE) return undefined;
    let at = start + 1;
    for (let byte = bytes[at] ?? 0; byte !== QUOTE; byte = bytes[at] ?? 0) {
      if (byte < SPACE || byte >= DELETE || byte === BACKSLASH) return undefined;
      at += 1;
    }
    if (bytes[at + 1] !== COMMA) return undefined;
    this.#at = at + 2;
    return bytes.toString('latin1', start + 1, at);
  }
}

/** Whether the text at [from, to) is there as well; an empty one is nowhere. */
function hasText(bytes: Buffer, start: number, text: Buffer, from = 0, to = text.length): boolean {
  const length = to - from;
  if (length === 0 || start + length > bytes.length) return false;
  // From the end, where texts of one kind differ.
  for (let index = length - 1; index >= 0; index -= 1) if (bytes[start + index] !== text[from + index]) return false;
  return true;
}

/** The number whose digits are there; −1 for anything else. */
function numberAt(bytes: Buffer, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (!isDigit(byte)) return -1;
    number = number * 10 + (byte - ZERO);
  }
  return number;
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
