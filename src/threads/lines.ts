/**
 * Byte streams cut into lines, without a string per line and without holding more than one line beyond the current block.
 * Only LF ends a line: Node's readline takes CR and U+2028 for ends as well, which may stand inside of JSON.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const LF = 0x0a;

export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onTooLong: () => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #dropping = false;

  /** @param onTooLong called once for every line longer than `maxLineBytes`; the line is passed over */
  constructor(maxLineBytes: number, onTooLong: () => void) {
    this.#maxLineBytes = maxLineBytes;
    this.#onTooLong = onTooLong;
  }

  /** Calls `onLine` for every line that ends in this block; afterwards the block may be filled anew. */
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

/** The lines of a stream, as text. */
export async function* textLines(blocks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const lines = new LineCollector();
  for await (const block of blocks) yield* lines.push(block);
  yield* lines.end();
}

/** The lines of a file, as text, read as one goes: for threads that have nothing else to do meanwhile. */
export function* linesOfFile(path: string): Generator<string> {
  const lines = new LineCollector();
  const file = openSync(path, 'r');
  try {
    const block = Buffer.allocUnsafe(READ_BYTES);
    for (let length = readSync(file, block); length > 0; length = readSync(file, block))
      yield* lines.push(block.subarray(0, length));
  } finally {
    closeSync(file);
  }
  yield* lines.end();
}

const READ_BYTES = 1 << 18;

/** Lines of any length, as text. */
class LineCollector {
  readonly #splitter = new LineSplitter(Number.MAX_SAFE_INTEGER, () => undefined);
  #lines: string[] = [];

  /** The lines that end in this block. */
  push(block: Buffer): string[] {
    this.#splitter.push(block, this.#add);
    return this.#taken();
  }

  /** The last line when no LF ended it. */
  end(): string[] {
    this.#splitter.end(this.#add);
    return this.#taken();
  }

  readonly #add = (bytes: Buffer, start: number, end: number): void => {
    this.#lines.push(bytes.toString('utf8', start, end));
  };

  #taken(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}
