/** From messages of a done queue to receipts, whichever runs they belong to: any drain files any run's messages. */
import { setTimeout } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import pMap from 'p-map';
import { isFailure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import type { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import { decodeDoneMessage, type DoneMessage } from '../pipeline/done-queue/done-message.ts';
import { checkForeignMessage, type ForeignReceipt } from '../pipeline/done-queue/foreign-result.ts';
import { doneReceipt, failedReceipt, type Receipt } from '../pipeline/done-queue/receipt.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { stateKeys } from '../state/keys.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore, ReceivedMessage } from '../ports.ts';
import type { ActivityPorts } from '../activities/ports.ts';
import { quarantine } from '../state/quarantine.ts';
import { QuarantineBudget } from '../state/quarantine-budget.ts';
import type { KnownRun, KnownRuns } from './known-runs.ts';
import { ResultLookup } from './result-lookup.ts';
import { createForeignReceipt, createReceipt } from '../state/receipts.ts';
import { letWait } from '../state/waiting-results.ts';

/** The longest that SQS takes. */
const LONG_POLL_SECONDS = 20;
/** Parallel receives while the queue is full; a single long poll while it is not. */
const BUSY_RECEIVES = 8;
const FULL_RECEIVE = 10;
/** A worker says done before the store shows its result: allow this many receives before the task counts as failed. */
const RESULT_TRIES = 4;
const QUARANTINE_FULL = "this hour's quarantine is full: bad done messages stay on the queue";

/** The run that the drain works for; its progress is kept up to date. */
export interface OwnRun {
  readonly run: RunRef;
  readonly progress: DrainProgress;
}

export interface ConsumerCounts {
  /** Messages for tasks that had their receipt already. */
  readonly duplicates: number;
  readonly quarantined: number;
  /**
   * Bad messages left on the queue, because this hour's quarantine is full; one that is received again counts again.
   */
  readonly held: number;
  /** Receipts written for other runs. */
  readonly foreign: number;
}

/** Takes messages off one done queue and turns them into receipts. Knows the plans of the runs it meets. */
export class DoneQueueConsumer {
  readonly counts = { duplicates: 0, quarantined: 0, held: 0, foreign: 0 };
  /** Results of other launchers that now wait for a round, by task id and outcome. */
  readonly adopted = new Set<string>();
  readonly #ports: Pick<ActivityPorts, 'analysis' | 'queues' | 'metrics' | 'settings'>;
  readonly #store: ObjectStore;
  readonly #queue: string;
  readonly #signal: AbortSignal;
  readonly #own: OwnRun | undefined;
  readonly #budget: QuarantineBudget;
  readonly #results: ResultLookup;
  readonly #knownRuns: KnownRuns;
  readonly #runs = new Map<string, Promise<KnownRun | undefined>>();
  #busy = false;

  constructor(
    ports: Pick<ActivityPorts, 'analysis' | 'queues' | 'metrics' | 'settings'>,
    queue: string,
    knownRuns: KnownRuns,
    signal: AbortSignal,
    own?: OwnRun,
  ) {
    this.#ports = ports;
    this.#knownRuns = knownRuns;
    this.#store = ports.analysis;
    this.#queue = queue;
    this.#signal = signal;
    this.#own = own;
    this.#budget = new QuarantineBudget(this.#store, ports.settings.quarantine.perHour, signal);
    this.#results = new ResultLookup(this.#store, signal);
  }

  /**
   * Receives once, by a long poll of at most `secondsLeft`, or several times in parallel while the queue is full.
   * @returns how many messages came
   */
  async take(secondsLeft: number): Promise<number> {
    const { queues, settings } = this.#ports;
    const options = {
      waitSeconds: this.#busy ? 0 : Math.min(LONG_POLL_SECONDS, secondsLeft),
      visibilitySeconds: settings.doneVisibilitySeconds,
      signal: this.#signal,
    };
    const heldBefore = this.counts.held;
    const lanes = Array.from({ length: this.#busy ? BUSY_RECEIVES : 1 }, async () => {
      const messages = await queues.receive(this.#queue, options);
      await this.#fileAndDelete(messages);
      return messages;
    });
    const receives = await Promise.all(lanes);
    this.#busy = receives.some((messages) => messages.length === FULL_RECEIVE);
    if (this.counts.held > heldBefore) await this.#slowDown(secondsLeft);
    const sent = receives.flat().map(({ sentAt }) => sentAt.getTime());
    const age = sent.length === 0 ? 0 : Math.max(0, Date.now() - Math.min(...sent)) / 1000;
    this.#ports.metrics.set('telemetry_oldest_done_message_age_seconds', age);
    return sent.length;
  }

  /** A queue full of junk that must stay there is read slowly; good messages in it still get in. */
  async #slowDown(secondsLeft: number): Promise<void> {
    this.#busy = false;
    const pause = Math.min(secondsLeft, this.#ports.settings.quarantine.pauseSeconds);
    await setTimeout(pause * 1000, undefined, { signal: this.#signal });
  }

  async #fileAndDelete(messages: readonly ReceivedMessage[]): Promise<void> {
    await failpoint('drain.afterReceive', this.#signal);
    const failures: unknown[] = [];
    const file = async (message: ReceivedMessage): Promise<boolean> => {
      try {
        return await this.#file(message);
      } catch (error) {
        // It comes again; the others of its batch are settled now.
        failures.push(error);
        return false;
      }
    };
    const settled = await pMap(messages, file, { concurrency: FULL_RECEIVE });
    const handles = messages.filter((_, index) => settled[index] === true).map(({ receiptHandle }) => receiptHandle);
    await failpoint('drain.afterReceipt', this.#signal);
    // One that SQS did not delete comes again, finds its receipt and is deleted then.
    await this.#ports.queues.deleteMessages(this.#queue, handles, this.#signal);
    await failpoint('drain.afterDelete', this.#signal);
    if (failures.length > 0) throw failures[0];
  }

  /** @returns whether the message is settled and may be deleted */
  async #file(received: ReceivedMessage): Promise<boolean> {
    try {
      const message = readMessage(received.body);
      if (message.plain) log.warn('done message is plain JSON, not base64', { taskId: message.id });
      const run = await this.#knownRun(message.id);
      if (run === undefined) this.#demandAdoptable(message);
      else run.check(message);
      const receipt = await this.#receiptFor(message, run, received.receiveCount);
      if (receipt === undefined) return false;
      await (run === undefined ? this.#adopt(message, receipt) : this.#write(run.ref, receipt));
      return true;
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      const content = received.body;
      const entry = {
        what: 'done_message',
        reason: error.reason,
        message: `${this.#queue}: ${error.message}`,
        content,
      };
      if (!(await quarantine(this.#ports, entry, this.#signal, this.#budget))) return this.#hold(error.reason);
      this.counts.quarantined += 1;
      log.warn('done message quarantined', { doneQueue: this.#queue, reason: error.reason });
      return true;
    }
  }

  #hold(reason: string): false {
    // One line for each drain: there may be a million such messages.
    if (this.counts.held === 0) log.error(QUARANTINE_FULL, { doneQueue: this.#queue, reason });
    this.counts.held += 1;
    this.#ports.metrics.add('telemetry_held_messages', 1);
    return false;
  }

  /** Undefined: the result may still appear; the message is to come again. */
  async #receiptFor(
    message: DoneMessage,
    run: KnownRun | undefined,
    receiveCount: number,
  ): Promise<Receipt | undefined> {
    if (message.targetPrefix === null) return failedReceipt(message.id, 'aborted');
    const result = await this.#results.find(message.id, run?.tasks);
    if (result === undefined) {
      return receiveCount < RESULT_TRIES ? undefined : failedReceipt(message.id, 'result_missing');
    }
    if (result.size > this.#ports.settings.maxResultBytes) return failedReceipt(message.id, 'result_too_large');
    return doneReceipt(message, result);
  }

  async #write(run: RunRef, receipt: Receipt): Promise<void> {
    const { number } = splitTaskId(receipt.id);
    const own = run.runId === this.#own?.run.runId ? this.#own : undefined;
    const created = this.#counted(receipt, await createReceipt(this.#store, run, number, receipt, this.#signal));
    if (created === 'exists') this.counts.duplicates += 1;
    else if (own === undefined) this.counts.foreign += 1;
    own?.progress.note(number, receipt.outcome);
  }

  /** Keeps a result that another launcher asked for, until a round of continuous aggregation takes it. */
  async #adopt({ files }: DoneMessage, receipt: Receipt): Promise<void> {
    const { id, outcome } = receipt;
    const whole: ForeignReceipt = { ...receipt, files };
    const created = this.#counted(receipt, await createForeignReceipt(this.#store, whole, this.#signal));
    if (created === 'exists') this.counts.duplicates += 1;
    else this.counts.foreign += 1;
    // Also behind a receipt that was there: the drain that wrote it may have died before this.
    await letWait(this.#store, { taskId: id, outcome }, this.#signal);
    this.adopted.add(`${id}.${outcome}`);
  }

  #counted({ outcome }: Receipt, created: 'created' | 'exists'): 'created' | 'exists' {
    if (created === 'created') this.#ports.metrics.add('telemetry_receipts', 1, { outcome });
    else this.#ports.metrics.add('telemetry_duplicate_messages', 1);
    return created;
  }

  /** @throws InvalidDataError */
  #demandAdoptable(message: DoneMessage): void {
    if (!this.#ports.settings.adoptForeignResults) {
      const { runId } = splitTaskId(message.id);
      throw new InvalidDataError(
        'unknown_run',
        `No plan of this deployment has the run ${runId}; TELEMETRY_FOREIGN_RESULTS=adopt would keep it for continuous aggregation`,
      );
    }
    checkForeignMessage(message);
  }

  /** Undefined when this deployment did not plan the run. */
  async #knownRun(taskId: string): Promise<KnownRun | undefined> {
    const { runId } = splitTaskId(taskId);
    let known = this.#runs.get(runId);
    if (known === undefined) {
      known = this.#knownRuns.find(runId, this.#signal).catch((error: unknown) => {
        // The drain's own run cannot go on without its plan; a message of another run is kept aside until its plan is
        // restored.
        if (runId === this.#own?.run.runId || !isFailure(error, 'StateDamaged')) throw error;
        throw new InvalidDataError('damaged_plan', error.message);
      });
      this.#runs.set(runId, known);
    }
    return known;
  }
}

/**
 * Reading depends on the message alone, so whatever goes wrong in it is the message's fault and would be again.
 * @throws InvalidDataError
 */
function readMessage(body: string): DoneMessage {
  try {
    return decodeDoneMessage(body, stateKeys.output);
  } catch (error) {
    if (error instanceof InvalidDataError) throw error;
    const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
    throw new InvalidDataError('bad_message', `The message cannot be read: ${why}`, { cause: error });
  }
}
