/** Objects with slots (chunk parts, segments, bases) as local files, for the threads that merge and render them. */
import { join } from 'node:path';
import pMap from 'p-map';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
import { addressOf, damaged, missing } from './documents.ts';

const TRANSFERS_AT_ONCE = 32;
const WHAT = 'slots of a channel/version';

/** Each object is fetched once. The files are numbered, never named by data. */
export class LocalParts {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #paths = new Map<string, string>();
  #files = 0;

  constructor(store: ObjectStore, folder: string, signal: AbortSignal) {
    this.#store = store;
    this.#folder = folder;
    this.#signal = signal;
  }

  newPath(): string {
    this.#files += 1;
    return join(this.#folder, `part-${this.#files}`);
  }

  /** The object's content is in this file already. */
  keep(key: string, path: string): void {
    this.#paths.set(key, path);
  }

  /**
   * In the order of the keys.
   * @throws ApplicationFailure StateDamaged when one is gone
   */
  async paths(keys: readonly string[]): Promise<string[]> {
    return pMap(
      keys,
      async (key) => {
        const known = this.#paths.get(key);
        if (known !== undefined) return known;
        const path = this.newPath();
        try {
          await this.#store.getToFile(key, path, { signal: this.#signal });
        } catch (error) {
          if (error instanceof ObjectMissingError) missing(this.#store, key, WHAT);
          throw error;
        }
        this.keep(key, path);
        return path;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }

  /**
   * Runs a job that reads the files. A thread knows only their local paths.
   * @throws ApplicationFailure StateDamaged, naming the object, when the content of one is no part's
   */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      for (const [key, path] of this.#paths) {
        if (!error.message.includes(path)) continue;
        const told = new InvalidDataError(error.reason, error.message.replaceAll(path, 'it'), { cause: error });
        throw damaged(addressOf(this.#store, key), WHAT, told);
      }
      throw error;
    }
  }
}
