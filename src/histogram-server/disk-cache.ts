/**
 * Revisions on disk, as raw bytes under the hash of their name, so that no name decides a path (docs/security.md T8).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../histograms/revision-url.ts';

export class DiskCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a revision, whether or not it exists. */
  pathOf({ repo, revision }: Revision): string {
    return join(this.#folder, `${createHash('sha256').update(`${repo}\n${revision}`).digest('hex')}.json`);
  }

  /** Undefined when it is not there, or cannot be read: then it is fetched again. */
  async read(revision: Revision): Promise<Buffer | undefined> {
    try {
      return await readFile(this.pathOf(revision));
    } catch {
      return undefined;
    }
  }

  /** The file appears whole or not at all. @throws file system errors */
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
  }

  async remove(revision: Revision): Promise<void> {
    await rm(this.pathOf(revision), { force: true });
  }
}
