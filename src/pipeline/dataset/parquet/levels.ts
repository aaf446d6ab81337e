/**
 * Parquet's hybrid of runs and packed numbers (RLE): repetition and definition levels, and the indexes of dictionaries
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/). Widths are whole bytes, which zstd makes small and
 * which are written as fast as they are copied.
 */
import { varint } from './thrift.ts';

/** Packed numbers come in groups of so many. */
const GROUP = 8;

/** A level of 0 or 1, repeated. */
export function run(value: 0 | 1, count: number): Buffer {
  return Buffer.concat([varint(count * 2), Buffer.of(value)]);
}

/** Levels of 0 and 1, a bit each. */
export function packedBits(bits: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / GROUP));
  for (let index = 0; index < bits.length; index += 1) {
    if (bits[index] === 1) bytes[index >> 3] = (bytes[index >> 3] as number) | (1 << (index & 7));
  }
  return Buffer.concat([packedHead(bits.length), bytes]);
}

/** A data page has the length of its levels before them. */
export function withLength(levels: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(levels.length);
  return Buffer.concat([length, levels]);
}

/** The indexes of a page, with their width before them. @param entries of the dictionary */
export function dictionaryIndexes(indexes: Uint32Array, entries: number): Buffer {
  if (entries <= 1) return Buffer.concat([Buffer.of(1), run(0, indexes.length)]);
  const narrow =
    entries <= 0x100 ? new Uint8Array(padded(indexes)) : entries <= 0x1_0000 ? new Uint16Array(padded(indexes)) : null;
  const numbers = narrow ?? new Uint32Array(padded(indexes));
  numbers.set(indexes);
  const width = numbers.BYTES_PER_ELEMENT * 8;
  return Buffer.concat([Buffer.of(width), packedHead(indexes.length), bytesOf(numbers)]);
}

function padded({ length }: Uint32Array): number {
  return Math.ceil(length / GROUP) * GROUP;
}

function packedHead(count: number): Buffer {
  return varint(Math.ceil(count / GROUP) * 2 + 1);
}

/** As they are in memory; Parquet's order of bytes is that of all processors that Node.js is built for. */
export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
