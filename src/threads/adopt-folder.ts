/** File job: a downloaded folder of the original → its slots as a part, one measure in memory at a time, and the hash of every file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { BY_DATES } from '../pipeline/aggregates/slot.ts';
import { type AdoptionFault, FaultCounts } from '../pipeline/dataset/adoption/faults.ts';
import { measureFileName, readOriginalFolder } from '../pipeline/dataset/adoption/original-folder.ts';
import { slotsOfFile } from '../pipeline/dataset/adoption/original-rows.ts';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import { PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { isGzip } from './gzip.ts';
import { type PartInfo, writePart } from './part-file.ts';

interface OriginalFile {
  /** In the original's folder. */
  readonly name: string;
  /** Local copy. */
  readonly path: string;
}

export interface AdoptFolderInput {
  readonly channelVersion: string;
  readonly files: readonly OriginalFile[];
  /** Part file to write. */
  readonly output: string;
  /** Compress plain local copies, since they will be stored again. */
  readonly compress: boolean;
}

export interface AdoptFolderResult {
  readonly part: PartInfo;
  /** Name, size and hash of each file, as the local copy is now. */
  readonly files: readonly ManifestFile[];
  readonly measures: number;
  readonly faults: readonly AdoptionFault[];
}

/** A larger measure does not fit into a thread's memory as JSON. */
const MAX_TEXT_BYTES = 128 << 20;
const FIXED = { filterTree: 'filter-tree.json', histograms: 'histograms.json', revisions: 'revisions.json' } as const;

/** @throws InvalidDataError when one of the three fixed files is gone or broken: without them rows have no meaning */
export async function adoptFolder(input: AdoptFolderInput): Promise<AdoptFolderResult> {
  const faults = new FaultCounts();
  const folder = new StoredFolder(input.files, input.compress);
  const fixed = {
    filterTree: await folder.demand(FIXED.filterTree),
    histograms: await folder.demand(FIXED.histograms),
    revisions: await folder.demand(FIXED.revisions),
  };
  const { measures, paths } = readOriginalFolder(folder.names, fixed, faults);
  let measuresWithRows = 0;

  async function* slots(): AsyncGenerator<PartSlot> {
    for (const measure of measures) {
      let rows = 0;
      for (const byDate of BY_DATES) {
        const json = await readMeasureFile(folder, `${measure.measure}-${byDate}.json`, measure.measure, faults);
        if (json === undefined) continue;
        for (const slot of slotsOfFile(measure, byDate, json, paths, faults)) {
          rows += 1;
          yield { channelVersion: input.channelVersion, slot };
        }
      }
      if (rows === 0) faults.add('no_rows', measure.measure);
      else measuresWithRows += 1;
    }
  }

  const part = await writePart(input.output, slots());
  return { part, files: await folder.all(), measures: measuresWithRows, faults: faults.list() };
}

async function readMeasureFile(
  folder: StoredFolder,
  name: string,
  measure: string,
  faults: FaultCounts,
): Promise<unknown> {
  try {
    const text = await folder.text(name);
    if (text !== undefined) return JSON.parse(text) as unknown;
    faults.add('missing_file', measure);
  } catch (error) {
    if (error instanceof InvalidDataError) faults.add(error.reason === 'too_large' ? 'too_large' : 'bad_gzip', measure);
    else if (error instanceof SyntaxError) faults.add('bad_json', measure);
    else throw error;
  }
  return undefined;
}

/** Reads every file once and keeps its size and hash. */
class StoredFolder {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, ManifestFile>();
  readonly #compress: boolean;

  constructor(files: readonly OriginalFile[], compress: boolean) {
    this.#paths = new Map(files.map(({ name, path }) => [name, path]));
    this.#compress = compress;
  }

  get names(): Iterable<string> {
    return [...this.#paths.keys()].filter((name) => measureFileName(name) !== undefined);
  }

  /** @throws InvalidDataError `missing_file`, `bad_gzip`, `too_large` */
  async demand(name: string): Promise<string> {
    const text = await this.text(name);
    if (text === undefined) throw new InvalidDataError('missing_file', `${name} is not there`);
    return text;
  }

  /** @throws InvalidDataError `bad_gzip`, `too_large` */
  async text(name: string): Promise<string | undefined> {
    const path = this.#paths.get(name);
    return path === undefined ? undefined : inflated(await this.#read(name, path), name);
  }

  /** Every file, those of no measure as well. */
  async all(): Promise<ManifestFile[]> {
    for (const [name, path] of this.#paths) {
      if (name === PARQUET_NAME) this.#seen.set(name, await hashed(name, path));
      else if (!this.#seen.has(name)) await this.#read(name, path);
    }
    return [...this.#seen.values()];
  }

  async #read(name: string, path: string): Promise<Buffer> {
    let body = await readFile(path);
    if (this.#compress && !isGzip(body)) {
      body = gzipSync(body);
      await writeFile(path, body);
    }
    this.#seen.set(name, { name, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') });
    return body;
  }
}

/** As it is: it may be larger than memory, and is compressed inside. */
async function hashed(name: string, path: string): Promise<ManifestFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(block);
    bytes += block.length;
  }
  return { name, bytes, sha256: hash.digest('hex') };
}

function inflated(body: Buffer, name: string): string {
  if (!isGzip(body)) {
    if (body.length <= MAX_TEXT_BYTES) return body.toString('utf8');
    throw new InvalidDataError('too_large', `${name} has more than ${MAX_TEXT_BYTES} bytes`);
  }
  try {
    return gunzipSync(body, { maxOutputLength: MAX_TEXT_BYTES }).toString('utf8');
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLarge) throw new InvalidDataError('too_large', `${name} inflates to more than ${MAX_TEXT_BYTES} bytes`);
    throw new InvalidDataError('bad_gzip', `${name} does not decompress: ${(error as Error).message}`);
  }
}
