/**
 * The numbers of a row as the text that they were read as: most rows of a part are neither added to nor looked into, but
 * written again as they are.
 */

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Characters of a number. One of more digits may be too large for a double. */
const MAX_NUMBER = 300;

export class TextValues {
  readonly length: number;
  readonly #text: string;
  #numbers: readonly number[] | undefined;

  private constructor(text: string, length: number) {
    this.#text = text;
    this.length = length;
  }

  /**
   * @param text numbers of JSON, separated by commas alone
   * @returns undefined for anything else, and for numbers with exponents, which may not be finite
   */
  static of(text: string): TextValues | undefined {
    let length = 0;
    for (let at = 0; ; at += 1) {
      const end = endOfNumber(text, at);
      if (end < 0 || end - at > MAX_NUMBER) return undefined;
      length += 1;
      if (end === text.length) return new TextValues(text, length);
      if (text.charCodeAt(end) !== COMMA) return undefined;
      at = end;
    }
  }

  /** @param index from the end: −1 for the last one */
  at(index: number): number | undefined {
    if (index !== -1) return this.numbers.at(index);
    return Number(this.#text.slice(this.#text.lastIndexOf(',') + 1));
  }

  get numbers(): readonly number[] {
    this.#numbers ??= this.#text.split(',').map(Number);
    return this.#numbers;
  }

  /** Writes the numbers into `target`, faster than a list of them is made: most are a single digit. */
  copyTo(target: Float64Array): void {
    const text = this.#text;
    for (let index = 0, at = 0; index < this.length; index += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      const next = text.charCodeAt(at + 1);
      // NaN behind the last character.
      if (digit >= 0 && digit <= 9 && (next === COMMA || Number.isNaN(next))) {
        target[index] = digit;
        at += 2;
        continue;
      }
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      target[index] = Number(text.slice(at, end));
      at = end + 1;
    }
  }

  /** As `join(',')` of a list of numbers. */
  join(): string {
    return this.#text;
  }

  [Symbol.iterator](): Iterator<number> {
    return this.numbers[Symbol.iterator]();
  }
}

/** @returns −1 where none starts */
function endOfNumber(text: string, start: number): number {
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  const whole = endOfDigits(text, first);
  if (whole === first || (text.charCodeAt(first) === ZERO && whole > first + 1)) return -1;
  if (text.charCodeAt(whole) !== DOT) return whole;
  const end = endOfDigits(text, whole + 1);
  return end === whole + 1 ? -1 : end;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  for (let digit = text.charCodeAt(at); digit >= ZERO && digit <= NINE; digit = text.charCodeAt(at)) at += 1;
  return at;
}
