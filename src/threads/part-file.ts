/** Sorted parts as files: zstd of part lines. Their identity is the hash of the lines, not of the compressed bytes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { type PartSlot, partLine } from '../pipeline/aggregates/part-line.ts';
import { PartLines } from '../pipeline/aggregates/part-lines.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { writeLines } from './line-writer.ts';
import { LineSplitter } from './lines.ts';

export interface PartInfo {
  /** Hex SHA-256 of the lines. */
  readonly sha256: string;
  readonly slots: number;
  /** Of the lines. */
  readonly bytes: number;
  /** Of the file. */
  readonly storedBytes: number;
}

/**
 * Writes slots, already in slot order, to a new file.
 * @param note gets each slot as it is written
 */
export async function writePart(
  path: string,
  slots: AsyncIterable<PartSlot> | Iterable<PartSlot>,
  note: (item: PartSlot) => void = () => undefined,
): Promise<PartInfo> {
  const hash = createHash('sha256');
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  const toLine = (item: PartSlot): string => {
    note(item);
    return partLine(item.channelVersion, item.slot);
  };
  const { lines, ...sizes } = await writeLines(path, slots, toLine, { hash, compress });
  return { sha256: hash.digest('hex'), slots: lines, ...sizes };
}

const MAX_LINE = 1 << 20;
/** Of decoded lines; each costs a turn of the event loop. */
const BLOCK = 1 << 18;

/**
 * The slots of a part file. Answers at once, without a promise, while decoded slots are at hand: a merge asks millions
 * of times.
 */
export function readPart(path: string): AsyncIterable<PartSlot> {
  return slotsOf(path, () => {
    const source = createZstdDecompress({ chunkSize: BLOCK });
    // An error of the file becomes one of `source`, where the loop over its blocks sees it.
    pipeline(createReadStream(path), source).catch(() => undefined);
    return source;
  });
}

/** The slots of a file that is not compressed. */
export function readSpill(path: string): AsyncIterable<PartSlot> {
  return slotsOf(path, () => createReadStream(path));
}

function slotsOf(path: string, open: () => Readable): AsyncIterable<PartSlot> {
  return {
    [Symbol.asyncIterator]: () => {
      const source = open();
      const blocks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const splitter = new LineSplitter(MAX_LINE, () => {
        throw new InvalidDataError('bad_part', `A line of the part ${path} is longer than ${MAX_LINE} bytes`);
      });
      const lines = new PartLines();
      let ready: PartSlot[] = [];
      let at = 0;
      const refill = async (): Promise<IteratorResult<PartSlot>> => {
        for (;;) {
          const block = await nextBlock(blocks, path);
          ready = [];
          at = 0;
          const take = (bytes: Buffer, start: number, end: number): void => {
            ready.push(readLine(lines, bytes, start, end, path));
          };
          if (block.done === true) splitter.end(take);
          else splitter.push(block.value, take);
          const first = ready[at++];
          if (first !== undefined) return { done: false, value: first };
          if (block.done === true) return { done: true, value: undefined };
        }
      };
      return {
        next: () => {
          const value = ready[at++];
          // An iterator of this project's merge may answer without a promise.
          return value === undefined
            ? refill()
            : ({ done: false, value } as unknown as Promise<IteratorResult<PartSlot>>);
        },
        return: async () => {
          source.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The line alone does not show which part it is from. */
function readLine(lines: PartLines, bytes: Buffer, start: number, end: number, path: string): PartSlot {
  try {
    return lines.read(bytes, start, end);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    throw new InvalidDataError(error.reason, `The part ${path} has a bad line: ${error.message}`, { cause: error });
  }
}

async function nextBlock(blocks: AsyncIterator<Buffer>, path: string): Promise<IteratorResult<Buffer>> {
  try {
    return await blocks.next();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('ZSTD_') && !code.startsWith('Z_')) throw error;
    throw new InvalidDataError('bad_part', `The part ${path} does not decompress: ${(error as Error).message}`);
  }
}
