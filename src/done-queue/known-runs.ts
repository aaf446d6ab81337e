/**
 * The runs whose messages drains meet: what the messages must agree with. A plan is stored once, so what was read of it holds
 * for as long as the worker runs: a drain returns for each chunk that is complete, and must not read the whole plan again then.
 */
import { createHash } from 'node:crypto';
import type { DoneMessage } from '../pipeline/done-queue/done-message.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore } from '../ports.ts';
import { findRun, openPlan } from '../state/plan.ts';

/** Tasks of the runs that are kept, 16 bytes each; the one asked for last is kept whatever it has. */
const MAX_TASKS = 2_000_000;
/** Of the digest of a task's files. */
const DIGEST_BYTES = 16;

/** Kept by a worker for all its drains. */
export class KnownRuns {
  readonly #store: ObjectStore;
  /** The one asked for last is the last one. */
  readonly #runs = new Map<string, KnownRun>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Undefined when this deployment did not plan the run, which is asked again each time.
   * @throws ApplicationFailure StateDamaged
   */
  async find(runId: string, signal: AbortSignal): Promise<KnownRun | undefined> {
    const run = this.#runs.get(runId) ?? (await loadRun(this.#store, runId, signal));
    if (run === undefined) return undefined;
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    let tasks = this.#runs.values().reduce((sum, each) => sum + each.tasks, 0);
    for (const [id, oldest] of this.#runs) {
      if (tasks <= MAX_TASKS || id === runId) break;
      this.#runs.delete(id);
      tasks -= oldest.tasks;
    }
    return run;
  }
}

/** What a message must agree with: the plan's files of each task, by digest. */
export class KnownRun {
  readonly ref: RunRef;
  readonly #digests: Buffer;

  /** @param digests one behind the other, in task order */
  constructor(ref: RunRef, digests: Buffer) {
    this.ref = ref;
    this.#digests = digests;
  }

  get tasks(): number {
    return this.#digests.length / DIGEST_BYTES;
  }

  /** @throws InvalidDataError `unknown_task`, `files_differ` */
  check({ id, files }: Pick<DoneMessage, 'id' | 'files'>): void {
    const start = (splitTaskId(id).number - 1) * DIGEST_BYTES;
    const digest = this.#digests.subarray(start, start + DIGEST_BYTES);
    if (digest.length === 0) throw new InvalidDataError('unknown_task', `The plan has no task ${id}`);
    if (!digest.equals(filesDigest(files)))
      throw new InvalidDataError('files_differ', `The files of ${id} are not those of the plan`);
  }
}

async function loadRun(store: ObjectStore, runId: string, signal: AbortSignal): Promise<KnownRun | undefined> {
  const ref = await findRun(store, runId, signal);
  if (ref === undefined) return undefined;
  const { head, tasks } = await openPlan(store, ref, signal);
  const digests = Buffer.alloc(head.tasks * DIGEST_BYTES);
  let at = 0;
  for await (const { files } of tasks) at += filesDigest(files).copy(digests, at);
  return new KnownRun(ref, digests);
}

/** The same for any order of the files. */
function filesDigest(files: readonly string[]): Buffer {
  const hash = createHash('sha256').update([...files].sort().join('\n'));
  return hash.digest().subarray(0, DIGEST_BYTES);
}
