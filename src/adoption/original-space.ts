/** The original's published space: below a prefix of a bucket, or in a folder of this machine. */
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { publishedNames } from '../state/keys.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';

export interface OriginalFile {
  /** In its folder; no slash. */
  readonly name: string;
  readonly size: number;
  /** Changes when the file is written again. */
  readonly version: string;
}

interface OriginalPointer {
  readonly body: Buffer;
  /** When it was last written. */
  readonly modified: Date;
  /** Null in a folder of this machine. */
  readonly etag: string | null;
}

/** Read only. Every call ends early when its signal aborts. */
export interface OriginalSpace {
  /** For people: `s3://bucket/prefix/` or a path; ends in a slash. */
  readonly name: string;
  /** versions.json; undefined when there is none. */
  versions(signal: AbortSignal): Promise<OriginalPointer | undefined>;
  /**
   * Files directly in a folder, ascending; empty when there is none. Deeper files are no part of a published folder.
   */
  files(folder: string, signal: AbortSignal): Promise<readonly OriginalFile[]>;
  /**
   * Copies a file to a new local one.
   * @param name below the space, such as `FILES_PROCESSED` or `<folder>/<file>`
   * @returns false when there is none
   */
  fetch(name: string, path: string, signal: AbortSignal): Promise<boolean>;
}

/** @param prefix empty, or ends in a slash */
export function spaceInBucket(store: ObjectStore, prefix: string): OriginalSpace {
  return {
    name: `s3://${store.bucket}/${prefix}`,

    async versions(signal) {
      const key = prefix + publishedNames.versions;
      const head = await store.head(key, signal);
      if (head === undefined) return undefined;
      // Content and time must be of one object: the switch relies on its ETag.
      const { body, etag } = await store.get(key, { ifMatch: head.etag, signal });
      return { body, etag, modified: head.lastModified };
    },

    async files(folder, signal) {
      const files: OriginalFile[] = [];
      const start = `${prefix}${folder}/`;
      for await (const entry of store.list(start, '/', signal)) {
        if (entry.kind !== 'object' || entry.key === start) continue;
        files.push({ name: entry.key.slice(start.length), size: entry.size, version: entry.etag });
      }
      return files.sort(byName);
    },

    async fetch(name, path, signal) {
      try {
        await store.getToFile(prefix + name, path, { signal });
        return true;
      } catch (error) {
        if (error instanceof ObjectMissingError) return false;
        throw error;
      }
    },
  };
}

export function spaceInFolder(root: string): OriginalSpace {
  return {
    name: `${resolve(root)}/`,

    async versions() {
      const path = join(root, publishedNames.versions);
      return present(async () => ({ body: await readFile(path), modified: (await stat(path)).mtime, etag: null }));
    },

    async files(folder) {
      const entries = (await present(() => readdir(join(root, folder), { withFileTypes: true }))) ?? [];
      const files: OriginalFile[] = [];
      for (const { name } of entries.filter((entry) => entry.isFile())) {
        const { size, mtimeMs } = await stat(join(root, folder, name));
        files.push({ name, size, version: String(mtimeMs) });
      }
      return files.sort(byName);
    },

    async fetch(name, path) {
      const copied = await present(async () => {
        await copyFile(join(root, name), path);
        return true;
      });
      return copied ?? false;
    },
  };
}

async function present<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function byName(a: OriginalFile, b: OriginalFile): number {
  return a.name < b.name ? -1 : 1;
}
