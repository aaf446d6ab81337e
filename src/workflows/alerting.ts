/** Alerts of the runs of a job: every failure, and whatever a run reports when it ends. */
import {
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  log,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';
import { alertTaskQueue } from '../names.ts';
import type { AlertedRun, Outcome } from '../alerts/alert.ts';
import { readFailure } from '../failures.ts';
import { activityOptions } from './activity-options.ts';
import type { RunProgress } from './run-progress.ts';

/** Bounds what travels through the history. */
const MAX_MESSAGE = 4096;

/** A job as `alerting` runs it. */
interface Job<T> {
  readonly job: string;
  /** What the run is about: a later successful run about the same reports the recovery. */
  readonly about: string;
  readonly progress: RunProgress;
  readonly work: () => Promise<T>;
  /** What a run reports when it ends; nothing by default. */
  readonly warnings?: (result: T) => readonly string[];
}

/**
 * Runs a job and reports how it ended. Failure and result are passed on unchanged, whether people can be
 * reached or not. A run that an operator cancels is silent.
 */
export async function alerting<T>({ job, about, progress, work, warnings = () => [] }: Job<T>): Promise<T> {
  const subject = { job, about, progress, alertId: workflowInfo().runId };
  let result: T;
  try {
    result = await work();
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof ContinueAsNew)) {
      const outcome: Outcome = { kind: 'failed', step: progress.phase, failure: readFailure(error, MAX_MESSAGE) };
      await CancellationScope.nonCancellable(() => notifyOrLog(subject, outcome));
    }
    throw error;
  }
  await notifyOrLog(subject, { kind: 'ended', warnings: warnings(result) });
  return result;
}

/** What an alert is about; every kind is sent once for an `alertId`. */
export interface AlertSubject extends Pick<AlertedRun, 'job' | 'about' | 'alertId'> {
  readonly progress: RunProgress;
}

export async function notifyOrLog({ progress, ...subject }: AlertSubject, outcome: Outcome): Promise<void> {
  const { workflowId, runId, workflowType, attempt, startTime } = workflowInfo();
  const times = { startedAt: startTime.toISOString(), endedAt: new Date().toISOString() };
  const run: AlertedRun = { ...subject, workflowId, runId, workflowType, attempt, ...times, facts: progress.facts };
  try {
    await alerts().notify({ run, outcome });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('no alert could be sent', { error });
  }
}

/** Pings the dead man's switch; nothing depends on the answer. */
export async function pingDeadMan(seq: number): Promise<void> {
  try {
    await alerts().pingDeadMan({ seq });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error("the dead man's switch was not reached", { error });
  }
}

function alerts() {
  const taskQueue = alertTaskQueue(workflowInfo().taskQueue);
  return proxyActivities<AlertActivities>({ ...activityOptions.alert, taskQueue });
}
