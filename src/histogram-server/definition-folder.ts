/**
 * Histogram definitions in a prepared folder: `<repo path>/<revision>/Histograms.json`, as the original's cache was on
 * disk.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../histograms/revision-url.ts';

export class DefinitionFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf({ repo, revision }: Revision): string {
    return join(this.#folder, repo, revision, 'Histograms.json');
  }

  /** Undefined when it is not there. @throws other file system errors */
  async read({ repo, revision }: Revision): Promise<Buffer | undefined> {
    try {
      return await readFile(this.pathOf({ repo, revision }));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }
}
