/**
 * The Histograms.json of a revision, from the nearest place that has it: memory, the definition folder, the disk cache,
 * the upstream (docs/formats/histogram-server.md 6.7). The histogram server and the publish stage both look revisions
 * up here.
 */
import { LRUCache } from 'lru-cache';
import { parseRevisionUrl, type Revision, type RevisionFault, type RevisionRules } from '../histograms/revision-url.ts';
import type { NamedRevision } from '../histograms/upstream-url.ts';
import type { DefinitionFolder } from './definition-folder.ts';
import type { DiskCache } from './disk-cache.ts';
import { FailureMemory, type ForgetAfter } from './failure-memory.ts';
import { RevisionFile } from './revision-file.ts';
import type { Upstream, UpstreamFault } from './upstream.ts';

/** `broken_file`: the definition folder has a file that is no Histograms.json, and no other source has the revision. */
export type LookUpFault = RevisionFault['fault'] | UpstreamFault | 'broken_file';
export type FoundRevision =
  | { readonly file: RevisionFile; readonly fault?: undefined }
  /** `detail` names a broken file and what is wrong with it. */
  | { readonly file?: undefined; readonly fault: LookUpFault; readonly detail?: string };

/** Null: there is no such source. Without an upstream a revision that no other source has is not found. */
export interface RevisionSources {
  readonly folder: DefinitionFolder | null;
  readonly disk: DiskCache | null;
  readonly upstream: Upstream | null;
}

export interface RevisionCacheSettings {
  readonly rules: RevisionRules;
  /** Revisions kept in memory. */
  readonly inMemory: number;
  readonly forgetAfter?: ForgetAfter;
}

/** Called as they happen, so that they can be logged. */
export type LookUpEvent =
  | { readonly event: 'fetched'; readonly bytes: number }
  | { readonly event: 'failed'; readonly fault: UpstreamFault }
  | { readonly event: 'corrupt_entry' }
  | { readonly event: 'broken_file'; readonly detail: string }
  | { readonly event: 'disk_error' | 'folder_error'; readonly error: unknown };
export type LookUpListener = (revision: Revision, event: LookUpEvent) => void;

const FORGET_AFTER: ForgetAfter = { notFoundMs: 3_600_000, failureMs: 60_000 };
/** Large revisions push others out earlier. */
const MAX_BYTES_IN_MEMORY = 256 << 20;

export class RevisionCache {
  /** Look-ups by where they ended; `shared` ones waited for another's. */
  readonly counts = {
    refused: 0,
    memory: 0,
    folder: 0,
    disk: 0,
    upstream: 0,
    shared: 0,
    remembered_failure: 0,
    not_found: 0,
    bad_content: 0,
    failed: 0,
    unreachable: 0,
    timed_out: 0,
    corrupt_entries: 0,
    broken_files: 0,
  };
  readonly #sources: RevisionSources;
  readonly #rules: RevisionRules;
  readonly #tell: LookUpListener;
  readonly #failures: FailureMemory;
  readonly #memory: LRUCache<string, RevisionFile>;
  readonly #flights = new Map<string, Promise<FoundRevision>>();

  constructor(sources: RevisionSources, settings: RevisionCacheSettings, tell: LookUpListener = () => undefined) {
    this.#sources = sources;
    this.#rules = settings.rules;
    this.#tell = tell;
    this.#failures = new FailureMemory(settings.forgetAfter ?? FORGET_AFTER);
    this.#memory = new LRUCache({
      max: settings.inMemory,
      maxSize: MAX_BYTES_IN_MEMORY,
      sizeCalculation: ({ histograms }) => histograms.length * 2 + 1,
    });
  }

  get inMemory(): number {
    return this.#memory.size;
  }

  /** Finds the revision that a URL names. Never rejects; a revision is looked up once however many wait for it. */
  async find(url: string): Promise<FoundRevision> {
    const revision = parseRevisionUrl(url, this.#rules);
    if ('fault' in revision) {
      this.counts.refused += 1;
      return revision;
    }
    const key = `${revision.repo}\n${revision.revision}`;
    const file = this.#memory.get(key);
    if (file !== undefined) {
      this.counts.memory += 1;
      return { file };
    }
    const flight = this.#flights.get(key);
    if (flight !== undefined) {
      this.counts.shared += 1;
      return flight;
    }
    const started = this.#load(key, { ...revision, url }).finally(() => this.#flights.delete(key));
    this.#flights.set(key, started);
    return started;
  }

  /** Ends what is being fetched. */
  close(): void {
    this.#sources.upstream?.close();
  }

  async #load(key: string, revision: NamedRevision): Promise<FoundRevision> {
    const inFolder = await this.#fromFolder(revision);
    const file = inFolder.file ?? (await this.#fromDisk(revision));
    if (file === undefined) {
      const found = await this.#fromUpstream(key, revision);
      // Who looks for a revision that is there, but broken, must not read that it does not exist.
      return found.file === undefined && inFolder.detail !== undefined
        ? { fault: 'broken_file', detail: inFolder.detail }
        : found;
    }
    this.#memory.set(key, file);
    return { file };
  }

  async #fromFolder(revision: NamedRevision): Promise<{ file?: RevisionFile; detail?: string }> {
    const { folder } = this.#sources;
    try {
      const bytes = await folder?.read(revision);
      if (folder === null || bytes === undefined) return {};
      const { file, fault } = RevisionFile.check(bytes);
      if (file === undefined) {
        const detail = `The definition file ${folder.pathOf(revision)} is ${fault}; correct or remove it`;
        this.counts.broken_files += 1;
        this.#tell(revision, { event: 'broken_file', detail });
        return { detail };
      }
      this.counts.folder += 1;
      return { file };
    } catch (error) {
      this.#tell(revision, { event: 'folder_error', error });
      return {};
    }
  }

  async #fromDisk(revision: NamedRevision): Promise<RevisionFile | undefined> {
    const { disk } = this.#sources;
    const bytes = await disk?.read(revision);
    if (bytes === undefined) return undefined;
    const file = RevisionFile.read(bytes);
    if (file !== undefined) {
      this.counts.disk += 1;
      return file;
    }
    this.counts.corrupt_entries += 1;
    this.#tell(revision, { event: 'corrupt_entry' });
    await this.#onDisk(revision, () => disk?.remove(revision));
    return undefined;
  }

  async #fromUpstream(key: string, revision: NamedRevision): Promise<FoundRevision> {
    const { upstream } = this.#sources;
    if (upstream === null) {
      this.counts.not_found += 1;
      return { fault: 'not_found' };
    }
    const remembered = this.#failures.of(key);
    if (remembered !== undefined) {
      this.counts.remembered_failure += 1;
      return { fault: remembered };
    }
    const { body, fault = 'bad_content' } = await upstream.fetch(revision);
    const file = body === undefined ? undefined : RevisionFile.read(body);
    if (body === undefined || file === undefined) {
      this.counts[fault] += 1;
      this.#failures.failed(key, fault);
      this.#tell(revision, { event: 'failed', fault });
      return { fault };
    }
    this.counts.upstream += 1;
    this.#failures.succeeded(key);
    this.#memory.set(key, file);
    this.#tell(revision, { event: 'fetched', bytes: body.length });
    await this.#onDisk(revision, () => this.#sources.disk?.write(revision, body));
    return { file };
  }

  /** A disk that cannot be written costs a later fetch, not an answer. */
  async #onDisk(revision: NamedRevision, change: () => Promise<void> | undefined): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#tell(revision, { event: 'disk_error', error });
    }
  }
}
