/** Text of JSON that is written piece by piece as bytes: most numbers of a summary are a digit. */

const ZERO = 0x30;
const MINUS = 0x2d;
const FIRST_SIZE = 1 << 16;
/** More than the text of any number. */
const NUMBER_ROOM = 32;
const MAX_SMALL = 1e9;

export class TextBytes {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#need(length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  byte(byte: number): void {
    this.#need(1);
    this.#bytes[this.#at++] = byte;
  }

  /** As `String(value)`. */
  number(value: number): void {
    this.#need(NUMBER_ROOM);
    if (value >= 0 && value < 10 && Number.isInteger(value)) this.#bytes[this.#at++] = ZERO + value;
    else if (value > 0 && value < MAX_SMALL && Number.isInteger(value)) this.#digits(value);
    else if (value === -1) {
      this.#bytes[this.#at++] = MINUS;
      this.#bytes[this.#at++] = ZERO + 1;
    } else this.#at += this.#bytes.write(String(value), this.#at, 'latin1');
  }

  /** All text so far, as a copy, and begins again. */
  take(): Buffer {
    const text = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return text;
  }

  #digits(value: number): void {
    let end = this.#at;
    for (let rest = value; rest > 0; rest = (rest / 10) | 0) end += 1;
    this.#at = end;
    for (let rest = value; rest > 0; rest = (rest / 10) | 0) this.#bytes[--end] = ZERO + (rest % 10);
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const longer = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#bytes.copy(longer, 0, 0, this.#at);
    this.#bytes = longer;
  }
}
