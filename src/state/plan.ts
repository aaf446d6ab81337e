/** Plans and run indexes in the analysis bucket: written once by `planTasks`, read by every later stage. */
import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { failure } from '../failures.ts';
import type { AnalysisTask } from '../pipeline/task-queue/pack.ts';
import { parsePlanHead, parsePlanLine, type PlanHead } from '../pipeline/task-queue/plan.ts';
import { type RunRef, stateKeys } from './keys.ts';
import type { ObjectStore } from '../ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { textLines } from '../threads/lines.ts';
import { readJsonIfPresent } from './documents.ts';

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
  const { body } = await store.get(key, { signal });
  const lines = textLines(Readable.from([body]).pipe(createGunzip()));
  const whole = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw damaged(`s3://${store.bucket}/${key}`, error);
    }
  };
  async function* tasks(): AsyncGenerator<AnalysisTask> {
    for (;;) {
      const task = await whole(async () => {
        const line = await lines.next();
        return line.done === true ? undefined : parsePlanLine(line.value);
      });
      if (task === undefined) return;
      yield task;
    }
  }
  const head = await whole(async () => {
    const first = await lines.next();
    if (first.done === true) throw new InvalidDataError('bad_plan', 'it is empty');
    return parsePlanHead(first.value);
  });
  return { head, tasks: tasks() };
}

/** Broken gzip or lines that are no plan's; other errors are not about the content. */
function damaged(name: string, error: unknown): unknown {
  const isContent = error instanceof InvalidDataError || (error instanceof Error && 'code' in error);
  if (!isContent) return error;
  return failure('StateDamaged', `${name} is damaged: ${error.message}`);
}

/** The run that a run id belongs to; undefined when this deployment never planned it. */
export async function findRun(store: ObjectStore, runId: string, signal: AbortSignal): Promise<RunRef | undefined> {
  const entry = (await readJsonIfPresent(store, stateKeys.runIndex(runId), signal)) as { prefix?: unknown } | undefined;
  return typeof entry?.prefix === 'string' ? { runId, prefix: entry.prefix } : undefined;
}
