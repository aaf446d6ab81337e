/** A folder as the content of the embedded input bucket: relative path = input key. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import pMap from 'p-map';
import { hashOfFile } from '../src/file-hash.ts';
import type { ListedObject, ObjectStore } from '../src/ports.ts';

const TRANSFERS_AT_ONCE = 16;

export interface InputFolderCounts {
  readonly files: number;
  readonly uploaded: number;
  readonly removed: number;
}

/**
 * Makes the bucket hold exactly the folder's files. Objects of the same key and content are left as they are; the content
 * is told by the ETag, the MD5 of an object that was stored by one PUT.
 */
export async function mirrorInputFolder(folder: string, bucket: ObjectStore): Promise<InputFolderCounts> {
  const present = new Map<string, ListedObject>();
  for await (const object of bucket.objects('')) present.set(object.key, object);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let uploaded = 0;
  await pMap(
    paths,
    async (path) => {
      const key = relative(folder, path).split(sep).join('/');
      const { size } = await stat(path);
      const stored = present.get(key);
      present.delete(key);
      if (stored?.size === size && stored.etag.replaceAll('"', '') === (await hashOfFile(path, 'md5'))) return;
      await bucket.put(key, { path, size });
      uploaded += 1;
    },
    { concurrency: TRANSFERS_AT_ONCE },
  );
  await bucket.delete([...present.keys()]);
  return { files: paths.length, uploaded, removed: present.size };
}

/** Submission days named by input keys below a folder, ascending. */
export async function submissionDays(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const days = names.map((name) => /\/\d{8,14}\.(\d{8})\.v\d+\.log\.[^/]+$/.exec(`/${name.split(sep).join('/')}`)?.[1]);
  return [...new Set(days.filter((day) => day !== undefined))].sort();
}
