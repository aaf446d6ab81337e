/**
 * From sent tasks to merged chunks: the drain and the merges run in parallel, stragglers are looked for, an operator
 * can cut it short.
 */
import {
  ActivityCancellationType,
  allHandlersFinished,
  condition,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { DrainResult } from '../activities/drain.ts';
import type { Activities } from '../activities/index.ts';
import type { PlanSummary } from '../activities/plan.ts';
import type { RecoverResult } from '../activities/send.ts';
import type { Patience } from '../pipeline/run-input.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { activityOptions } from './activity-options.ts';
import type { QuarantineFullAlert } from './quarantine-full-alert.ts';
import { ChunkMerges, type MergedRun } from './chunk-merges.ts';
import { OperatorControl } from './operator-control.ts';
import { drainedSoFar, drainedSoFarSignal, type RunProgress } from './run-progress.ts';

const { recoverStragglers } = proxyActivities<Activities>(activityOptions.scan);
const { drainDoneQueue } = proxyActivities<Activities>({
  ...activityOptions.drain,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

const DRAIN_CALL_SECONDS = 600;

export interface DrainedRun extends MergedRun {
  readonly duplicates: number;
  readonly quarantined: number;
  /** Bad messages were left on the queue, because the quarantine was full. */
  readonly flooded: boolean;
  readonly resent: number;
  readonly recovered: number;
}

interface Queues {
  readonly taskQueue: string;
  readonly doneQueue: string;
}

/** Waits for the results of all tasks, or until patience ends, and merges them in chunks of the plan. */
export async function drainAndMerge(
  run: RunRef,
  plan: PlanSummary,
  queues: Queues,
  patience: Patience,
  progress: RunProgress,
  flood: QuarantineFullAlert,
): Promise<DrainedRun> {
  const { tasks, chunkTasks } = plan;
  const merges = new ChunkMerges(run, tasks, chunkTasks);
  const totals = { duplicates: 0, quarantined: 0, resent: 0, recovered: 0 };
  const recover = async (resend: boolean): Promise<RecoverResult> => {
    const found = await recoverStragglers({ run, taskQueue: queues.taskQueue, tasks, resend });
    totals.resent += found.resent;
    totals.recovered += found.recovered;
    return found;
  };
  const control = new OperatorControl(() => recover(true));
  const giveUpAt = Date.now() + patience.giveUpSeconds * 1000;
  let stragglersAt = Date.now() + patience.stragglerSeconds * 1000;
  let looks = 0;

  // What a call has filed so far; its result comes with a whole chunk only, which may be the whole day.
  let seen = -1;
  let ended = false;
  const tell = (drained: Told): void => {
    if (drained.done + drained.failed < seen) return;
    seen = drained.done + drained.failed;
    tellDrain(progress, tasks, drained);
  };
  setHandler(drainedSoFarSignal, (sent) => {
    const soFar = drainedSoFar(sent, tasks);
    if (!ended && soFar !== undefined) tell(soFar);
  });
  while (!control.finishing && !merges.failed && Date.now() < giveUpAt) {
    const until = Math.min(giveUpAt, stragglersAt, Date.now() + DRAIN_CALL_SECONDS * 1000);
    const maxSeconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    const drained = await control.interruptible(() =>
      drainDoneQueue({
        run,
        doneQueue: queues.doneQueue,
        tasks,
        chunkTasks,
        merged: merges.doneCounts,
        maxSeconds,
        heldIsKnown: flood.raised,
      }),
    );
    if (drained === undefined) break;
    totals.duplicates += drained.duplicates;
    totals.quarantined += drained.quarantined;
    tell(drained);
    await flood.note(drained);
    for (const { chunk, done } of drained.ready) merges.start(chunk, done);
    if (drained.missing === 0) break;
    if (Date.now() >= stragglersAt) {
      await recover(looks < patience.maxResends);
      looks += 1;
      stragglersAt += patience.stragglerSeconds * 1000;
    }
  }

  ended = true;
  const telling = (done: number, of: number): void => {
    progress.update('merging the last results', {}, { done, of, unit: 'chunks' });
  };
  progress.update('merging the last results');
  await condition(allHandlersFinished);
  return { ...(await merges.finish(telling)), ...totals, flooded: flood.raised };
}

type Told = Pick<DrainResult, 'done' | 'failed' | 'missing'> & Partial<Pick<DrainResult, 'quarantined' | 'held'>>;

function tellDrain(progress: RunProgress, of: number, drained: Told): void {
  const { done, failed, missing, quarantined = 0, held = 0 } = drained;
  const counter = { done: done + failed, of, unit: 'tasks' };
  const kept = quarantined > 0 ? `, ${quarantined} messages quarantined` : '';
  const odd = held > 0 ? `${kept}, others left on the queue: quarantine full` : kept;
  progress.update(
    'draining the done queue',
    { tasks: `${done} done, ${failed} failed, ${missing} open${odd}` },
    counter,
  );
}
