/** Writes the published space as plain files: what a browser would get, decompressed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pMap from 'p-map';
import { parseVersions } from '../src/pipeline/dataset/versions.ts';
import { isSafeSegment } from '../src/pipeline/safe-segment.ts';
import { publishedNames } from '../src/state/keys.ts';
import { ObjectMissingError, type ObjectStore } from '../src/ports.ts';
import { isGzip } from '../src/threads/gzip.ts';

const TRANSFERS_AT_ONCE = 32;

/** @returns files written: versions.json, every folder it names, and the projections that exist */
export async function exportDataset(published: ObjectStore, prefix: string, folder: string): Promise<number> {
  let files = 0;
  const write = async (name: string): Promise<Buffer> => {
    // Names become paths on this machine.
    if (!name.split('/').every(isSafeSegment))
      throw new Error(`s3://${published.bucket}/${prefix}${name} is no name of a data set`);
    const { body } = await published.get(prefix + name);
    const plain = isGzip(body) ? gunzipSync(body) : body;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, plain);
    files += 1;
    return plain;
  };
  const versions = parseVersions((await write(publishedNames.versions)).toString('utf8'));
  for (const snapshot of versions.folders.values()) {
    const objects = await Array.fromAsync(published.objects(`${prefix}${snapshot}/`));
    const names = objects.map(({ key }) => key.slice(prefix.length));
    await pMap(names, write, { concurrency: TRANSFERS_AT_ONCE });
  }
  for (const name of [publishedNames.filesProcessed, publishedNames.filesMissing, publishedNames.status]) {
    await write(name).catch((error: unknown) => {
      if (!(error instanceof ObjectMissingError)) throw error;
    });
  }
  return files;
}
