/**
 * How the drain finds results: by a HEAD for each, or, once it has asked for many of a run, by one listing of that run.
 * A listed ETag may be out of date when a worker that overwrites stored the result again; the task then counts as failed
 * when it is merged, as for a HEAD. Our own workers never overwrite one.
 */
import { RESULT_NAME } from '../pipeline/done-queue/done-message.ts';
import type { ResultObject } from '../pipeline/done-queue/receipt.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore } from '../ports.ts';
import { stateKeys } from '../state/keys.ts';

/** A listing must not cost more than the HEADs that it replaces: this many of them for one page (1000 keys). */
const HEADS_PER_PAGE = 8;
/** How many objects a worker stores for a task. */
const OBJECTS_PER_TASK = 4;
const PAGE_OBJECTS = 1000;
/** A run with fewer results is not worth a listing. */
const MIN_HEADS = 20;

interface RunListing {
  readonly results: Map<number, ResultObject>;
  /** Results that were asked for since the last listing and are not in it. */
  unlisted: number;
  running: Promise<void> | undefined;
}

/** The results of the runs that one drain meets. */
export class ResultLookup {
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal;
  readonly #runs = new Map<string, RunListing>();

  constructor(store: ObjectStore, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
  }

  /**
   * The result.txt of a task; undefined when there is none.
   * @param tasks how many its run has; undefined for a run of another launcher, which is never listed
   */
  async find(taskId: string, tasks: number | undefined): Promise<ResultObject | undefined> {
    if (tasks === undefined) return this.#head(taskId);
    const { runId, number } = splitTaskId(taskId);
    const listing = this.#listing(runId);
    if (!listing.results.has(number)) {
      listing.unlisted += 1;
      if (listing.unlisted > headsBeforeListing(tasks)) listing.running ??= this.#list(runId, listing);
    }
    await listing.running;
    return listing.results.get(number) ?? this.#head(taskId);
  }

  #listing(runId: string): RunListing {
    let listing = this.#runs.get(runId);
    if (listing === undefined)
      this.#runs.set(runId, (listing = { results: new Map(), unlisted: 0, running: undefined }));
    return listing;
  }

  #head(taskId: string): Promise<ResultObject | undefined> {
    return this.#store.head(stateKeys.result(taskId), this.#signal);
  }

  async #list(runId: string, listing: RunListing): Promise<void> {
    const prefix = stateKeys.output(runId);
    for await (const { key, etag, size } of this.#store.objects(prefix, this.#signal)) {
      const [number, name] = key.slice(prefix.length).split('/');
      if (name === RESULT_NAME) listing.results.set(Number(number), { etag, size });
    }
    listing.unlisted = 0;
    listing.running = undefined;
  }
}

function headsBeforeListing(tasks: number): number {
  return Math.max(MIN_HEADS, (HEADS_PER_PAGE * tasks * OBJECTS_PER_TASK) / PAGE_OBJECTS);
}
