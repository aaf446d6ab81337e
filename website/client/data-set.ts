/** Fetches and keeps the files of a published data set. Nothing of the page, of DOM or of storage is used here. */
import { type Definition, isRecord, readDefinition } from './definition.ts';
import {
  type ByDate,
  type Changes,
  type Folders,
  indexOfDefinitions,
  type MeasureIndex,
  readChanges,
  readMeasureIndex,
  readStatus,
  readSummary,
  readVersions,
  shardOf,
  type Status,
} from './documents.ts';
import { chosenIds, type Filter, type FilterPaths, isUnfiltered, readFilterTree } from './filter-tree.ts';
import { bucketsOf, type MeasureRows, readMeasureRows, sumByDate } from './measure-file.ts';
import type { DatedSums } from './sums.ts';

/** Why there is nothing to show. */
export type Nothing =
  | 'no such channel and version'
  | 'no such measure'
  | 'no such filter'
  | 'no data by this date'
  | 'file is missing'
  | 'data set cannot be reached';

/** What a person is told; `reason` says it to programs. */
export class NothingFoundError extends Error {
  override readonly name = 'NothingFoundError';
  readonly reason: Nothing;

  constructor(reason: Nothing, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface MeasureSums {
  readonly definition: Definition;
  readonly dated: DatedSums;
  /** From the summary: no filter, and no counts of filter options yet. */
  readonly summarised: boolean;
}

export interface DataSetOptions {
  /** For tests. */
  readonly fetch?: typeof fetch;
  /** Parsed measure files that are kept; older ones are fetched again, which the browser's cache answers. */
  readonly keptFiles?: number;
}

type Cache = 'default' | 'no-cache';

const KEPT_FILES = 24;
const FILE_NAMES: Readonly<Record<ByDate, string>> = { build: 'by-build-date', submission: 'by-submission-date' };

/**
 * A published data set at an address that ends in its prefix: `https://host/bucket/v7/`. Folders never change, so their
 * files are fetched once; `refresh` looks for newer ones. All methods reject with NothingFoundError.
 */
export class DataSet {
  readonly address: string;
  readonly #fetch: typeof fetch;
  readonly #keptFiles: number;
  #folders: Promise<Folders> | undefined;
  readonly #documents = new Map<string, Promise<unknown>>();
  readonly #rows = new Map<string, Promise<MeasureRows>>();

  constructor(address: string, options: DataSetOptions = {}) {
    this.address = address.endsWith('/') ? address : `${address}/`;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#keptFiles = options.keptFiles ?? KEPT_FILES;
  }

  folders(): Promise<Folders> {
    this.#folders ??= this.#json('versions.json', 'no-cache').then(readVersions);
    this.#folders.catch(() => (this.#folders = undefined));
    return this.#folders;
  }

  /** Looks at versions.json again. */
  refresh(): Promise<Folders> {
    this.#folders = undefined;
    return this.folders();
  }

  /** Every measure of a channel/version. */
  async measures(channelVersion: string): Promise<MeasureIndex> {
    const folder = await this.#folder(channelVersion);
    const index = readMeasureIndex(await this.#optional(`${folder}/_measures.json`));
    return index ?? indexOfDefinitions(await this.#kept(`${folder}/histograms.json`));
  }

  async filters(channelVersion: string): Promise<FilterPaths> {
    const folder = await this.#folder(channelVersion);
    return readFilterTree(await this.#kept(`${folder}/filter-tree.json`));
  }

  /** Sums by date. Without a filter they come from the summary where there is one, which is far smaller. */
  async sums(channelVersion: string, measure: string, by: ByDate, filter: Filter): Promise<MeasureSums> {
    const [raw, summary] = await Promise.all([
      this.#definition(channelVersion, measure),
      isUnfiltered(filter) ? this.#summary(channelVersion, measure, by) : undefined,
    ]);
    if (summary !== undefined) {
      const buckets = summary[0]?.[1].counts.length;
      return { definition: readDefinition(raw, buckets), dated: summary, summarised: true };
    }
    const [rows, paths] = await Promise.all([this.rows(channelVersion, measure, by), this.filters(channelVersion)]);
    if (!isUnfiltered(filter) && chosenIds(paths, filter).size === 0)
      throw new NothingFoundError('no such filter', `${channelVersion} has no submissions of ${filterName(filter)}.`);
    return {
      definition: readDefinition(raw, bucketsOf(rows)),
      dated: sumByDate(rows, paths, filter),
      summarised: false,
    };
  }

  /** All rows of a measure. */
  async rows(channelVersion: string, measure: string, by: ByDate): Promise<MeasureRows> {
    const path = await this.measurePath(channelVersion, measure, by);
    let rows = this.#rows.get(path);
    if (rows === undefined) {
      rows = this.#json(path).then(readMeasureRows);
      rows.catch(() => this.#rows.delete(path));
    }
    // The order of insertion is that of use.
    this.#rows.delete(path);
    this.#rows.set(path, rows);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > this.#keptFiles && oldest !== undefined) this.#rows.delete(oldest);
    return rows;
  }

  /** Of the published file, below the address. */
  async measurePath(channelVersion: string, measure: string, by: ByDate): Promise<string> {
    const folder = await this.#folder(channelVersion);
    return `${folder}/${encodeURIComponent(measure)}-${FILE_NAMES[by]}.json`;
  }

  /** Null when nothing has been compared yet. */
  async changes(): Promise<Changes | null> {
    const raw = await this.#optional('changes.json', 'no-cache');
    return raw === undefined ? null : readChanges(raw);
  }

  async status(): Promise<Status> {
    return readStatus(await this.#json('status.json', 'no-cache'));
  }

  async #folder(channelVersion: string): Promise<string> {
    const folder = (await this.folders()).get(channelVersion);
    if (folder !== undefined) return encodeURIComponent(folder);
    throw new NothingFoundError(
      'no such channel and version',
      `The data set has no ${channelVersion}. It may not have been published yet, or it has left the data set.`,
    );
  }

  async #definition(channelVersion: string, measure: string): Promise<unknown> {
    const folder = await this.#folder(channelVersion);
    const definitions = await this.#kept(`${folder}/histograms.json`);
    if (isRecord(definitions) && Object.hasOwn(definitions, measure)) return definitions[measure];
    throw new NothingFoundError('no such measure', `${channelVersion} has no measure ${measure}.`);
  }

  async #summary(channelVersion: string, measure: string, by: ByDate): Promise<DatedSums | undefined> {
    const folder = await this.#folder(channelVersion);
    const shard = shardOf(await this.#optional(`${folder}/_measures.json`), measure);
    if (shard === undefined) return undefined;
    return readSummary(await this.#optional(`${folder}/_summary-${shard}.json`), measure, by);
  }

  /** A file of a folder, which is fetched once; undefined when it is not there. */
  async #optional(path: string, cache?: Cache): Promise<unknown> {
    try {
      return await (cache === undefined ? this.#kept(path) : this.#json(path, cache));
    } catch (error) {
      if (error instanceof NothingFoundError && error.reason === 'file is missing') return undefined;
      throw error;
    }
  }

  #kept(path: string): Promise<unknown> {
    const known = this.#documents.get(path);
    if (known !== undefined) return known;
    const document = this.#json(path);
    document.catch((error: unknown) => {
      if (!(error instanceof NothingFoundError) || error.reason !== 'file is missing') this.#documents.delete(path);
    });
    this.#documents.set(path, document);
    return document;
  }

  async #json(path: string, cache: Cache = 'default'): Promise<unknown> {
    let answer: Response;
    try {
      answer = await this.#fetch(this.address + path, { cache, credentials: 'omit' });
    } catch {
      throw new NothingFoundError('data set cannot be reached', `${this.address}${path} cannot be reached.`);
    }
    // A bucket that strangers may not list answers 403 for a key that is not there.
    if (answer.status === 404 || answer.status === 403)
      throw new NothingFoundError('file is missing', `The data set has no ${path}.`);
    if (!answer.ok)
      throw new NothingFoundError('data set cannot be reached', `${path} was answered with status ${answer.status}.`);
    try {
      return await answer.json();
    } catch {
      throw new NothingFoundError('data set cannot be reached', `${path} is no JSON.`);
    }
  }
}

/** For people: the options that are chosen. */
export function filterName(filter: Filter): string {
  const chosen = filter.filter((option) => option !== '');
  return chosen.length === 0 ? 'everything' : chosen.join(' · ');
}
