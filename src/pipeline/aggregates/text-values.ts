/**
 * The numbers of a row as the text that they were read as: most rows of a part are neither added to nor looked into, but
 * written again as they are. The text is bytes of the block that it was read in, without a string for each row.
 */

const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Characters of a number. One of more digits may be too large for a double. */
const MAX_NUMBER = 300;

/** Integers of so many digits are exact, and so are the powers of ten that they may be divided by. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

export class TextValues {
  readonly length: number;
  /** The text is at [start, end); the byte behind it is there too, and is neither a comma nor part of a number. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  private constructor(bytes: Buffer, start: number, end: number, length: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.length = length;
  }

  /**
   * @param text numbers of JSON, separated by commas alone
   * @returns undefined for anything else, and for numbers with exponents, which may not be finite
   */
  static of(text: string): TextValues | undefined {
    const bytes = Buffer.from(`${text}]`);
    return TextValues.at(bytes, 0, bytes.length - 1);
  }

  /**
   * The same for the bytes at [start, end), which stay as they are and have a `]` behind them.
   * @returns undefined as `of`
   */
  static at(bytes: Buffer, start: number, end: number): TextValues | undefined {
    let length = 0;
    for (let at = start; ; at += 1) {
      // Most numbers are a 0.
      while (bytes[at] === ZERO && bytes[at + 1] === COMMA && at + 1 < end) {
        length += 1;
        at += 2;
      }
      const next = endOfNumber(bytes, at);
      if (next < 0 || next > end || next - at > MAX_NUMBER) return undefined;
      length += 1;
      if (next === end) return new TextValues(bytes, start, end, length);
      if (bytes[next] !== COMMA) return undefined;
      at = next;
    }
  }

  /** @param index from the end: −1 for the last one */
  at(index: number): number | undefined {
    if (index !== -1) return this.numbers.at(index);
    const { bytes, start, end } = this;
    let value = 0;
    let at = end - 1;
    for (let scale = 1; at >= start; scale *= 10, at -= 1) {
      const byte = bytes[at] as number;
      if (byte === COMMA) break;
      if (!isDigit(byte) || end - at > EXACT_DIGITS) return this.numbers.at(-1);
      value += (byte - ZERO) * scale;
    }
    return value;
  }

  get numbers(): Float64Array {
    const numbers = new Float64Array(this.length);
    this.copyTo(numbers, new Uint32Array(this.length));
    return numbers;
  }

  /**
   * Writes the numbers that are not 0.
   * @param numbers zeros
   * @param places gets the place of each that is written, ascending
   * @returns how many there are
   */
  copyTo(numbers: Float64Array, places: Uint32Array): number {
    const { bytes, end } = this;
    let filled = 0;
    for (let index = 0, at = this.start; at < end; index += 1) {
      let byte = bytes[at] as number;
      if (byte === ZERO && bytes[at + 1] === COMMA) {
        at += 2;
        continue;
      }
      const first = at;
      const isNegative = byte === MINUS;
      if (isNegative) byte = bytes[++at] as number;
      const firstDigit = at;
      let value = 0;
      for (; isDigit(byte); byte = bytes[++at] as number) value = value * 10 + (byte - ZERO);
      if (byte === DOT || at - firstDigit > EXACT_DIGITS) {
        at = commaOrEnd(bytes, at, end);
        value = this.#decimal(first, at);
      } else if (isNegative) value = -value;
      at += 1;
      // −0 is no number to leave out: the place would keep it.
      if (value === 0 && !isNegative) continue;
      numbers[index] = value;
      places[filled] = index;
      filled += 1;
    }
    return filled;
  }

  /** As `join(',')` of a list of numbers. */
  join(): string {
    return this.bytes.toString('latin1', this.start, this.end);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.numbers[Symbol.iterator]();
  }

  /** The number at [start, end). One division of exact numbers rounds as reading the text does. */
  #decimal(start: number, end: number): number {
    const { bytes } = this;
    const isNegative = bytes[start] === MINUS;
    let mantissa = 0;
    let digits = 0;
    let decimals = 0;
    for (let at = isNegative ? start + 1 : start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === DOT) decimals = end - at - 1;
      else {
        mantissa = mantissa * 10 + (byte - ZERO);
        digits += 1;
      }
    }
    if (digits > EXACT_DIGITS) return Number(bytes.toString('latin1', start, end));
    const value = mantissa / (POWERS[decimals] as number);
    return isNegative ? -value : value;
  }
}

function commaOrEnd(bytes: Buffer, start: number, end: number): number {
  const comma = bytes.indexOf(COMMA, start);
  return comma < 0 || comma > end ? end : comma;
}

/** @returns −1 where none starts */
function endOfNumber(bytes: Buffer, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  const whole = endOfDigits(bytes, first);
  if (whole === first || (bytes[first] === ZERO && whole > first + 1)) return -1;
  if (bytes[whole] !== DOT) return whole;
  const end = endOfDigits(bytes, whole + 1);
  return end === whole + 1 ? -1 : end;
}

function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at] as number)) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}
