/**
 * Byte streams cut into lines, without a string per line and without holding more than one line beyond the current block.
 * Only LF ends a line: Node's readline also splits at CR and U+2028, which may occur inside JSON.
 */

const LF = 0x0a;

export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onTooLong: () => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #dropping = false;

  /** @param onTooLong called once for every line longer than `maxLineBytes`; the line is skipped */
  constructor(maxLineBytes = Number.POSITIVE_INFINITY, onTooLong = (): void => undefined) {
    this.#maxLineBytes = maxLineBytes;
    this.#onTooLong = onTooLong;
  }

  /**
   * Calls `onLine` for every line that ends in this block; afterwards the block may be filled again. A line that spans blocks
   * has bytes of its own, so that slots may hold them (`part-file.ts`).
   */
  push(block: Buffer, onLine: (bytes: Buffer, start: number, end: number) => void): void {
    let start = 0;
    for (let end = block.indexOf(LF); end >= 0; end = block.indexOf(LF, start)) {
      if (this.#dropping) this.#dropping = false;
      else if (this.#pendingBytes + end - start > this.#maxLineBytes) this.#onTooLong();
      else if (this.#pending.length === 0) onLine(block, start, end);
      else {
        const whole = Buffer.concat([...this.#pending, block.subarray(start, end)]);
        onLine(whole, 0, whole.length);
      }
      this.#pending = [];
      this.#pendingBytes = 0;
      start = end + 1;
    }
    if (start < block.length && !this.#dropping) this.#keep(block.subarray(start));
  }

  /** The last line when no LF ended it; call once, at the end of a stream that ended well. */
  end(onLine: (bytes: Buffer, start: number, end: number) => void): void {
    if (this.#pendingBytes > 0) {
      const whole = Buffer.concat(this.#pending);
      onLine(whole, 0, whole.length);
    }
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #keep(rest: Buffer): void {
    this.#pending.push(Buffer.from(rest));
    this.#pendingBytes += rest.length;
    if (this.#pendingBytes > this.#maxLineBytes) {
      this.#onTooLong();
      this.#dropping = true;
      this.#pending = [];
      this.#pendingBytes = 0;
    }
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
