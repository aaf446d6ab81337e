/** Programs of others that read Parquet: DuckDB from a path, hyparquet from a path or over HTTP. */
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { readFile } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';

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

export const COMPRESSORS = { ZSTD: (input: Uint8Array): Uint8Array => zstdDecompressSync(input) };

/** All rows of a file. */
export async function readParquet(path: string): Promise<Record<string, unknown>[]> {
  const bytes = await readFile(path);
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    slice: (start, end) => bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + (end ?? bytes.length)),
  };
  return parquetReadObjects({ file, compressors: COMPRESSORS });
}
