/** I3, byte by byte: a folder's segments are rendered again, on top of the folder's own filter ids and definitions, and must give the folder. */
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { inflatedText } from '../state/documents.ts';
import { isExpected } from '../pipeline/dataset/additions.ts';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import { PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { parsePreviousSnapshot } from '../pipeline/dataset/previous-snapshot.ts';
import { readBody } from '../file-body.ts';
import type { RenderedFile } from '../threads/render-snapshot.ts';
import type { CheckedFolder } from './published-folders.ts';
import { isSameTable } from './table-content.ts';
import type { Walk } from './walk.ts';

const MAX_DIFFERENCES = 5;
const ACTION =
  'Somebody else wrote the folder, or another release rendered it: publish any day with data of the channel/version, which renders a new one, and verify again';

/**
 * @param parts local files of the segments, in the order in which they are added
 * @param work existing folder
 */
export async function compareRendered(
  walk: Walk,
  { name, manifest }: CheckedFolder,
  parts: readonly string[],
  work: string,
): Promise<void> {
  const { threads } = walk.ports;
  const output = join(work, 'rendered');
  const { channelVersion } = manifest;
  const hasTable = manifest.files.some((file) => file.name === PARQUET_NAME);
  const table = hasTable ? { output: join(work, 'table'), channelVersion } : undefined;
  const previous = {
    filterTree: await published(walk, name, 'filter-tree.json'),
    histograms: await published(walk, name, 'histograms.json'),
    revisions: await published(walk, name, 'revisions.json'),
  };
  let rendered: readonly RenderedFile[];
  let measuresLeftOut = 0;
  try {
    const only = new Set(parsePreviousSnapshot(previous).measures.keys());
    let summary;
    ({ files: rendered, summary } = await threads.renderSnapshotFiles(
      { parts, previous, definitions: null, output, table, only },
      walk.signal,
    ));
    ({ measuresLeftOut } = summary);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    walk.error(
      'I3',
      'wrong-render',
      walk.publishedAddress(name),
      `folder ${name} cannot be rendered again: ${error.message}`,
      ACTION,
    );
    return;
  }
  walk.counts.rendered += 1;
  if (measuresLeftOut !== manifest.measuresLeftOut) {
    const what = `folder ${name} leaves out ${measuresLeftOut} measures of its segments, its manifest says ${manifest.measuresLeftOut}`;
    walk.error('I3', 'wrong-render', walk.publishedAddress(name), what, ACTION);
  }
  let differences = 0;
  for (const file of differingNames(manifest.files, rendered)) {
    if (!(await isSameContent(walk, name, file, work, manifest.files, rendered))) {
      differences += 1;
      report(walk, name, file);
    }
    if (differences === MAX_DIFFERENCES) return;
  }
}

/** Names of one side only, or of files whose stored bytes differ; folders of earlier releases lack some. */
function differingNames(published: readonly ManifestFile[], rendered: readonly ManifestFile[]): string[] {
  const hashes = new Map(published.map(({ name, sha256 }) => [name, sha256]));
  const expected = rendered.filter(({ name }) => isExpected(name, hashes));
  const names = new Set([...hashes.keys(), ...expected.map(({ name }) => name)]);
  for (const { name, sha256 } of rendered) if (hashes.get(name) === sha256) names.delete(name);
  return [...names].toSorted();
}

/** Other releases of zlib and zstd may compress the same content to other bytes. */
async function isSameContent(
  walk: Walk,
  folder: string,
  name: string,
  work: string,
  publishedFiles: readonly ManifestFile[],
  rendered: readonly RenderedFile[],
): Promise<boolean> {
  const file = rendered.find((one) => one.name === name);
  if (file === undefined || !publishedFiles.some((one) => one.name === name)) return false;
  if (name === PARQUET_NAME) {
    const path = join(work, 'published-table');
    await walk.ports.published.getToFile(keyOf(walk, folder, name), path, { signal: walk.signal });
    return isSameTable(file.path, path);
  }
  const again = gunzipSync(await readBody({ path: file.path, start: file.start, size: file.bytes })).toString('utf8');
  return again === (await published(walk, folder, name));
}

function report(walk: Walk, folder: string, name: string): void {
  const where = walk.publishedAddress(`${folder}/${name}`);
  const what = `${name} of folder ${folder} is not what its segments give`;
  // Definitions come from outside; rendering again reuses the published ones where it can.
  if (name === 'histograms.json')
    walk.note(
      'I3',
      'wrong-render',
      where,
      what,
      'Nothing: the published definitions may be out of reach here; counts are not affected',
    );
  else walk.error('I3', 'wrong-render', where, what, ACTION);
}

/** Text of a file whose hash was checked before. */
async function published(walk: Walk, folder: string, name: string): Promise<string> {
  const { body } = await walk.ports.published.get(keyOf(walk, folder, name), { signal: walk.signal });
  return inflatedText(body);
}

function keyOf({ ports }: Walk, folder: string, name: string): string {
  return `${ports.settings.publishedPrefix}${folder}/${name}`;
}
