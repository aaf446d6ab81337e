/** Programs of others that read Parquet: DuckDB from a path, hyparquet from a path or over HTTP. */
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { readFile } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';

/** A query's rows; texts, bigints, doubles and lists of them. */
export async function duckRows(query: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(query);
    return reader
      .getRowObjects()
      .map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function plain(value: DuckDBValue): unknown {
  return typeof value === 'object' && value !== null && 'items' in value ? [...value.items].map(plain) : value;
}

const COMPRESSORS = { ZSTD: (input: Uint8Array): Uint8Array => zstdDecompressSync(input) };

/** All rows of a file. */
export async function readParquet(path: string): Promise<Record<string, unknown>[]> {
  const bytes = await readFile(path);
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    slice: (start, end) => bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + (end ?? bytes.length)),
  };
  return parquetReadObjects({ file, compressors: COMPRESSORS });
}

export interface RangeRead {
  readonly rows: Record<string, unknown>[];
  /** Of the file, and of all answers. */
  readonly bytes: { readonly file: number; readonly read: number };
}

/** Bytes that readers ask for first, at the end of the file. */
const TAIL = 1 << 16;

/** The rows of one measure of a file on a server, by range requests only. */
export async function readMeasure(url: string, measure: string): Promise<RangeRead> {
  let read = 0;
  const counting: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (init?.method !== 'HEAD' && answer.status !== 206) throw new Error(`no range, but ${answer.status}`);
    if (init?.method !== 'HEAD') read += Number(answer.headers.get('content-length'));
    return answer;
  };
  const file = await asyncBufferFromUrl({ url, fetch: counting });
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: Math.min(TAIL, file.byteLength) });
  const filter = { measure: { $eq: measure } };
  const rows = await parquetReadObjects({ file, metadata, filter, compressors: COMPRESSORS });
  return { rows, bytes: { file: file.byteLength, read } };
}
