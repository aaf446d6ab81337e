/**
 * Lines of parts as they come (`part-line.ts`), from bytes: a line has the measure of the one before, most of the time, and
 * its other texts were in earlier ones. Lines that are not as this project writes nearly all of them are read as JSON.
 */
import { type PartSlot, readPartLine } from './part-line.ts';
import type { ByDate } from './slot.ts';
import { TextValues } from './text-values.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const DELETE = 0x7f;

/** Texts that are kept; those of submitters can be any. */
const MAX_KNOWN = 1 << 14;
/** Of FNV-1a. */
const FIRST_HASH = 0x811c9dc5 | 0;
const FACTOR = 0x01000193;

interface Head {
  readonly channelVersion: string;
  readonly measure: string;
  readonly byDate: ByDate;
}

export class PartLines {
  /** By their hashes: of two with the same one the last one that came. */
  readonly #known = new Map<number, string>();
  /** `["channel/version","measure","by-date",` of the line before. */
  #headText: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  /** Behind what was read last. */
  #at = 0;

  /**
   * Reads the line at [start, end). Its values are these bytes, which must stay as they are.
   * @throws InvalidDataError `bad_part`
   */
  read(bytes: Buffer, start: number, end: number): PartSlot {
    return this.#readPlain(bytes, start, end) ?? readPartLine(bytes.toString('utf8', start, end));
  }

  #readPlain(bytes: Buffer, start: number, end: number): PartSlot | undefined {
    if (!isClosed(bytes, end)) return undefined;
    const head = this.#readHead(bytes, start);
    if (head === undefined) return undefined;
    const path = this.#readText(bytes, this.#at);
    const date = path === undefined ? undefined : this.#readText(bytes, this.#at);
    const buildId = date === undefined ? undefined : this.#readText(bytes, this.#at);
    const revision = buildId === undefined ? undefined : this.#readText(bytes, this.#at);
    if (path === undefined || date === undefined || buildId === undefined || revision === undefined) return undefined;
    const values = bytes[this.#at] === OPEN ? TextValues.at(bytes, this.#at + 1, end - 2) : undefined;
    if (values === undefined) return undefined;
    const { channelVersion, measure, byDate } = head;
    return { channelVersion, slot: { measure, byDate, path, date, values, buildId, revision } };
  }

  #readHead(bytes: Buffer, start: number): Head | undefined {
    if (hasText(bytes, start, this.#headText)) {
      this.#at = start + this.#headText.length;
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

  /**
   * Reads a text in quotation marks and the comma behind it.
   * @returns undefined when there is more to it than its bytes; the LF behind the line is such a byte
   */
  #readText(bytes: Buffer, start: number): string | undefined {
    if (bytes[start] !== QUOTE) return undefined;
    let hash = FIRST_HASH;
    let at = start + 1;
    for (let byte = bytes[at] ?? 0; byte !== QUOTE; byte = bytes[at] ?? 0) {
      if (byte < SPACE || byte >= DELETE || byte === BACKSLASH) return undefined;
      hash = Math.imul(hash ^ byte, FACTOR);
      at += 1;
    }
    if (bytes[at + 1] !== COMMA) return undefined;
    this.#at = at + 2;
    const known = this.#known.get(hash);
    if (known !== undefined && isText(bytes, start + 1, at, known)) return known;
    const text = bytes.toString('latin1', start + 1, at);
    if (this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(hash, text);
    return text;
  }
}

function isClosed(bytes: Buffer, end: number): boolean {
  return bytes[end - 1] === CLOSE && bytes[end - 2] === CLOSE;
}

/** Whether these bytes begin there; no bytes begin nowhere. */
function hasText(bytes: Buffer, start: number, text: Buffer): boolean {
  if (text.length === 0 || start + text.length > bytes.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[start + index] !== text[index]) return false;
  return true;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1)
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}
