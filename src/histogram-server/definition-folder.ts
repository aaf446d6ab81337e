/** Histogram definitions from a folder: `<repo path>/<revision>/Histograms.json`, as the histogram server's cache lies on disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHistogramsFile } from '../histograms/histograms-file.ts';
import type { Definitions, DefinitionSource } from '../histograms/look-up.ts';
import { parseRevisionUrl } from '../histograms/revision-url.ts';

/** Remembers every revision it was asked for: a data set names a few dozen. */
export class DefinitionFolder implements DefinitionSource {
  readonly #folder: string;
  readonly #hosts: readonly string[];
  readonly #known = new Map<string, Promise<Definitions | undefined>>();

  constructor(folder: string, hosts: readonly string[]) {
    this.#folder = folder;
    this.#hosts = hosts;
  }

  /** Undefined when the folder has no valid file for the revision, or the URL is none that may be looked up. */
  async histograms(url: string): Promise<Definitions | undefined> {
    let known = this.#known.get(url);
    if (known === undefined) {
      known = this.#read(url);
      this.#known.set(url, known);
    }
    return known;
  }

  async #read(url: string): Promise<Definitions | undefined> {
    const revision = parseRevisionUrl(url, { hosts: this.#hosts });
    if ('fault' in revision) return undefined;
    try {
      const text = await readFile(join(this.#folder, revision.repo, revision.revision, 'Histograms.json'), 'utf8');
      return parseHistogramsFile(text).definitions;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
