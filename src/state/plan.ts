/** Plans and run indexes: written once by `planTasks` or `planRound`, read by every later stage. */
import { createGunzip, createGzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import type { RunRef } from '../pipeline/run-ref.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { AnalysisTask } from '../pipeline/task-queue/pack.ts';
import { type PlanContent, planLine, type PlanHead, readPlan } from '../pipeline/task-queue/plan.ts';
import type { ObjectStore } from '../ports.ts';
import { isContentError } from '../threads/content-error.ts';
import { textLines } from '../threads/lines.ts';
import { addressOf, type Codec, createDocumentOnce, damaged, readDocumentIfPresent, readObject } from './documents.ts';
import { stateKeys } from './keys.ts';
import { LocalObjects } from './local-objects.ts';

const WHAT = 'the plan of a run';

/**
 * The head and a stream of the tasks, in task order.
 * @throws ApplicationFailure StateDamaged, also while the tasks are read
 */
export async function openPlan(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<PlanContent> {
  const key = stateKeys.plan(run);
  const { body } = await readObject(store, key, WHAT, signal);
  const told = (error: unknown): unknown =>
    isContentError(error) ? damaged(addressOf(store, key), WHAT, error) : error;
  try {
    const { head, tasks } = await readPlan(textLines(Readable.from([body]).pipe(createGunzip())));
    async function* telling(): AsyncGenerator<AnalysisTask> {
      try {
        yield* tasks;
      } catch (error) {
        throw told(error);
      }
    }
    return { head, tasks: telling() };
  } catch (error) {
    throw told(error);
  }
}

/** The plan as a local file, for a thread. */
export function localPlan(store: ObjectStore, folder: string, signal: AbortSignal): LocalObjects {
  return new LocalObjects(store, folder, { what: WHAT, name: 'plan' }, signal);
}

export async function hasPlan(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<boolean> {
  return (await store.head(stateKeys.plan(run), signal)) !== undefined;
}

/**
 * When the plan was stored, by the store's clock.
 * @throws ApplicationFailure StateDamaged when it is gone
 */
export async function planTime(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<Date> {
  const stored = await store.head(stateKeys.plan(run), signal);
  if (stored !== undefined) return stored.lastModified;
  await readObject(store, stateKeys.plan(run), WHAT, signal);
  return new Date(0);
}

/**
 * Stores a plan once.
 * @param tasks compressed lines of the tasks, as `compressedTasks` or a stream of `planLine` gives them
 */
export async function createPlan(
  store: ObjectStore,
  run: RunRef,
  head: PlanHead,
  tasks: Buffer,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  // Gzip streams may follow each other, so the head, which has the counts, still comes first.
  const stored = Buffer.concat([gzipSync(`${JSON.stringify(head)}\n`), tasks]);
  return store.createOnce(stateKeys.plan(run), stored, { contentType: 'application/gzip' }, signal);
}

/** In pieces: a round may have as many files as a day. */
export async function compressedTasks(tasks: readonly AnalysisTask[]): Promise<Buffer> {
  const lines = Readable.from(tasks.values().map((task) => `${planLine(task)}\n`));
  return Buffer.concat(await lines.pipe(createGzip()).toArray());
}

const RUN_INDEX: Codec<{ readonly prefix: string }> = {
  what: 'the index of a run',
  parse: (text) => {
    const prefix = StoredJson.document(text, 'bad_run_index', 'index of a run').member('prefix');
    return { prefix: prefix.text(/^state\/.+\/$/) };
  },
};

/** Stores where a run's state is, so that any drain can file any run's messages. */
export async function indexRun(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<void> {
  await createDocumentOnce(store, stateKeys.runIndex(run.runId), RUN_INDEX, { prefix: run.prefix }, signal);
}

/** The run that a run id belongs to; undefined when this deployment never planned it. */
export async function findRun(store: ObjectStore, runId: string, signal: AbortSignal): Promise<RunRef | undefined> {
  const entry = await readDocumentIfPresent(store, stateKeys.runIndex(runId), RUN_INDEX, signal);
  return entry === undefined ? undefined : { runId, prefix: entry.prefix };
}
