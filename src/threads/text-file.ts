/** A file that takes text block by block, compressed or not. */
import { createHash } from 'node:crypto';
import { closeSync, createWriteStream, openSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, type ZstdCompress } from 'node:zlib';

/** A plain file; it is written when `write` returns. */
export class PlainTextFile {
  bytes = 0;
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(text: Uint8Array): void {
    let from = 0;
    while (from < text.length) from += writeSync(this.#file, text, from);
    this.bytes += text.length;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** A call costs more than a small piece does. */
const BLOCK = 1 << 18;

/** A plain file of many small pieces; it is whole once it is flushed. */
export class PiecesFile {
  bytes = 0;
  readonly #file: PlainTextFile;
  readonly #block = Buffer.allocUnsafe(BLOCK);
  #pending = 0;

  constructor(path: string) {
    this.#file = new PlainTextFile(path);
  }

  write(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.#pending + piece.length > BLOCK) this.flush();
    if (piece.length > BLOCK) {
      this.#file.write(piece);
      return;
    }
    this.#block.set(piece, this.#pending);
    this.#pending += piece.length;
  }

  flush(): void {
    this.#file.write(this.#block.subarray(0, this.#pending));
    this.#pending = 0;
  }

  close(): void {
    this.#file.close();
  }
}

/** As many bytes are compressed beside the work of the thread. */
const AHEAD = 1 << 20;

/** Compressed with zstd; its identity is the hash of the text. */
export class CompressedTextFile {
  bytes = 0;
  readonly #hash = createHash('sha256');
  readonly #compress: ZstdCompress;
  readonly #file;
  readonly #written: Promise<void>;

  constructor(path: string) {
    const params = { [constants.ZSTD_c_compressionLevel]: 3 };
    this.#compress = createZstdCompress({ params, writableHighWaterMark: AHEAD } as Parameters<
      typeof createZstdCompress
    >[0]);
    this.#file = createWriteStream(path);
    this.#written = pipeline(this.#compress, this.#file);
    // Awaited by `close`; a fault before it is not unhandled.
    this.#written.catch(() => undefined);
  }

  /** @param text copied before this returns */
  write(text: Uint8Array): Promise<void> | undefined {
    this.#hash.update(text);
    this.bytes += text.length;
    if (this.#compress.write(Buffer.from(text))) return undefined;
    return Promise.race([once(this.#compress, 'drain'), this.#written]).then(() => undefined);
  }

  async close(): Promise<{ sha256: string; storedBytes: number }> {
    this.#compress.end();
    await this.#written;
    return { sha256: this.#hash.digest('hex'), storedBytes: this.#file.bytesWritten };
  }
}
