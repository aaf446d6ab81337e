/** Stage 4: messages of the done queue become receipts, and are deleted once their receipts exist. */
import { cancellationSignal, log } from '@temporalio/activity';
import { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { callDeadline } from './context.ts';
import { heartbeating } from './context.ts';
import { type ConsumerCounts, DoneQueueConsumer } from '../done-queue/consumer.ts';
import { KnownRuns } from '../done-queue/known-runs.ts';
import { DrainNews } from './drain-news.ts';
import type { ActivityPorts } from './ports.ts';
import { noteReceipts } from '../state/receipts.ts';

export interface DrainInput {
  readonly run: RunRef;
  readonly doneQueue: string;
  readonly tasks: number;
  readonly chunkTasks: number;
  /** Per chunk, from 0: with how many done tasks it was handed to the merge; −1 when it was not. */
  readonly merged: readonly number[];
  /** The call returns after this time at the latest, whatever number of attempts it takes. */
  readonly maxSeconds: number;
  /** The alert about the full quarantine was sent; until then the call returns with the first message it holds back. */
  readonly heldIsKnown?: boolean;
}

export interface DrainResult extends ConsumerCounts {
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Chunks that became complete, or gained results, since `merged`. */
  readonly ready: readonly { readonly chunk: number; readonly done: number }[];
}

/**
 * Other drains of the queue write receipts of this run too: how often it looks for them, at most, when it receives
 * nothing. Less than a long poll, so that each one that brings nothing is followed by a look.
 */
const LOOK_FOR_RECEIPTS_MS = 15_000;

export function createDrainActivities(ports: Pick<ActivityPorts, 'analysis' | 'queues' | 'metrics' | 'settings'>) {
  const { analysis } = ports;
  const knownRuns = new KnownRuns(analysis);

  return {
    /**
     * Files messages until a chunk is ready, all tasks have receipts, or the time is up. Messages of other runs are
     * filed under those runs; what breaks the protocol goes to quarantine, or stays on the queue when that is full.
     * Starts from the existing receipts, so a new attempt needs nothing from the last one. Heartbeat details are counts
     * for people, and so is the signal `drainedSoFar`.
     * @throws ApplicationFailure QueueMissing (non-retryable); any other error is retried
     */
    async drainDoneQueue(input: DrainInput): Promise<DrainResult> {
      const { run, doneQueue, tasks, chunkTasks, merged, maxSeconds, heldIsKnown = false } = input;
      const signal = cancellationSignal();
      const deadline = callDeadline(maxSeconds);
      const progress = new DrainProgress(tasks, chunkTasks);
      await noteReceipts(analysis, run, progress, signal);
      let lookedAt = Date.now();
      const filing = new DoneQueueConsumer(ports, doneQueue, knownRuns, signal, { run, progress });
      const ready = (): DrainResult['ready'] => readyChunks(progress, merged);
      const result = (): DrainResult => ({
        done: progress.done,
        failed: progress.failed,
        missing: progress.missing,
        ready: ready(),
        ...filing.counts,
      });

      return heartbeating(result, async () => {
        const news = new DrainNews(progress.done + progress.failed);
        const isNews = (): boolean => filing.counts.held > 0 && !heldIsKnown;
        while (ready().length === 0 && progress.missing > 0 && !isNews()) {
          const secondsLeft = Math.ceil((deadline - Date.now()) / 1000);
          if (secondsLeft <= 0) break;
          const came = await filing.take(secondsLeft);
          news.tell(progress);
          if (came > 0 || Date.now() - lookedAt < LOOK_FOR_RECEIPTS_MS) continue;
          await noteReceipts(analysis, run, progress, signal);
          lookedAt = Date.now();
        }
        const end = result();
        log.info('done queue drained', {
          runId: run.runId,
          done: end.done,
          failed: end.failed,
          missing: end.missing,
          ready: end.ready.length,
          ...filing.counts,
        });
        return end;
      });
    },
  };
}

function readyChunks(progress: DrainProgress, merged: readonly number[]): DrainResult['ready'] {
  const ready: { chunk: number; done: number }[] = [];
  for (let number = 1; number <= progress.chunks; number += 1) {
    const { chunk, done, complete } = progress.chunk(number);
    const known = merged[number - 1] ?? -1;
    if (known < 0 ? complete : done > known) ready.push({ chunk, done });
  }
  return ready;
}
