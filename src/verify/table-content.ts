/** Whether two local files of `aggregates.parquet` say the same. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { parquetContent } from '../pipeline/dataset/parquet/parquet-content.ts';

/** Of a page that is read, and of what comes out of it. */
const MAX_BYTES = 256 << 20;

/** Page by page; a file that cannot be read is not the same as any. */
export function isSameTable(one: string, other: string): boolean {
  const files = [openSync(one, 'r'), openSync(other, 'r')] as const;
  try {
    const [a, b] = files.map(contentOf) as [Generator<Buffer>, Generator<Buffer>];
    for (;;) {
      const [mine, theirs] = [a.next(), b.next()];
      if (mine.done === true || theirs.done === true) return mine.done === theirs.done;
      if (!mine.value.equals(theirs.value)) return false;
    }
  } catch (error) {
    const isContent = error instanceof InvalidDataError || isOfCompression(error);
    if (!isContent) throw error;
    return false;
  } finally {
    for (const file of files) closeSync(file);
  }
}

function contentOf(file: number): Generator<Buffer> {
  const { size } = fstatSync(file);
  return parquetContent({
    size,
    read: (start, length) => {
      if (start + length > size || length > MAX_BYTES) throw new InvalidDataError('bad_parquet', 'a part is not there');
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, start));
    },
    decompress: (bytes, length) => zstdDecompressSync(bytes, { maxOutputLength: Math.min(length + 1, MAX_BYTES) }),
  });
}

function isOfCompression(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return code.startsWith('ZSTD_') || code === 'ERR_BUFFER_TOO_LARGE';
}
