/**
 * Stored content without trust: decompressed, hashed and counted as a stream; damage is kept apart from every other
 * error.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { inflatedText } from '../state/documents.ts';
import { LineSplitter, textLines } from '../threads/lines.ts';

/** Content that cannot be what was stored. */
export class StoredDamage extends Error {
  override readonly name = 'StoredDamage';
}

/** @throws StoredDamage */
export async function readStored(body: Buffer): Promise<string> {
  return undamaged(async () => inflatedText(body));
}

export interface PartContent {
  /** Of the lines. */
  readonly sha256: string;
  readonly slots: number;
}

/**
 * What a file of slots holds (zstd of lines).
 * @throws StoredDamage
 */
export async function readPartFile(path: string): Promise<PartContent> {
  return undamaged(async () => {
    const hash = createHash('sha256');
    let slots = 0;
    const source = createZstdDecompress();
    // An error of the file becomes one of `source`, where the loop over its blocks sees it.
    pipeline(createReadStream(path), source).catch(() => undefined);
    for await (const block of source as AsyncIterable<Buffer>) {
      hash.update(block);
      for (let at = block.indexOf(LF); at >= 0; at = block.indexOf(LF, at + 1)) slots += 1;
    }
    return { sha256: hash.digest('hex'), slots };
  });
}

export interface ListContent {
  /** Of the lines. */
  readonly sha256: string;
  readonly lines: number;
  /** Whether every key is greater than the one before. */
  readonly ascending: boolean;
}

/**
 * What a list of input files holds (gzip of lines, the key before a tab).
 * @throws StoredDamage
 */
export async function readListBody(body: Buffer): Promise<ListContent> {
  return undamaged(async () => {
    const hash = createHash('sha256');
    let lines = 0;
    let ascending = true;
    let last = '';
    const blocks = Readable.from([body]).pipe(createGunzip()) as AsyncIterable<Buffer>;
    const hashed = async function* (): AsyncGenerator<Buffer> {
      for await (const block of blocks) {
        hash.update(block);
        yield block;
      }
    };
    for await (const line of linesOf(hashed())) {
      const key = line.split('\t', 1)[0] ?? line;
      if (lines > 0 && key <= last) ascending = false;
      last = key;
      lines += 1;
    }
    return { sha256: hash.digest('hex'), lines, ascending };
  });
}

/** Lines of a plain file. */
export function linesOfFile(path: string): AsyncGenerator<string> {
  return linesOf(createReadStream(path));
}

const LF = 0x0a;
/** Beyond what any key and reason can have. */
const MAX_LINE = 1 << 16;

function linesOf(blocks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const tooLong = (): void => {
    throw new StoredDamage(`a line is longer than ${MAX_LINE} bytes`);
  };
  return textLines(blocks, new LineSplitter(MAX_LINE, tooLong));
}

async function undamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_') && !code.startsWith('ZSTD_') && code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new StoredDamage(`it does not decompress: ${(error as Error).message}`, { cause: error });
  }
}
