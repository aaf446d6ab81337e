/**
 * Byte streams cut into lines, without a string per line and without holding more than one line beyond the current block.
 * Only LF ends a line: Node's readline also splits at CR and U+2028, which may occur inside JSON.
 */

const LF = 0x0a;
/** Room for a line that goes on in the next block; longer ones make more. */
const FIRST_PENDING_BYTES = 64 << 10;

export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onTooLong: () => void;
  /** Of the line that the last block ended in. */
  #pending = Buffer.alloc(0);
  #pendingBytes = 0;
  #dropping = false;

  /** @param onTooLong called once for every line longer than `maxLineBytes`; the line is skipped */
  constructor(maxLineBytes = Number.POSITIVE_INFINITY, onTooLong = (): void => undefined) {
    this.#maxLineBytes = maxLineBytes;
    this.#onTooLong = onTooLong;
  }

  /**
   * Calls `onLine` for every line that ends in this block; afterwards the block may be filled again.
   * @param onLine gets bytes that are good until it returns
   */
  push(block: Buffer, onLine: (bytes: Buffer, start: number, end: number) => void): void {
    let start = 0;
    for (let end = block.indexOf(LF); end >= 0; end = block.indexOf(LF, start)) {
      if (this.#dropping) this.#dropping = false;
      else if (this.#pendingBytes + end - start > this.#maxLineBytes) this.#onTooLong();
      else if (this.#pendingBytes === 0) onLine(block, start, end);
      else {
        this.#append(block, start, end);
        onLine(this.#pending, 0, this.#pendingBytes);
      }
      this.#pendingBytes = 0;
      start = end + 1;
    }
    if (start < block.length && !this.#dropping) this.#keep(block, start);
  }

  /** The last line when no LF ended it; call once, at the end of a stream that ended well. */
  end(onLine: (bytes: Buffer, start: number, end: number) => void): void {
    if (this.#pendingBytes > 0) onLine(this.#pending, 0, this.#pendingBytes);
    this.#pendingBytes = 0;
  }

  #keep(block: Buffer, start: number): void {
    if (this.#pendingBytes + block.length - start <= this.#maxLineBytes) {
      this.#append(block, start, block.length);
      return;
    }
    this.#onTooLong();
    this.#dropping = true;
    this.#pendingBytes = 0;
  }

  #append(block: Buffer, start: number, end: number): void {
    const length = this.#pendingBytes + end - start;
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#pending.length, FIRST_PENDING_BYTES));
      this.#pending.copy(larger, 0, 0, this.#pendingBytes);
      this.#pending = larger;
    }
    block.copy(this.#pending, this.#pendingBytes, start, end);
    this.#pendingBytes = length;
  }
}

/**
 * The lines of a stream, as text.
 * @param splitter limits the length of a line; no limit without it
 */
export async function* textLines(blocks: AsyncIterable<Buffer>, splitter = new LineSplitter()): AsyncGenerator<string> {
  let ready: string[] = [];
  const take = (bytes: Buffer, start: number, end: number): void => {
    ready.push(bytes.toString('utf8', start, end));
  };
  for await (const block of blocks) {
    splitter.push(block, take);
    yield* ready;
    ready = [];
  }
  splitter.end(take);
  yield* ready;
}
