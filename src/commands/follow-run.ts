/** Starts a workflow and follows it to its end, showing its progress. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { failureTypeOf } from '../error-classes.ts';
import { exitCodeOf } from '../failures.ts';
import { JOBS, type WorkflowType } from '../jobs.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { pendingOf } from '../watch/pending.ts';
import type { Progress } from '../workflows/run-progress.ts';
import { CommandError } from './command-error.ts';
import { interruptible } from './interruptible.ts';
import { barText, StepRate, stepText } from './progress-line.ts';
import { isOnTerminal, print, showStatus } from './terminal.ts';

export interface RunToStart {
  readonly workflowType: WorkflowType;
  readonly workflowId: string;
  readonly workerTaskQueue: string;
  readonly input: unknown;
  readonly summary: string;
}

/** @throws CommandError when a run of this id is active */
export async function startRun(client: Client, run: RunToStart): Promise<WorkflowHandle> {
  try {
    return await client.workflow.start(run.workflowType, {
      workflowId: run.workflowId,
      taskQueue: run.workerTaskQueue,
      args: [run.input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: run.summary,
      staticDetails: JOBS[run.workflowType].details,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new CommandError(
      `${run.workflowId} is running already; follow it in the Web UI, or end it with "temporal workflow cancel --workflow-id ${run.workflowId}"`,
    );
  }
}

/** What `--detach` leaves a script with: the id by which `follow` finds the run. */
export function printStarted({ workflowId }: WorkflowHandle, json: boolean | undefined): void {
  if (json === true) print(JSON.stringify({ workflowId }));
}

const LOOK_EVERY_MS = 500;
/** A query waits for a worker, of which there may be none. */
const ANSWER_WITHIN_MS = 3_000;
/** Describing a run costs the server more than a query. */
const LOOK_FOR_TROUBLE_EVERY_MS = 5_000;

/**
 * Shows what a run does until it ends. Ctrl-C leaves it alone.
 * @param told ends the look instead of Ctrl-C, where the run ends as well
 * @throws CommandError with the reason of a run that failed; exit code 2 when its input was wrong
 */
export async function followRun<T>(handle: WorkflowHandle, label: string, told?: AbortSignal): Promise<T> {
  if (told !== undefined) return follow(handle, label, told);
  const { workflowId } = handle;
  const message = `${workflowId} goes on by itself: "telemetry follow ${workflowId}" shows it again, "temporal workflow cancel --workflow-id ${workflowId}" ends it`;
  return interruptible(message, (signal) => follow(handle, label, signal));
}

async function follow<T>(handle: WorkflowHandle, label: string, told: AbortSignal): Promise<T> {
  const state = { ended: false };
  // Without the signal its long poll would outlive the connection.
  const outcome = handle.client
    .withAbortSignal(told, () => handle.result())
    .finally(() => {
      state.ended = true;
    });
  // Whatever ends the run is reported below; the polls must not throw it first.
  const settled = outcome.catch(() => undefined);
  let trouble = '';
  let lookedAt = Date.now();
  const rate = new StepRate();
  // With the signal, since whoever presses Ctrl-C should not wait for an answer.
  const look = async (at: () => Promise<string>): Promise<string | undefined> => {
    const { client } = handle;
    const seen = await client.withAbortSignal(told, () => client.withDeadline(Date.now() + ANSWER_WITHIN_MS, at));
    return told.aborted ? undefined : seen;
  };
  while (!state.ended) {
    await Promise.race([settled, delay(LOOK_EVERY_MS)]);
    if (told.aborted) {
      await settled;
      throw told.reason;
    }
    if (Date.now() - lookedAt >= LOOK_FOR_TROUBLE_EVERY_MS) {
      trouble = (await look(() => troubleOf(handle))) ?? '';
      lookedAt = Date.now();
    }
    const progress = await look(() => progressOf(handle, rate));
    if (progress !== undefined) showStatus(`${label}: ${progress}${trouble}`);
  }
  try {
    return (await outcome) as T;
  } catch (error) {
    throw error instanceof WorkflowFailedError ? failedRun(label, error) : error;
  }
}

function failedRun(label: string, error: WorkflowFailedError): CommandError {
  const cause = rootCause(error);
  const exitCode = exitCodeOf(failureTypeOf(cause));
  return new CommandError(`${label} failed: ${cause.message}`, { cause: error, exitCode });
}

const FIRST_STEP_MS = 5_000;

/**
 * Waits a short while until a run that has just been started is past its first step, where workers look at their settings.
 * @returns whether it is; false also where no worker has taken it
 * @throws CommandError when the run has failed
 */
export async function isPastFirstStep(
  handle: WorkflowHandle,
  label: string,
  withinMs: number = FIRST_STEP_MS,
): Promise<boolean> {
  const { client } = handle;
  const until = Date.now() + withinMs;
  const look = new AbortController();
  const failed = client
    .withAbortSignal(look.signal, () => handle.result())
    .then(
      () => undefined,
      (error: unknown) => (error instanceof WorkflowFailedError ? error : undefined),
    );
  try {
    while (Date.now() < until) {
      const error = await Promise.race([failed, delay(LOOK_EVERY_MS)]);
      if (error !== undefined) throw failedRun(label, error);
      const progress = await client
        .withDeadline(until, () => handle.query<Progress>('progress'))
        .catch(() => undefined);
      if (progress !== undefined && progress.phase !== FIRST_PHASE) return true;
    }
    return false;
  } finally {
    look.abort();
    await failed;
  }
}

/** Of every run, until its first activity has ended. */
const FIRST_PHASE = 'starting';

async function progressOf(handle: WorkflowHandle, rate: StepRate): Promise<string> {
  try {
    const progress = await handle.query<Progress>('progress');
    const { phase, counter } = progress;
    if (counter === undefined || !isOnTerminal()) return stepText(progress);
    return `${phase} ${barText(counter, rate.perSecond(phase, counter.done, Date.now()))}`;
  } catch {
    // No worker has taken the run yet, or it has just ended.
    return 'waiting for a worker';
  }
}

/** The step that is being retried, and why its last attempt failed; empty when all goes well. */
async function troubleOf(handle: WorkflowHandle): Promise<string> {
  try {
    const { activities } = pendingOf((await handle.describe()).raw);
    const failing = activities.find(({ lastFailure }) => lastFailure !== null);
    if (failing === undefined) return '';
    const { name, attempt, lastFailure } = failing;
    return ` · ${plainLine(`${name} failed, attempt ${attempt} follows: ${lastFailure?.message ?? ''}`)}`;
  } catch {
    // Only a look: the run's result reports what ended it.
    return '';
  }
}

/** What a failed run says. */
export function rootCause(error: Error): Error {
  let cause = error;
  while (cause.cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
  return cause;
}
