/** `aggregates.parquet` as a file, written row group by row group while the measures of a snapshot are rendered. */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import type { IndexedMeasure } from '../pipeline/dataset/measure-index.ts';
import { AggregatesTable, PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { PlainTextFile } from './text-file.ts';

/** Stores take 5 GB at once. A larger table is left out, so that it never keeps a folder from being published. */
const MAX_BYTES = 4 * 2 ** 30;

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3 };

export class TableFile {
  readonly #hash = createHash('sha256');
  readonly #file: PlainTextFile;
  readonly #table: AggregatesTable;
  readonly #maxBytes: number;

  constructor(path: string, channelVersion: string, maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
    this.#file = new PlainTextFile(path);
    this.#table = new AggregatesTable(channelVersion, {
      compress: (bytes) => zstdCompressSync(bytes, { params: PARAMS }),
      write: (bytes) => {
        this.#hash.update(bytes);
        this.#file.write(bytes);
      },
    });
  }

  add(measure: IndexedMeasure): void {
    if (!this.#isTooLarge()) this.#table.add(measure);
  }

  /** Writes the rest; the file is whole afterwards. Null when it would be too large. */
  end(): ManifestFile | null {
    if (!this.#isTooLarge()) this.#table.end();
    if (this.#isTooLarge()) return null;
    return { name: PARQUET_NAME, bytes: this.#file.bytes, sha256: this.#hash.digest('hex') };
  }

  #isTooLarge(): boolean {
    return this.#file.bytes > this.#maxBytes;
  }

  close(): void {
    this.#file.close();
  }
}
