/** A JSON reader that walks over the bytes of one line without building objects: the caller says what to do with each member. */
import { InvalidDataError } from './invalid-data.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Deeper than any honest result; bounds the recursion of `skip`. */
const MAX_DEPTH = 64;
/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** A mantissa below this can take one more digit and stay exact. */
const EXACT = 2 ** 53 / 10 - 1;

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

export class JsonBytes {
  static readonly OBJECT = OPEN_OBJECT;
  static readonly ARRAY = OPEN_ARRAY;
  static readonly STRING = QUOTE;

  #bytes: Uint8Array = new Uint8Array();
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #depth = 0;
  /** The texts last read, by a hash of their bytes: paths, build ids and revisions repeat all the time. */
  readonly #recent: (string | undefined)[] = new Array<string | undefined>(RECENT).fill(undefined);

  open(bytes: Uint8Array, start: number, end: number): void {
    this.#setBytes(bytes);
    this.#at = start;
    this.#end = end;
    this.#depth = 0;
  }

  /** Decodes [start, end) as text. */
  text(bytes: Uint8Array, start: number, end: number): string {
    this.#setBytes(bytes);
    return this.#buffer.toString('utf8', start, end);
  }

  /** Checks that nothing but blanks is left. */
  close(): void {
    this.#blanks();
    if (this.#at < this.#end) throw this.error('something follows the object');
  }

  /** The first byte of the next value. */
  peek(): number {
    this.#blanks();
    return this.#at < this.#end ? (this.#bytes[this.#at] ?? 0) : 0;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The place reached, for `reset` and `since`. */
  mark(): number {
    return this.#at;
  }

  reset(mark: number): void {
    this.#at = mark;
  }

  /** A copy of the bytes from a mark to here: a Buffer's own `slice` would be a view of bytes that may change. */
  since(mark: number): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(mark, this.#at));
  }

  /** Skips `expected` when exactly these bytes come next. */
  take(expected: Uint8Array): boolean {
    const [bytes, at, length] = [this.#bytes, this.#at, expected.length];
    if (at + length > this.#end) return false;
    for (let index = 0; index < length; index += 1) if (bytes[at + index] !== expected[index]) return false;
    this.#at = at + length;
    return true;
  }

  /** Calls `on` with each member's name; `on` must read or skip the value. */
  members(on: (name: string) => void): void {
    this.#enter();
    if (this.peek() === CLOSE_OBJECT) {
      this.#leave();
      return;
    }
    do this.#member(on);
    while (!this.#next(CLOSE_OBJECT));
  }

  /** The members behind the one whose value was just read by the caller, who took its name with `take`. */
  moreMembers(on: (name: string) => void): void {
    this.#depth += 1;
    while (!this.#next(CLOSE_OBJECT)) this.#member(on);
  }

  #member(on: (name: string) => void): void {
    if (this.peek() !== QUOTE) throw this.error('a member name must be a text');
    const name = this.string();
    if (this.peek() !== COLON) throw this.error('a colon is missing');
    this.#at += 1;
    on(name);
  }

  /** Calls `on` before each element; `on` must read or skip it. */
  elements(on: () => void): void {
    this.#enter();
    if (this.peek() === CLOSE_ARRAY) {
      this.#leave();
      return;
    }
    for (;;) {
      on();
      if (this.#next(CLOSE_ARRAY)) return;
    }
  }

  string(): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    for (; at < this.#end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE || byte === BACKSLASH || byte < 0x20 || byte >= 0x80) break;
    }
    if (at < this.#end && bytes[at] === QUOTE) {
      this.#at = at + 1;
      return at - start <= MAX_RECENT ? this.#recentText(start, at) : this.#buffer.toString('latin1', start, at);
    }
    return this.#oddString(start, at);
  }

  /** A text with escapes or bytes beyond ASCII, from the first of them at `at` on; or one that is no text. */
  #oddString(start: number, from: number): string {
    const bytes = this.#bytes;
    let at = from;
    for (; at < this.#end && bytes[at] !== QUOTE; at += 1) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) at += 1;
      else if (byte < 0x20) throw this.error('a control character stands inside a text');
    }
    if (at >= this.#end) throw this.error('a text is not closed');
    this.#at = at + 1;
    return this.#escaped(start, at);
  }

  /**
   * Reads an array of numbers into `target`.
   * @returns how many, or the reason why the array is no row: `null_value`, `bad_values`, `bad_number`
   */
  // eslint-disable-next-line complexity -- one loop over all that an element can be; calls would cost a tenth of the merge
  numbers(target: Float64Array, offset: number, max: number): number | string {
    this.#enter();
    if (this.peek() === CLOSE_ARRAY) {
      this.#leave();
      return 0;
    }
    let count = 0;
    let fault = '';
    for (;;) {
      count = this.#smallIntegers(target, offset, count, max);
      const first = this.peek();
      if (first === MINUS || (first >= ZERO && first <= NINE)) {
        const value = this.number();
        if (!Number.isFinite(value)) fault ||= 'bad_number';
        if (count < max) target[offset + count] = value;
        count += 1;
      } else {
        fault ||= first === 0x6e ? 'null_value' : 'bad_values';
        this.skip();
      }
      if (this.#next(CLOSE_ARRAY)) break;
    }
    if (count > max) fault ||= 'bad_values';
    return fault || count;
  }

  /**
   * The common case of `numbers`, in one loop: integers of at most nine digits, each followed by a comma. Stops before
   * anything else, which `numbers` then reads.
   */
  // eslint-disable-next-line complexity -- the hottest loop of all
  #smallIntegers(target: Float64Array, offset: number, start: number, max: number): number {
    const bytes = this.#bytes;
    const last = this.#end - 11;
    let count = start;
    let at = this.#at;
    while (at < last && count < max) {
      let next = at;
      let byte = bytes[next] as number;
      if (byte === 0x20) byte = bytes[++next] as number;
      const negative = byte === MINUS;
      if (negative) byte = bytes[++next] as number;
      if (byte < ZERO || byte > NINE) break;
      let value = byte - ZERO;
      byte = bytes[++next] as number;
      if (byte !== COMMA) {
        if (value === 0) break;
        const limit = next + 8;
        while (byte >= ZERO && byte <= NINE && next < limit) {
          value = value * 10 + (byte - ZERO);
          byte = bytes[++next] as number;
        }
        if (byte !== COMMA) break;
      }
      target[offset + count] = negative ? -value : value;
      count += 1;
      at = next + 1;
    }
    this.#at = at;
    return count;
  }

  // eslint-disable-next-line complexity -- hot; whole part, decimals and the exit share their state
  number(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative) at += 1;
    const firstDigit = at;
    let mantissa = 0;
    let decimals = 0;
    let exact = true;
    for (; at < this.#end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (mantissa > EXACT) exact = false;
      mantissa = mantissa * 10 + digit;
    }
    const digits = at - firstDigit;
    if (digits > 1 && bytes[firstDigit] === ZERO) throw this.error('a number begins with 0');
    if (bytes[at] === DOT && at < this.#end) {
      for (at += 1; at < this.#end; at += 1) {
        const digit = (bytes[at] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        if (mantissa > EXACT) exact = false;
        mantissa = mantissa * 10 + digit;
        decimals += 1;
      }
      if (decimals === 0) exact = false;
    }
    const byte = at < this.#end ? bytes[at] : 0;
    if (digits === 0 || !exact || decimals > 22 || byte === 0x65 || byte === 0x45) return this.#slowNumber(start);
    this.#at = at;
    // Both parts are exact, so one division rounds correctly.
    const value = decimals === 0 ? mantissa : mantissa / (POWERS[decimals] ?? 1);
    return negative ? -value : value;
  }

  /** Skips one value of any kind. */
  skip(): void {
    const first = this.peek();
    if (first === QUOTE) this.#skipString();
    else if (first === OPEN_OBJECT) {
      this.members(() => {
        this.skip();
      });
    } else if (first === OPEN_ARRAY) {
      this.elements(() => {
        this.skip();
      });
    } else if (first === MINUS || (first >= ZERO && first <= NINE)) this.number();
    else this.#word();
  }

  error(what: string): InvalidDataError {
    return new InvalidDataError('bad_json', `Not JSON at byte ${this.#at} of the line: ${what}`);
  }

  /** After a value: true when the container ends here, false when another value follows. */
  #next(close: number): boolean {
    const byte = this.peek();
    if (byte === close) {
      this.#leave();
      return true;
    }
    if (byte !== COMMA) throw this.error('a comma or the closing bracket is missing');
    this.#at += 1;
    return false;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    this.#at += 1;
  }

  #leave(): void {
    this.#depth -= 1;
    this.#at += 1;
  }

  #blanks(): void {
    const bytes = this.#bytes;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a) return;
      this.#at += 1;
    }
  }

  #word(): void {
    for (const word of ['null', 'true', 'false']) {
      if (this.#buffer.toString('latin1', this.#at, Math.min(this.#at + word.length, this.#end)) === word) {
        this.#at += word.length;
        return;
      }
    }
    throw this.error('a value is missing or is no JSON');
  }

