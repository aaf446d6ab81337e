/** Published folders: complete, and every file with the size and hash of the manifest (I4); those of recent commits still there (I10). */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { type Manifest, MANIFEST_NAME, type ManifestFile, parseManifest } from '../pipeline/dataset/manifest.ts';
import type { ChannelVersionEntry } from '../pipeline/dataset/ledger.ts';
import { compareFolder } from './rules/folder-rules.ts';
import { isAdoptedFolder } from './rules/sum-rules.ts';
import type { Commits } from './commits.ts';
import type { About, Walk } from './walk.ts';

const TRANSFERS_AT_ONCE = 16;
const FOLDERS_AT_ONCE = 8;

export interface CheckedFolder {
  readonly name: string;
  readonly manifest: Manifest;
  /** All its files are there, with the sizes and hashes of the manifest. */
  readonly whole: boolean;
}

/** Undefined, with findings, when its manifest cannot be read. */
export async function checkFolder(
  walk: Walk,
  name: string,
  entry: ChannelVersionEntry,
  channelVersion: string,
): Promise<CheckedFolder | undefined> {
  const about: About = {
    invariant: 'I4',
    what: `folder ${name}`,
    action: `Restore it from the bucket’s versions; the next day with data of ${channelVersion} renders a new folder, which needs filter-tree.json, histograms.json and revisions.json of this one`,
  };
  const listed = await listFolder(walk, name);
  const manifest = await readManifest(walk, name, listed.size, about);
  if (manifest === undefined) return undefined;
  if (manifest.channelVersion !== channelVersion) {
    walk.error(
      'I4',
      'damaged',
      addressOf(walk, name, MANIFEST_NAME),
      `the manifest is of ${manifest.channelVersion}`,
      about.action,
    );
  }
  const before = walk.errors;
  const files = compare(walk, name, manifest, listed, about, isAdoptedFolder(manifest, entry));
  let intact = walk.errors === before;
  if (!walk.quick) {
    await pMap(
      files,
      async (file) => {
        intact = (await checkHash(walk, name, file, about)) && intact;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }
  return { name, manifest, whole: intact };
}

/** Folders of earlier commits that readers may still use, by names and sizes. */
export async function checkRecentFolders(walk: Walk, { recent }: Commits, current: ReadonlySet<string>): Promise<void> {
  walk.step('folders of earlier commits');
  const folders = new Map(recent.flatMap(({ commit }) => commit.folders.map((folder) => [folder, commit] as const)));
  await pMap(
    [...folders].filter(([folder]) => !current.has(folder)),
    async ([folder, { seq }]) => {
      const about: About = {
        invariant: 'I10',
        what: `folder ${folder} of commit ${seq}, which readers may still use`,
        action: 'Restore it from the bucket’s versions if readers miss it; find out who deletes there too early',
      };
      const listed = await listFolder(walk, folder);
      const manifest = await readManifest(walk, folder, listed.size, about);
      if (manifest !== undefined) compare(walk, folder, manifest, listed, about, true);
    },
    { concurrency: FOLDERS_AT_ONCE },
  );
}

/** Sizes by name inside the folder, without the manifest. */
async function listFolder(walk: Walk, name: string): Promise<Map<string, number>> {
  const { published, settings } = walk.ports;
  const prefix = `${settings.publishedPrefix}${name}/`;
  const listed = new Map<string, number>();
  for await (const { key, size } of published.objects(prefix, walk.signal)) listed.set(key.slice(prefix.length), size);
  listed.delete(MANIFEST_NAME);
  return listed;
}

async function readManifest(walk: Walk, name: string, files: number, about: About): Promise<Manifest | undefined> {
  const { published, settings } = walk.ports;
  const what = files === 0 ? about.what : `${MANIFEST_NAME} of ${about.what}`;
  const key = `${settings.publishedPrefix}${name}/${MANIFEST_NAME}`;
  return (await walk.document(published, key, { ...about, what }, parseManifest))?.value;
}

/** @returns the files that are there, with the right size */
function compare(
  walk: Walk,
  name: string,
  { files }: Manifest,
  listed: ReadonlyMap<string, number>,
  { invariant, what, action }: About,
  mayHaveMore: boolean,
): ManifestFile[] {
  const { missing, wrongSize, extra } = compareFolder(files, listed);
  for (const file of missing)
    walk.error(invariant, 'missing', addressOf(walk, name, file), `${file} of ${what} is gone`, action);
  for (const { name: file, listed: size, bytes } of wrongSize)
    walk.error(
      invariant,
      'wrong-hash',
      addressOf(walk, name, file),
      `${file} of ${what} has ${size} bytes, its manifest says ${bytes}`,
      action,
    );
  for (const file of mayHaveMore ? [] : extra)
    walk.error(
      invariant,
      'extra',
      addressOf(walk, name, file),
      `${file} is not in the manifest of ${what}`,
      'Find out who writes there, then delete it: readers do not know it',
    );
  const broken = new Set([...missing, ...wrongSize.map((file) => file.name)]);
  return files.filter((file) => !broken.has(file.name));
}

async function checkHash(walk: Walk, folder: string, { name, sha256 }: ManifestFile, about: About): Promise<boolean> {
  const { published, settings } = walk.ports;
  const key = `${settings.publishedPrefix}${folder}/${name}`;
  const stored = await walk.get(published, key, { ...about, what: `${name} of ${about.what}` });
  if (stored === undefined) return false;
  if (createHash('sha256').update(stored.body).digest('hex') === sha256) return true;
  walk.error(
    about.invariant,
    'wrong-hash',
    addressOf(walk, folder, name),
    `${name} of ${about.what} is not what its manifest says`,
    about.action,
  );
  return false;
}

function addressOf(walk: Walk, folder: string, name: string): string {
  return walk.publishedAddress(`${folder}/${name}`);
}
