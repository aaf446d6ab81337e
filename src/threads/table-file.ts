/** `aggregates.parquet` as a file, written row group by row group while the measures of a snapshot are rendered. */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import type { RowNumbers } from '../pipeline/aggregates/row-numbers.ts';
import type { Slot } from '../pipeline/aggregates/slot.ts';
import type { RowTaker, ShownMeasure } from '../pipeline/dataset/measure-rows.ts';
import { AggregatesTable, PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { PiecesFile } from './text-file.ts';

/** Stores take 5 GB at once. A larger table is left out, so that it never keeps a folder from being published. */
const MAX_BYTES = 4 * 2 ** 30;

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3 };

/** Of compressed bytes, which are put together of several when there are more. */
const MIN_CHUNK = 1 << 10;

export class TableFile implements RowTaker {
  readonly #hash = createHash('sha256');
  readonly #file: PiecesFile;
  readonly #table: AggregatesTable;
  readonly #maxBytes: number;
  #isLeftOut = false;

  constructor(path: string, channelVersion: string, maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
    this.#file = new PiecesFile(path);
    this.#table = new AggregatesTable(channelVersion, {
      compress: (bytes) =>
        zstdCompressSync(bytes, { params: PARAMS, chunkSize: Math.max(MIN_CHUNK, bytes.length >> 1) }),
      write: (bytes) => {
        this.#hash.update(bytes);
        this.#file.write(bytes);
      },
    });
  }

  beginMeasure(measure: ShownMeasure): void {
    this.#isLeftOut = this.#isTooLarge();
    if (!this.#isLeftOut) this.#table.beginMeasure(measure);
  }

  addRow(slot: Slot, numbers: RowNumbers): void {
    if (!this.#isLeftOut) this.#table.addRow(slot, numbers);
  }

  endMeasure(): void {
    if (!this.#isLeftOut) this.#table.endMeasure();
  }

  /** Writes the rest; the file is whole afterwards. Null when it would be too large. */
  end(): ManifestFile | null {
    if (!this.#isTooLarge()) this.#table.end();
    this.#file.flush();
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
