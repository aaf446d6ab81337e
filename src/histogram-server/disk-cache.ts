/**
 * Revisions on disk, as raw bytes under the hash of their name, so that no name decides a path (docs/security.md T8). The
 * folder is bounded: submissions name revisions, and each one named is kept.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Revision } from '../histograms/revision-url.ts';

export interface DiskCacheLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Three years of nightlies and releases are some 2,000 files of 0.2 to 1 MB; what is removed is fetched again. */
const LIMITS: DiskCacheLimits = { maxBytes: 2 ** 31, maxFiles: 5000 };
/** How full the folder is after something was removed, so that not every new file removes one. */
const FILL = 0.9;
const LOOKS_AT_ONCE = 32;

interface CachedFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

export class DiskCache {
  readonly #folder: string;
  readonly #limits: DiskCacheLimits;

  constructor(folder: string, limits: DiskCacheLimits = LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** The path of a revision, whether or not it exists. */
  pathOf({ repo, revision }: Revision): string {
    return join(this.#folder, `${createHash('sha256').update(`${repo}\n${revision}`).digest('hex')}.json`);
  }

  /** Undefined when it is not there, or cannot be read: then it is fetched again. */
  async read(revision: Revision): Promise<Buffer | undefined> {
    const path = this.pathOf(revision);
    try {
      const bytes = await readFile(path);
      // The time of its last use; a folder that cannot be written only loses the order of removal.
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /**
   * The file appears whole or not at all. Those that were not used for the longest time make room for it.
   * @throws file system errors
   */
  async write(revision: Revision, bytes: Buffer): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.pathOf(revision);
    const draft = `${path}.${randomUUID()}.tmp`;
    try {
      await writeFile(draft, bytes, { flush: true });
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    await this.#makeRoom(path);
  }

  async remove(revision: Revision): Promise<void> {
    await rm(this.pathOf(revision), { force: true });
  }

  /** Looks at the folder each time, since several processes may share it. Drafts of killed processes go the same way. */
  async #makeRoom(kept: string): Promise<void> {
    const files = await this.#files();
    let count = files.length;
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const { maxBytes, maxFiles } = this.#limits;
    if (count <= maxFiles && bytes <= maxBytes) return;
    for (const file of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (count <= maxFiles * FILL && bytes <= maxBytes * FILL) return;
      if (file.path === kept) continue;
      await rm(file.path, { force: true });
      count -= 1;
      bytes -= file.bytes;
    }
  }

  async #files(): Promise<CachedFile[]> {
    const names = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}\.json(?:\.|$)/.test(name));
    const found = await pMap(
      names,
      async (name) => {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
        return { path, bytes: size, usedMs: mtimeMs };
      },
      { concurrency: LOOKS_AT_ONCE },
    );
    return found;
  }
}
