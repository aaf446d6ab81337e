/** Files of lines, written in blocks: one write per line would cost more than making the lines. */
import type { Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface LineWriting {
  /** Takes in the text, not what is stored. */
  readonly hash?: Hash;
  /** Compresses what is stored. */
  readonly compress?: Transform;
}

export interface LinesWritten {
  readonly lines: number;
  /** Of the text. */
  readonly bytes: number;
  /** Of the file. */
  readonly storedBytes: number;
}

const BLOCK_CHARACTERS = 1 << 18;

/**
 * Writes a line for each item to a new file.
 * @param toLine the item's line without LF; a function, since another generator would cost every slot a promise
 */
export async function writeLines<Item>(
  path: string,
  items: AsyncIterable<Item> | Iterable<Item>,
  toLine: (item: Item) => string,
  { hash, compress }: LineWriting = {},
): Promise<LinesWritten> {
  let lines = 0;
  let bytes = 0;
  async function* blocks(): AsyncGenerator<Buffer> {
    let text: string[] = [];
    let characters = 0;
    const flush = (): Buffer => {
      const block = Buffer.from(text.join(''));
      hash?.update(block);
      bytes += block.length;
      text = [];
      characters = 0;
      return block;
    };
    for await (const item of items) {
      const line = toLine(item);
      text.push(line, '\n');
      characters += line.length + 1;
      lines += 1;
      if (characters >= BLOCK_CHARACTERS) yield flush();
    }
    if (characters > 0) yield flush();
  }
  const source = Readable.from(blocks(), { objectMode: true, highWaterMark: 2 });
  const file = createWriteStream(path);
  await (compress === undefined ? pipeline(source, file) : pipeline(source, compress, file));
  return { lines, bytes, storedBytes: file.bytesWritten };
}
