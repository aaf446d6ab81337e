/** Stage 4: messages of the done queue become receipts, and are deleted once their receipts exist. */
import { createHash } from 'node:crypto';
import { cancellationSignal, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import pMap from 'p-map';
import { FailureType } from '../errors.ts';
import type { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import { decodeDoneMessage, type DoneMessage, outputPrefix } from '../pipeline/done-queue/done-message.ts';
import { doneReceipt, failedReceipt, type Outcome, type Receipt } from '../pipeline/done-queue/receipt.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { type RunRef, stateKeys } from '../pipeline/state-keys.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore, ReceivedMessage } from '../ports.ts';
import { heartbeating } from './heartbeating.ts';
import { findRun, openPlan } from './plan-store.ts';
import type { ActivityPorts } from './ports.ts';
import { quarantine } from './quarantine.ts';
import { readProgress } from './receipts.ts';

export interface DrainInput {
  readonly run: RunRef;
  readonly doneQueue: string;
  readonly tasks: number;
  readonly chunkTasks: number;
  /** Per chunk, from 0: with how many done tasks it was handed to the merge; −1 when it was not. */
  readonly merged: readonly number[];
  /** The call returns after this time at the latest. */
  readonly maxSeconds: number;
}

interface DrainCounts {
  /** Messages for tasks that had their receipt already. */
  readonly duplicates: number;
  readonly quarantined: number;
  /** Receipts written for other runs. */
  readonly foreign: number;
}

export interface DrainResult extends DrainCounts {
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Chunks that became complete, or gained results, since `merged`. */
  readonly ready: readonly { readonly chunk: number; readonly done: number }[];
}

const LONG_POLL_SECONDS = 20;
/** Receives side by side while the queue is full; one, waiting, while it is not. */
const BUSY_RECEIVES = 8;
const FULL_RECEIVE = 10;
/** A worker says done before the store shows its result: give it some receives before the task counts as failed. */
const RESULT_TRIES = 4;

export function createDoneQueueActivities(ports: Pick<ActivityPorts, 'analysis' | 'queues' | 'settings'>) {
  const { analysis, queues, settings } = ports;

  return {
    /**
     * Files messages until a chunk is ready, all tasks have receipts, or the time is up. Messages of other runs are
     * filed under those runs; what breaks the protocol goes to quarantine. Starts from the receipts that exist, so a new
     * attempt needs nothing from the last one. Heartbeat details are counts for the eye.
     * @throws ApplicationFailure QueueMissing (non-retryable); any other error is retried
     */
    async drainDoneQueue(input: DrainInput): Promise<DrainResult> {
      const { run, doneQueue, tasks, chunkTasks, merged, maxSeconds } = input;
      const signal = cancellationSignal();
      const deadline = Date.now() + maxSeconds * 1000;
      const progress = await readProgress(analysis, run, tasks, chunkTasks, signal);
      const filing = new Filing(analysis, settings.maxResultBytes, run, progress, signal);
      const ready = (): DrainResult['ready'] => readyChunks(progress, merged);
      const result = (): DrainResult => ({
        done: progress.done,
        failed: progress.failed,
        missing: progress.missing,
        ready: ready(),
        ...filing.counts,
      });

      return heartbeating(result, async () => {
        let busy = false;
        while (ready().length === 0 && progress.missing > 0) {
          const secondsLeft = Math.ceil((deadline - Date.now()) / 1000);
          if (secondsLeft <= 0) break;
          const waitSeconds = busy ? 0 : Math.min(LONG_POLL_SECONDS, secondsLeft);
          const receives: (readonly ReceivedMessage[])[] = await Promise.all(
            Array.from({ length: busy ? BUSY_RECEIVES : 1 }, () =>
              queues.receive(doneQueue, { waitSeconds, visibilitySeconds: settings.doneVisibilitySeconds, signal }),
            ),
          );
          busy = receives.some((messages) => messages.length === FULL_RECEIVE);
          await pMap(receives, (messages) => fileAndDelete(messages, doneQueue, filing), {
            concurrency: BUSY_RECEIVES,
          });
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

  async function fileAndDelete(messages: readonly ReceivedMessage[], doneQueue: string, filing: Filing): Promise<void> {
    const settled = await pMap(messages, (message) => filing.file(message, doneQueue), { concurrency: FULL_RECEIVE });
    const handles = messages.filter((_, index) => settled[index] === true).map(({ receiptHandle }) => receiptHandle);
    // One that SQS did not delete comes again, finds its receipt and is deleted then.
    await queues.deleteMessages(doneQueue, handles, filing.signal);
  }
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

/** Turns messages into receipts. Knows the plans of the runs it meets. */
class Filing {
  readonly signal: AbortSignal;
  readonly counts = { duplicates: 0, quarantined: 0, foreign: 0 };
  readonly #store: ObjectStore;
  readonly #maxResultBytes: number;
  readonly #run: RunRef;
  readonly #progress: DrainProgress;
  readonly #runs = new Map<string, Promise<KnownRun | undefined>>();

  constructor(store: ObjectStore, maxResultBytes: number, run: RunRef, progress: DrainProgress, signal: AbortSignal) {
    this.#store = store;
    this.#maxResultBytes = maxResultBytes;
    this.#run = run;
    this.#progress = progress;
    this.signal = signal;
  }

  /** @returns whether the message is settled and may be deleted */
  async file(received: ReceivedMessage, queue: string): Promise<boolean> {
    try {
      const message = decodeDoneMessage(received.body);
      if (message.plain) log.warn('done message is plain JSON, not base64', { taskId: message.id });
      const run = await this.#knownRun(message.id);
      run.check(message);
      return await this.#receipt(run.ref, message, received.receiveCount);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      await quarantine(
        this.#store,
        { what: 'done_message', reason: error.reason, message: `${queue}: ${error.message}`, content: received.body },
        this.signal,
      );
      this.counts.quarantined += 1;
      log.warn('done message quarantined', { doneQueue: queue, reason: error.reason });
      return true;
    }
  }

  async #receipt(run: RunRef, message: DoneMessage, receiveCount: number): Promise<boolean> {
    if (message.targetPrefix === null) return this.#write(run, failedReceipt(message.id, 'aborted'));
    const result = await this.#store.head(`${outputPrefix(message.id)}result.txt`, this.signal);
    if (result === undefined) {
      if (receiveCount < RESULT_TRIES) return false;
      return this.#write(run, failedReceipt(message.id, 'result_missing'));
    }
    if (result.size > this.#maxResultBytes) return this.#write(run, failedReceipt(message.id, 'result_too_large'));
    return this.#write(run, doneReceipt(message, result));
  }

  async #write(run: RunRef, receipt: Receipt): Promise<true> {
    const { number } = splitTaskId(receipt.id);
    const outcome: Outcome = receipt.outcome;
    const body = Buffer.from(JSON.stringify(receipt));
    const created = await this.#store.createOnce(
      stateKeys.receipt(run, number, outcome),
      body,
      { contentType: 'application/json' },
      this.signal,
    );
    if (created === 'exists') this.counts.duplicates += 1;
    else if (run.runId !== this.#run.runId) this.counts.foreign += 1;
    if (run.runId === this.#run.runId) this.#progress.note(number, outcome);
    return true;
  }

  async #knownRun(taskId: string): Promise<KnownRun> {
    const { runId } = splitTaskId(taskId);
    let known = this.#runs.get(runId);
    if (known === undefined) {
      known = loadRun(this.#store, runId, this.signal).catch((error: unknown) => {
        // The own run cannot go on without its plan; a message of another run is kept aside for whoever mends that one.
        const isDamaged = error instanceof ApplicationFailure && error.type === FailureType.StateDamaged;
        if (runId === this.#run.runId || !isDamaged) throw error;
        throw new InvalidDataError('damaged_plan', error.message);
      });
      this.#runs.set(runId, known);
    }
    const run = await known;
    if (run === undefined) throw new InvalidDataError('unknown_run', `No plan of this deployment has the run ${runId}`);
    return run;
  }
}

/** What a message must agree with: the plan's files of each task, by digest. */
class KnownRun {
  readonly ref: RunRef;
  readonly #digests: readonly string[];

  constructor(ref: RunRef, digests: readonly string[]) {
    this.ref = ref;
    this.#digests = digests;
  }

  /** @throws InvalidDataError `unknown_task`, `files_differ` */
  check({ id, files }: DoneMessage): void {
    const digest = this.#digests[splitTaskId(id).number - 1];
    if (digest === undefined) throw new InvalidDataError('unknown_task', `The plan has no task ${id}`);
    if (digest !== filesDigest(files))
      throw new InvalidDataError('files_differ', `The files of ${id} are not those of the plan`);
  }
}

async function loadRun(store: ObjectStore, runId: string, signal: AbortSignal): Promise<KnownRun | undefined> {
  const ref = await findRun(store, runId, signal);
  if (ref === undefined) return undefined;
  const digests: string[] = [];
  const { tasks } = await openPlan(store, ref, signal);
  for await (const task of tasks) digests.push(filesDigest(task.files));
  return new KnownRun(ref, digests);
}

function filesDigest(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const key of [...files].sort()) hash.update(key).update('\n');
  return hash.digest('base64').slice(0, 22);
}
