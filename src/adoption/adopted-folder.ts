/**
 * One folder of the original: read, its rows stored as a base, its files as they are. The folder itself stays the one that
 * readers see, so nothing they see changes; `_manifest.json` is all it gets.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pMap from 'p-map';
import { folderFileHeaders } from '../state/publication.ts';
import { quarantine } from '../state/quarantine.ts';
import { createAdoptedFolder, findAdoptedFolder, type AdoptedFolder } from '../state/adoption.ts';
import { isAddition } from '../pipeline/dataset/additions.ts';
import { type AdoptionFault, isKeptOut } from '../pipeline/dataset/adoption/faults.ts';
import { measureFileName } from '../pipeline/dataset/adoption/original-folder.ts';
import { MANIFEST_NAME, type ManifestFile, serialiseManifest } from '../pipeline/dataset/manifest.ts';
import { NO_METRICS } from '../metrics.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { stateKeys } from '../state/keys.ts';
import { inWorkFolder } from '../work-folder.ts';
import { type AdoptionInput, type AdoptionPorts, AdoptionRefused } from './adoption.ts';
import type { OriginalFile } from './original-space.ts';

const TRANSFERS_AT_ONCE = 16;
const FIXED_FILES = new Set(['filter-tree.json', 'histograms.json', 'revisions.json']);

/**
 * Reads a folder and stores its base, and in a copy its files; no reader sees any of it. When done before, returns the
 * earlier result.
 * @param onFile called for every file that has been fetched
 * @throws InvalidDataError when the folder is gone or its fixed files are broken
 */
export async function adoptOneFolder(
  ports: AdoptionPorts,
  input: Omit<AdoptionInput, 'leaveOut'>,
  [channelVersion, folder]: readonly [string, string],
  onFile: () => void,
  signal: AbortSignal,
): Promise<AdoptedFolder> {
  const { original, copy, dryRun } = input;
  const listed = (await original.files(folder, signal)).filter(({ name }) => name !== MANIFEST_NAME);
  if (listed.length === 0) throw new InvalidDataError('missing_folder', `${original.name}${folder}/ is not there`);
  const [files, foreign] = [listed.filter(isPublished), listed.filter((file) => !isPublished(file))];
  const listing = listingHash(files, `${original.name} ${copy ? placeOf(ports, folder) : ''}`);
  const known = await findAdoptedFolder(ports.analysis, folder, listing, signal);
  if (known !== undefined) return known;
  return inWorkFolder(ports.settings.workDirectory, async (work) => {
    const local = await pMap(
      files,
      async ({ name }, index) => {
        const path = join(work, `file-${index}`);
        if (!(await original.fetch(`${folder}/${name}`, path, signal)))
          throw new InvalidDataError(
            'missing_file',
            `${original.name}${folder}/${name} was deleted after it was listed`,
          );
        onFile();
        return { name, path };
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
    const output = join(work, 'base');
    const adopted = await ports.threads.adoptFolder({ channelVersion, files: local, output, compress: copy }, signal);
    const { part } = adopted;
    const key = stateKeys.adoptedBase(channelVersion, part.sha256);
    const faults: AdoptionFault[] = [
      ...adopted.faults,
      ...foreign.map(({ name }) => ({ reason: 'foreign_file', what: name, count: 1 }) as const),
    ];
    const result: AdoptedFolder = {
      channelVersion,
      folder,
      measures: adopted.measures,
      rows: part.slots,
      faults,
      base: { key, sha: part.sha256, slots: part.slots },
      files: [...adopted.files],
    };
    if (dryRun) return result;
    const body = { path: output, size: part.storedBytes };
    await ports.analysis.createOnce(key, body, { contentType: 'application/zstd' }, signal);
    await quarantineFaults(ports, `${original.name}${folder}/`, faults, signal);
    const paths = new Map(local.map(({ name, path }) => [name, path]));
    if (copy) await copyFiles(ports, folder, adopted.files, paths, signal);
    return createAdoptedFolder(ports.analysis, listing, result, signal);
  });
}

/**
 * Writes the manifest that marks the folder as complete, once (docs/protocol.md I4). No object of ours went into it.
 */
export async function writeManifest(ports: AdoptionPorts, adopted: AdoptedFolder, signal: AbortSignal): Promise<void> {
  const { channelVersion, folder, files } = adopted;
  const text = serialiseManifest({ channelVersion, segments: [], files, measuresLeftOut: 0 });
  const key = `${ports.settings.publishedPrefix}${folder}/${MANIFEST_NAME}`;
  const outcome = await ports.published.createOnce(key, gzipSync(text), folderFileHeaders(MANIFEST_NAME), signal);
  if (outcome === 'created') return;
  const { body } = await ports.published.get(key, { signal });
  if (gunzipSync(body).toString('utf8') === text) return;
  throw new AdoptionRefused(
    `s3://${ports.published.bucket}/${key} is of other files than the folder has now: the folder was written since an earlier adoption began. Make sure that nothing else writes, delete that object and adopt again`,
  );
}

function isPublished({ name }: OriginalFile): boolean {
  return FIXED_FILES.has(name) || isAddition(name) || measureFileName(name) !== undefined;
}

function placeOf({ published, settings }: AdoptionPorts, folder: string): string {
  return `s3://${published.bucket}/${settings.publishedPrefix}${folder}/`;
}

function listingHash(files: readonly OriginalFile[], space: string): string {
  const lines = files.map(({ name, size, version }) => JSON.stringify([name, size, version]));
  return createHash('sha256')
    .update([space, ...lines].join('\n'))
    .digest('hex');
}

/** What is not in the base, with its reason; the files stay where they are. */
async function quarantineFaults(
  { analysis }: AdoptionPorts,
  place: string,
  faults: readonly AdoptionFault[],
  signal: AbortSignal,
): Promise<void> {
  await pMap(
    faults.filter(isKeptOut),
    async ({ reason, what, count }) => {
      const message = `${what}: ${count} kept out of the adopted history`;
      await quarantine(
        { analysis, metrics: NO_METRICS },
        { what: 'adopted_measure', reason, message, content: place },
        signal,
      );
    },
    { concurrency: TRANSFERS_AT_ONCE },
  );
}

async function copyFiles(
  { published, settings }: AdoptionPorts,
  folder: string,
  files: readonly ManifestFile[],
  paths: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  await pMap(
    files,
    async ({ name, bytes, sha256 }) => {
      const key = `${settings.publishedPrefix}${folder}/${name}`;
      const body = { path: paths.get(name) ?? '', size: bytes };
      if ((await published.createOnce(key, body, folderFileHeaders(name), signal)) === 'created') return;
      const stored = await published.get(key, { signal });
      if (createHash('sha256').update(stored.body).digest('hex') === sha256) return;
      throw new AdoptionRefused(
        `s3://${published.bucket}/${key} is there already, with other content; nothing was switched`,
      );
    },
    { concurrency: TRANSFERS_AT_ONCE },
  );
}