  /** Skips a text without building it; one with escapes is read, so that a bad escape is found. */
  #skipString(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (; at < this.#end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return;
      }
      if (byte === BACKSLASH || byte < 0x20) break;
    }
    this.string();
  }

  #slowNumber(start: number): number {
    let at = start;
    while (at < this.#end && NUMBER_BYTES[this.#bytes[at] ?? 0] === 1) at += 1;
    const text = this.#buffer.toString('latin1', start, at);
    if (!NUMBER.test(text)) throw this.error(`${text.slice(0, 40)} is no number`);
    this.#at = at;
    return Number(text);
  }

  #escaped(start: number, end: number): string {
    try {
      return JSON.parse(this.#buffer.toString('utf8', start - 1, end + 1)) as string;
    } catch {
      throw this.error('a text has a bad escape');
    }
  }

  #recentText(start: number, end: number): string {
    const bytes = this.#bytes;
    // The hash takes the end, where most texts differ, the length and every fourth byte before.
    let hash = end - start;
    let at = end - 1;
    for (const last = Math.max(start, end - 8); at >= last; at -= 1) hash = Math.imul(hash, 31) + (bytes[at] as number);
    for (; at >= start; at -= 4) hash = Math.imul(hash, 31) + (bytes[at] as number);
    const slot = (hash ^ (hash >>> 15)) & (RECENT - 1);
    const recent = this.#recent[slot];
    const length = end - start;
    if (recent?.length === length) {
      let index = 0;
      while (index < length && recent.charCodeAt(index) === this.#bytes[start + index]) index += 1;
      if (index === length) return recent;
    }
    const text = this.#buffer.toString('latin1', start, end);
    this.#recent[slot] = text;
    return text;
  }

  #setBytes(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return;
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

const RECENT = 1 << 14;
/** A longer text is not remembered: 16,384 of them could fill the memory. */
const MAX_RECENT = 1 << 10;
const NUMBER_BYTES = new Uint8Array(256);
for (const character of '+-.0123456789eE') NUMBER_BYTES[character.charCodeAt(0)] = 1;
