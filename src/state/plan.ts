/** Plans and run indexes: written once by `planTasks` or `planRound`, read by every later stage. */
import { createGunzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import type { RunRef } from '../pipeline/run-ref.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { AnalysisTask } from '../pipeline/task-queue/pack.ts';
import { parsePlanHead, parsePlanLine, planLine, type PlanHead } from '../pipeline/task-queue/plan.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { ObjectStore } from '../ports.ts';
import { textLines } from '../threads/lines.ts';
import {
  addressOf,
  type Codec,
  createDocumentOnce,
  damaged,
  isDamage,
  readDocumentIfPresent,
  readObject,
} from './documents.ts';
import { stateKeys } from './keys.ts';

const WHAT = 'the plan of a run';

/**
 * The head and a stream of the tasks, in task order.
 * @throws ApplicationFailure StateDamaged, also while the tasks are read
 */
export async function openPlan(
  store: ObjectStore,
  run: RunRef,
  signal: AbortSignal,
): Promise<{ head: PlanHead; tasks: AsyncGenerator<AnalysisTask> }> {
  const key = stateKeys.plan(run);
  const { body } = await readObject(store, key, WHAT, signal);
  const lines = textLines(Readable.from([body]).pipe(createGunzip()));
  const whole = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw isDamage(error) ? damaged(addressOf(store, key), WHAT, error) : error;
    }
  };
  const head = await whole(async () => {
    const first = await lines.next();
    if (first.done === true) throw new InvalidDataError('bad_plan', 'it is empty');
    return parsePlanHead(first.value);
  });
  async function* tasks(): AsyncGenerator<AnalysisTask> {
    for (let number = 0; ; number += 1) {
      const task = await whole(async () => {
        const line = await lines.next();
        if (line.done !== true) return parsePlanLine(line.value);
        if (number === head.tasks) return undefined;
        throw new InvalidDataError('bad_plan', `it has ${number} tasks, its head says ${head.tasks}`);
      });
      if (task === undefined) return;
      yield task;
    }
  }
  return { head, tasks: tasks() };
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

export function compressedTasks(tasks: readonly AnalysisTask[]): Buffer {
  return gzipSync(tasks.map((task) => `${planLine(task)}\n`).join(''));
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
