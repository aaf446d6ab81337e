/** Plans and run indexes in the analysis bucket: written once by `planTasks`, read by every later stage. */
import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../errors.ts';
import type { AnalysisTask } from '../pipeline/task-queue/pack.ts';
import { parsePlanHead, parsePlanLine, type PlanHead } from '../pipeline/task-queue/plan.ts';
import { type RunRef, stateKeys } from '../pipeline/state-keys.ts';
import type { ObjectStore } from '../ports.ts';
import { readJsonIfPresent } from './stored-json.ts';

/** The head and a stream of the tasks, in task order. */
export async function openPlan(
  store: ObjectStore,
  run: RunRef,
  signal: AbortSignal,
): Promise<{ head: PlanHead; tasks: AsyncGenerator<AnalysisTask> }> {
  const { body } = await store.get(stateKeys.plan(run), { signal });
  const lines = createInterface({ input: Readable.from([body]).pipe(createGunzip()), crlfDelay: Infinity })[
    Symbol.asyncIterator
  ]();
  const first = await lines.next();
  if (first.done === true) {
    throw ApplicationFailure.nonRetryable(
      `s3://${store.bucket}/${stateKeys.plan(run)} is empty`,
      FailureType.StateDamaged,
    );
  }
  async function* tasks(): AsyncGenerator<AnalysisTask> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) yield parsePlanLine(line.value);
  }
  return { head: parsePlanHead(first.value), tasks: tasks() };
}

/** The run that a run id belongs to; undefined when this deployment never planned it. */
export async function findRun(store: ObjectStore, runId: string, signal: AbortSignal): Promise<RunRef | undefined> {
  const entry = (await readJsonIfPresent(store, stateKeys.runIndex(runId), signal)) as { prefix?: unknown } | undefined;
  return typeof entry?.prefix === 'string' ? { runId, prefix: entry.prefix } : undefined;
}
