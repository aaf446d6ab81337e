/** The published data set as files of this machine: as it is, decompressed; its tables; or as CSV. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pMap from 'p-map';
import { measureFileName } from '../pipeline/dataset/adoption/original-folder.ts';
import { isOfChannel, unknownChannel } from './chosen-channel.ts';
import { CSV_HEAD, csvLines } from '../pipeline/dataset/csv-rows.ts';
import { FilterTree } from '../pipeline/dataset/filter-tree.ts';
import { MANIFEST_NAME, parseManifest } from '../pipeline/dataset/manifest.ts';
import { PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { parseVersions, serialiseVersions, type Versions } from '../pipeline/dataset/versions.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { isSafeSegment } from '../pipeline/safe-segment.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
import { isFailure } from '../failures.ts';
import { addressOf, getIfPresent, inflatedText, readObject, undamaged } from '../state/documents.ts';
import { publishedNames } from '../state/keys.ts';
import { isContentError } from '../threads/content-error.ts';
import { isGzipFile } from '../threads/gzip.ts';
import { inWorkFolder } from '../work-folder.ts';

export const EXPORT_FORMATS = ['json', 'parquet', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const CSV_NAME = 'aggregates.csv';

export interface ExportPorts {
  readonly published: ObjectStore;
  readonly publishedPrefix: string;
  /** For files on the way. */
  readonly workDirectory: string;
}

export interface ExportInput {
  /** Folder that is new or empty; nothing outside of it is written. */
  readonly to: string;
  readonly format: ExportFormat;
  /** A channel or a channel/version; all by default. */
  readonly channel?: string | undefined;
}

export interface ExportReport {
  readonly files: number;
  /** Channel/versions that were exported, ascending. */
  readonly channelVersions: readonly string[];
  /** What could not be exported: a channel/version or a file beside them, and why. */
  readonly lacking: readonly { readonly channelVersion: string; readonly reason: string }[];
}

/** The input must be corrected; nothing was written. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

const TRANSFERS_AT_ONCE = 32;
/** Of a file as text; the largest that are published have a tenth of it. */
const MAX_TEXT_BYTES = 1 << 30;

interface Exporting extends ExportPorts {
  readonly to: string;
  readonly work: string;
  readonly signal: AbortSignal;
  readonly wrote: () => void;
}

/**
 * Writes `versions.json` and a folder for each channel/version, as they are named in the published space.
 * @param step is told of each channel/version
 * @throws ExportRefused; ApplicationFailure PointerDamaged
 */
export async function exportDataSet(
  ports: ExportPorts,
  { to, format, channel }: ExportInput,
  signal: AbortSignal,
  step: (channelVersion: string) => void = () => undefined,
): Promise<ExportReport> {
  const versions = await readVersions(ports, signal);
  const chosen = [...versions.folders].filter(([name]) => isOfChannel(channel, name));
  const unknown = unknownChannel(channel, versions.folders.keys());
  if (unknown !== undefined) throw new ExportRefused(unknown);
  await demandEmpty(to);
  let files = 0;
  const lacking: { channelVersion: string; reason: string }[] = [];
  await inWorkFolder(ports.workDirectory, async (work) => {
    const exporting: Exporting = { ...ports, to, work, signal, wrote: () => (files += 1) };
    const head = { head: versions.head, folders: new Map(chosen) };
    await writeFile(join(to, publishedNames.versions), serialiseVersions(head), { flag: 'wx' });
    exporting.wrote();
    for (const [channelVersion, folder] of chosen) {
      step(channelVersion);
      const reasons = await reasonsOf(() => FORMATS[format](exporting, channelVersion, folder));
      lacking.push(...reasons.map((reason) => ({ channelVersion, reason })));
    }
    if (format === 'json' && channel === undefined)
      for (const name of await exportProjections(exporting))
        lacking.push({ channelVersion: name, reason: 'it could not be read' });
  });
  return { files, channelVersions: chosen.map(([name]) => name), lacking };
}

/** @throws ExportRefused for a folder that has something, and for what is no folder */
export async function demandEmpty(to: string): Promise<void> {
  try {
    await mkdir(to, { recursive: true });
    if ((await readdir(to)).length === 0) return;
  } catch (error) {
    throw new ExportRefused(`${to} cannot be written to: ${(error as Error).message}.`, { cause: error });
  }
  throw new ExportRefused(`${to} is not empty: name a new or an empty folder.`);
}

async function readVersions({ published, publishedPrefix }: ExportPorts, signal: AbortSignal): Promise<Versions> {
  const key = publishedPrefix + publishedNames.versions;
  const address = addressOf(published, key);
  const stored = await getIfPresent(published, key, signal);
  if (stored === undefined)
    throw new ExportRefused(
      `${address} does not exist: nothing is published there, or the settings name another place.`,
    );
  const parse = (): Versions => parseVersions(inflatedText(stored.body));
  return undamaged(address, 'the pointer of the data set', parse, 'PointerDamaged', '"telemetry verify" says more');
}

/** A folder that is damaged costs no other one. */
async function reasonsOf(exportFolder: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await exportFolder();
  } catch (error) {
    if (error instanceof ObjectMissingError || isContentError(error) || isFailure(error, 'StateDamaged'))
      return [error.message];
    throw error;
  }
}

type ExportFolder = (exporting: Exporting, channelVersion: string, folder: string) => Promise<readonly string[]>;

