/** Stage 3: the tasks of the plan go on the task queue; those without a result are sent again. */
import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import { failedReceipt, recoveredReceipt } from '../pipeline/done-queue/receipt.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { stateKeys } from '../state/keys.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import type { AnalysisTask } from '../pipeline/task-queue/pack.ts';
import { encodeTaskMessage } from '../pipeline/task-queue/task-message.ts';
import { heartbeating } from './context.ts';
import type { ObjectStore } from '../ports.ts';
import { openPlan } from '../state/plan.ts';
import type { ActivityPorts } from './ports.ts';
import { createReceipt, readProgress } from '../state/receipts.ts';

const MAX_BATCH_MESSAGES = 10;
/** Two megabytes on their way. */
const BATCHES_AT_ONCE = 8;
const HEADS_AT_ONCE = 32;

export interface EnqueueInput {
  readonly run: RunRef;
  readonly taskQueue: string;
}

/** Heartbeat details: tasks up to this number are on the task queue. The next attempt reads them, so only add optional fields. */
export interface EnqueueProgress {
  readonly sent: number;
}

export interface EnqueueResult {
  readonly tasks: number;
  readonly resumedAt: number;
}

export interface RecoverInput extends EnqueueInput {
  readonly tasks: number;
  /** Only look for results; send nothing again. */
  readonly resend: boolean;
}

export interface RecoverResult {
  /** Results found in the output although their message never came. */
  readonly recovered: number;
  readonly resent: number;
}

type Ports = Pick<ActivityPorts, 'analysis' | 'queues' | 'settings'>;

export function createSendActivities(ports: Ports) {
  const { analysis, settings } = ports;
  return {
    /**
     * Puts every task of the plan on the task queue. At-least-once: a crash between a send and its heartbeat sends up to
     * some batches again; the drain drops repeats by task id.
     * @throws ApplicationFailure QueueMissing (final); SqsRefused is retried
     */
    async enqueueTasks({ run, taskQueue }: EnqueueInput): Promise<EnqueueResult> {
      const resumedAt = parseProgress(activityInfo().heartbeatDetails)?.sent ?? 0;
      let progress: EnqueueProgress = { sent: resumedAt };
      const isNext = (task: AnalysisTask): boolean => splitTaskId(task.id).number > resumedAt;
      const note = (number: number): void => {
        progress = { sent: number };
        heartbeat(progress);
      };
      const sent = await heartbeating(
        () => progress,
        () => sendAll(ports, run, taskQueue, isNext, note, cancellationSignal()),
      );
      log.info('tasks enqueued', { runId: run.runId, tasks: sent, resumedAt });
      return { tasks: sent, resumedAt };
    },

    /**
     * Looks for the results of tasks without a receipt, and sends again those that have none. Both are harmless when the
     * task is only slow: a receipt is written once, and a second result replaces nothing that was merged.
     */
    async recoverStragglers({ run, taskQueue, tasks, resend }: RecoverInput): Promise<RecoverResult> {
      const signal = cancellationSignal();
      const counts = { recovered: 0, resent: 0 };
      return heartbeating(
        () => ({ ...counts }),
        async () => {
          const progress = await readProgress(analysis, run, tasks, settings.chunkTasks, signal);
          const open = new Set(progress.missingNumbers());
          await pMap(
            [...open],
            async (number) => {
              if (!(await recover(analysis, run, number, settings.maxResultBytes, signal))) return;
              counts.recovered += 1;
              open.delete(number);
            },
            { concurrency: HEADS_AT_ONCE },
          );
          const isOpen = (task: AnalysisTask): boolean => open.has(splitTaskId(task.id).number);
          if (resend) counts.resent = await sendAll(ports, run, taskQueue, isOpen, () => undefined, signal);
          log.info('stragglers looked for', { runId: run.runId, ...counts, open: open.size });
          return { ...counts };
        },
      );
    },
  };
}

/**
 * Sends batches within SQS's limits of count and bytes, some at a time, since an answer takes longer than a batch.
 * @param onSent gets the number of a task before which, itself included, all are sent
 */
async function sendAll(
  { analysis, queues }: Ports,
  run: RunRef,
  queue: string,
  wanted: (task: AnalysisTask) => boolean,
  onSent: (number: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  const send = async (batch: readonly TaskBody[]): Promise<number> => {
    const bodies = batch.map(({ body }) => body);
    const refused = await queues.send(queue, bodies, signal);
    if (refused.length > 0)
      throw failure('SqsRefused', `SQS refused ${refused.length} of ${batch.length} messages for ${queue}`);
    sent += batch.length;
    return batch.at(-1)?.number ?? 0;
  };
  const settle = async (oldest: Promise<number> | undefined): Promise<void> => {
    if (oldest === undefined) return;
    onSent(await oldest);
    await failpoint('enqueue.mid', signal);
    signal.throwIfAborted();
  };
  // In the order of the plan: what is told has no gap before it, whichever batch is answered first.
  const underWay: Promise<number>[] = [];
  try {
    for await (const batch of batches(await openPlan(analysis, run, signal), wanted)) {
      if (underWay.length === BATCHES_AT_ONCE) await settle(underWay.shift());
      underWay.push(send(batch));
      // It is thrown when it is the oldest one; until then nothing awaits it.
      underWay.at(-1)?.catch(() => undefined);
    }
    while (underWay.length > 0) await settle(underWay.shift());
  } finally {
    // None is on its way when the next attempt begins.
    await Promise.allSettled(underWay);
  }
  return sent;
}

interface TaskBody {
  readonly number: number;
  readonly body: string;
}

async function* batches(
  { head, tasks }: Awaited<ReturnType<typeof openPlan>>,
  wanted: (task: AnalysisTask) => boolean,
): AsyncGenerator<TaskBody[]> {
  let batch: TaskBody[] = [];
  let bytes = 0;
  for await (const task of tasks) {
    if (!wanted(task)) continue;
    const body = encodeTaskMessage(task, head.job);
    const isFull = batch.length === MAX_BATCH_MESSAGES || bytes + body.length > head.limits.maxMessageBytes;
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push({ number: splitTaskId(task.id).number, body });
    bytes += body.length;
  }
  if (batch.length > 0) yield batch;
}

/** Files the result of a task when there is one. */
async function recover(
  analysis: ObjectStore,
  run: RunRef,
  number: number,
  maxBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const id = `${run.runId}/${number}`;
  const result = await analysis.head(stateKeys.result(id), signal);
  if (result === undefined) return false;
  const isTooLarge = result.size > maxBytes;
  const receipt = isTooLarge ? failedReceipt(id, 'result_too_large') : recoveredReceipt(id, result);
  await createReceipt(analysis, run, number, receipt, signal);
  return true;
}

/** Details of an earlier release or of another shape: start over, which at-least-once allows. */
function parseProgress(details: unknown): EnqueueProgress | undefined {
  if (typeof details !== 'object' || details === null || !('sent' in details)) return undefined;
  return typeof details.sent === 'number' ? { sent: details.sent } : undefined;
}
