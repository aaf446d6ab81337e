/** From sent tasks to merged chunks: the drain and the merges run side by side, stragglers are looked for, an operator can cut it short. */
import { ActivityCancellationType, allHandlersFinished, condition, proxyActivities } from '@temporalio/workflow';
import type { MergeChunkResult } from '../activities/aggregates.ts';
import type { DrainResult } from '../activities/done-queue.ts';
import type { Activities } from '../activities/index.ts';
import type { PlanSummary } from '../activities/input-bucket.ts';
import type { RecoverResult } from '../activities/task-queue.ts';
import type { Patience } from '../pipeline/run-input.ts';
import type { ChunkRef, RunRef } from '../pipeline/state-keys.ts';
import { activityOptions } from './activity-options.ts';
import { OperatorControl } from './operator-control.ts';
import type { RunStory } from './story.ts';

const { mergeChunk, recoverStragglers } = proxyActivities<Activities>(activityOptions.scan);
const { drainDoneQueue } = proxyActivities<Activities>({
  ...activityOptions.drain,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

const DRAIN_CALL_SECONDS = 600;

export interface DrainedRun {
  readonly chunks: readonly ChunkRef[];
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly resent: number;
  readonly recovered: number;
}

interface Queues {
  readonly taskQueue: string;
  readonly doneQueue: string;
}

/** Waits for the results of all tasks, or as long as patience goes, and merges them in chunks of the plan. */
export async function drainAndMerge(
  run: RunRef,
  plan: PlanSummary,
  queues: Queues,
  patience: Patience,
  story: RunStory,
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

  while (!control.finishing && !merges.failed && Date.now() < giveUpAt) {
    const until = Math.min(giveUpAt, stragglersAt, Date.now() + DRAIN_CALL_SECONDS * 1000);
    const maxSeconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    const drained = await control.interruptible(() =>
      drainDoneQueue({ run, doneQueue: queues.doneQueue, tasks, chunkTasks, merged: merges.doneCounts, maxSeconds }),
    );
    if (drained === undefined) break;
    totals.duplicates += drained.duplicates;
    totals.quarantined += drained.quarantined;
    tellDrain(story, drained);
    for (const { chunk, done } of drained.ready) merges.start(chunk, done);
    if (drained.missing === 0) break;
    if (Date.now() >= stragglersAt) {
      await recover(looks < patience.maxResends);
      looks += 1;
      stragglersAt += patience.stragglerSeconds * 1000;
    }
  }

  story.tell('merging the last results');
  await condition(allHandlersFinished);
  return { ...(await merges.finish()), ...totals };
}

function tellDrain(story: RunStory, { done, failed, missing, quarantined }: DrainResult): void {
  const odd = quarantined > 0 ? `, ${quarantined} messages quarantined` : '';
  story.tell('draining the done queue', { tasks: `${done} done, ${failed} failed, ${missing} open${odd}` });
}

/** The merges of a run's chunks, started while the drain goes on. */
class ChunkMerges {
  readonly #run: RunRef;
  readonly #tasks: number;
  readonly #chunkTasks: number;
  /** Per chunk, from 0: with how many done tasks it was handed to the merge; −1 when it was not. */
  readonly doneCounts: number[];
  readonly #results = new Map<number, MergeChunkResult>();
  readonly #running: Promise<void>[] = [];
  #failure: unknown;

  constructor(run: RunRef, tasks: number, chunkTasks: number) {
    this.#run = run;
    this.#tasks = tasks;
    this.#chunkTasks = chunkTasks;
    this.doneCounts = new Array<number>(Math.ceil(tasks / chunkTasks)).fill(-1);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  start(chunk: number, done: number): void {
    this.doneCounts[chunk - 1] = done;
    const merge = async (): Promise<void> => {
      try {
        const summary = `tasks ${(chunk - 1) * this.#chunkTasks + 1}–${Math.min(chunk * this.#chunkTasks, this.#tasks)}`;
        const input = { run: this.#run, chunk, tasks: this.#tasks, chunkTasks: this.#chunkTasks };
        const result = await mergeChunk.executeWithOptions({ summary }, [input]);
        // A chunk that gained a result is merged again; the fuller one counts.
        if (result.ref.done >= (this.#results.get(chunk)?.ref.done ?? 0)) this.#results.set(chunk, result);
      } catch (error) {
        // Thrown by `finish`: until then nobody waits for this promise.
        this.#failure ??= error;
      }
    };
    this.#running.push(merge());
  }

  /** Merges what never became complete, and waits for all. */
  async finish(): Promise<Pick<DrainedRun, 'chunks' | 'done' | 'failed' | 'missing'>> {
    for (const [index, done] of this.doneCounts.entries()) if (done < 0) this.start(index + 1, 0);
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure as Error;
    const results = [...this.#results.values()];
    const sum = (count: 'done' | 'failed' | 'missing'): number =>
      results.reduce((total, result) => total + result[count], 0);
    return { chunks: results.map(({ ref }) => ref), done: sum('done'), failed: sum('failed'), missing: sum('missing') };
  }
}
