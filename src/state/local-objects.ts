/** Objects as local files, for the threads that read them. */
import { join } from 'node:path';
import pMap from 'p-map';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
import { addressOf, damaged, missing } from './documents.ts';

const TRANSFERS_AT_ONCE = 32;

interface Naming {
  /** Name of such an object for people. */
  readonly what: string;
  /** Of the files. */
  readonly name: string;
}

/** Each object is fetched once. The files are numbered, never named by data. */
export class LocalObjects {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #naming: Naming;
  readonly #signal: AbortSignal;
  readonly #paths = new Map<string, string>();
  #files = 0;

  constructor(store: ObjectStore, folder: string, naming: Naming, signal: AbortSignal) {
    this.#store = store;
    this.#folder = folder;
    this.#naming = naming;
    this.#signal = signal;
  }

  newPath(): string {
    this.#files += 1;
    // The end keeps one path from being part of another, which `reading` looks for.
    return join(this.#folder, `${this.#naming.name}-${this.#files}.local`);
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
          if (error instanceof ObjectMissingError) missing(this.#store, key, this.#naming.what);
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
   * @throws ApplicationFailure StateDamaged, naming the object, when the content of one is damaged
   */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      for (const [key, path] of this.#paths) {
        if (!error.message.includes(path)) continue;
        const told = new InvalidDataError(error.reason, error.message.replace(`${path}: `, '').replaceAll(path, 'it'), {
          cause: error,
        });
        throw damaged(addressOf(this.#store, key), this.#naming.what, told);
      }
      throw error;
    }
  }
}