/** Each returns what could not be exported of the folder. */
const FORMATS: Readonly<Record<ExportFormat, ExportFolder>> = {
  json: async (exporting, _, folder) => {
    const names = await namesOf(exporting, folder);
    // Written once, also when the manifest names itself.
    const safe = [...new Set([...names.filter(isSafeSegment), MANIFEST_NAME])];
    const bad: string[] = [];
    await mkdir(join(exporting.to, folder));
    await pMap(
      safe.entries(),
      async ([index, name]) => {
        if (!(await exportFile(exporting, `${folder}/${name}`, `plain-${index}`))) bad.push(name);
      },
      { concurrency: TRANSFERS_AT_ONCE, signal: exporting.signal },
    );
    // Names become paths on this machine.
    const unsafe = names.every(isSafeSegment) ? [] : ['its manifest names files that are no names of a data set'];
    return [...unsafe, ...unreadable(bad)];
  },

  parquet: async (exporting, _, folder) => {
    if (!(await namesOf(exporting, folder)).includes(PARQUET_NAME))
      return [`it has no ${PARQUET_NAME}, which the next day with data of it brings (TELEMETRY_PUBLISH_PARQUET)`];
    await mkdir(join(exporting.to, folder));
    return (await exportFile(exporting, `${folder}/${PARQUET_NAME}`, 'table')) ? [] : unreadable([PARQUET_NAME]);
  },

  csv: async (exporting, channelVersion, folder) => {
    const names = (await namesOf(exporting, folder)).filter((name) => measureFileName(name) !== undefined);
    const tree = FilterTree.parse(await textOf(exporting, `${folder}/filter-tree.json`));
    const bad: string[] = [];
    const lines = csvOf(exporting, { channelVersion, folder, names, paths: tree.paths() }, bad);
    await mkdir(join(exporting.to, folder));
    const output = createWriteStream(join(exporting.to, folder, CSV_NAME), { flags: 'wx' });
    await pipeline(Readable.from(lines), output, { signal: exporting.signal });
    exporting.wrote();
    return unreadable(bad);
  },
};

function unreadable(bad: readonly string[]): string[] {
  return bad.length === 0 ? [] : [`${bad.length} of its files could not be read, such as ${bad[0] ?? ''}`];
}

/** Of the files of a folder, but for the manifest itself. */
async function namesOf(exporting: Exporting, folder: string): Promise<string[]> {
  const key = `${exporting.publishedPrefix}${folder}/${MANIFEST_NAME}`;
  const what = `the manifest of ${folder}`;
  const { body } = await readObject(exporting.published, key, what, exporting.signal);
  const parse = () => parseManifest(inflatedText(body));
  return undamaged(addressOf(exporting.published, key), what, parse).files.map(({ name }) => name);
}

async function* csvOf(
  exporting: Exporting,
  of: { channelVersion: string; folder: string; names: readonly string[]; paths: ReadonlyMap<number, string> },
  bad: string[],
): AsyncGenerator<string> {
  yield CSV_HEAD;
  for (const name of of.names) {
    const file = measureFileName(name);
    if (file === undefined) continue;
    try {
      const json = JSON.parse(await textOf(exporting, `${of.folder}/${name}`)) as unknown;
      yield* csvLines({ channelVersion: of.channelVersion, ...file }, json, of.paths);
    } catch (error) {
      // Adopted folders may have such files; the others say what they say.
      const isMissing = isFailure(error, 'StateDamaged');
      if (!(error instanceof SyntaxError) && !isMissing && !isContentError(error)) throw error;
      bad.push(name);
    }
  }
}

async function textOf({ published, publishedPrefix, signal }: Exporting, name: string): Promise<string> {
  const { body } = await readObject(published, publishedPrefix + name, 'a file of a published folder', signal);
  return inflatedText(body);
}

/**
 * Decompressed on the way, where it is compressed.
 * @param temporary name of the file as it comes
 * @returns false, and leaves nothing, for a file that is missing or cannot be decompressed
 */
async function exportFile(exporting: Exporting, name: string, temporary: string): Promise<boolean> {
  const { published, publishedPrefix, to, work, signal, wrote } = exporting;
  const path = join(work, temporary);
  try {
    await published.getToFile(publishedPrefix + name, path, { signal });
  } catch (error) {
    if (error instanceof ObjectMissingError) return false;
    throw error;
  }
  const output = createWriteStream(join(to, name), { flags: 'wx' });
  try {
    if (await isGzipFile(path))
      await pipeline(createReadStream(path), createGunzip(), atMost(name), output, { signal });
    else await pipeline(createReadStream(path), output, { signal });
  } catch (error) {
    if (!isContentError(error)) throw error;
    await rm(join(to, name), { force: true });
    return false;
  }
  await rm(path);
  wrote();
  return true;
}

function atMost(name: string): Transform {
  let bytes = 0;
  return new Transform({
    transform: (block: Buffer, _, done) => {
      bytes += block.length;
      if (bytes <= MAX_TEXT_BYTES) done(null, block);
      else done(new InvalidDataError('too_large', `${name} inflates to more than ${MAX_TEXT_BYTES} bytes`));
    },
  });
}

/** @returns names of those that could not be read */
async function exportProjections(exporting: Exporting): Promise<string[]> {
  const { filesProcessed, filesMissing, status, changes } = publishedNames;
  const bad: string[] = [];
  for (const name of [filesProcessed, filesMissing, status, changes]) {
    const found = await exporting.published.head(exporting.publishedPrefix + name, exporting.signal);
    if (found !== undefined && !(await exportFile(exporting, name, name))) bad.push(name);
  }
  return bad;
}
