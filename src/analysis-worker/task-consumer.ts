/**
 * Receives analysis tasks, one at a time, and deletes each after it is done. A task is hidden from other workers for a short
 * time only, which is extended while it is worked on: what a killed worker had comes again after that time, not after the
 * queue's own visibility, which other workers need who do not extend it.
 */
import { type MessageQueues, QueueMissingError, type ReceivedMessage, ReceiptExpiredError } from '../ports.ts';

export interface TaskConsumerOptions {
  readonly queues: Pick<MessageQueues, 'receive' | 'deleteMessages' | 'changeVisibility'>;
  readonly queue: string;
  /** How long a task stays with a worker that gives no sign. */
  readonly visibilitySeconds: number;
  /** Resolves when the message is handled and may be deleted; a rejection leaves it for another try. The signal ends it. */
  readonly handle: (message: ReceivedMessage, signal: AbortSignal) => Promise<void>;
  /** What went wrong, and whether a task was lost by it or only delayed. */
  readonly onError: (error: Error) => void;
}

export interface TaskConsumer {
  /** Stops receiving, ends the task at hand and hands it back at once. */
  stop(): Promise<void>;
}

const WAIT_SECONDS = 19;
/** A failed task comes back after this, times its receive count. */
const RETRY_SECONDS = 30;
/** Of the visibility: two extensions may fail before others get the task. */
const EXTENSIONS = 3;
/** A failed request is tried again after this, receives and extensions alike. */
const PAUSE_MS = 5_000;
const REQUEST_MS = 10_000;

export function consumeTasks(options: TaskConsumerOptions): TaskConsumer {
  const stopping = new AbortController();
  const ended = consume(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort(new Error('the analysis worker is told to end'));
      await ended;
    },
  };
}

async function consume(options: TaskConsumerOptions, stopping: AbortSignal): Promise<void> {
  const { queues, queue, visibilitySeconds, onError } = options;
  const isStopping = (): boolean => stopping.aborted;
  while (!isStopping()) {
    try {
      const received = await queues.receive(queue, {
        ...{ waitSeconds: WAIT_SECONDS, visibilitySeconds, maxMessages: 1, signal: stopping },
      });
      for (const message of received) await work(options, message, stopping);
    } catch (error) {
      if (isStopping()) return;
      onError(asError(error));
      await pause(PAUSE_MS, stopping);
    }
  }
}

/** Never rejects: what is wrong with one task must not keep the worker from the next. */
async function work(options: TaskConsumerOptions, message: ReceivedMessage, stopping: AbortSignal): Promise<void> {
  const { queues, queue, handle, onError } = options;
  const { receiptHandle, receiveCount } = message;
  const done = new AbortController();
  const extending = extend(options, message, done.signal);
  try {
    stopping.throwIfAborted();
    await handle(message, stopping);
    // Not ended by a stop: the task is done, and would be done twice.
    await queues.deleteMessages(queue, [receiptHandle], AbortSignal.timeout(REQUEST_MS));
  } catch (error) {
    if (!stopping.aborted) onError(asError(error));
    const seconds = stopping.aborted ? 0 : RETRY_SECONDS * receiveCount;
    done.abort();
    await extending;
    await handBack(options, receiptHandle, seconds);
  } finally {
    done.abort();
    await extending;
  }
}

/** Without it the task comes back once its visibility is over. */
async function handBack(
  { queues, queue, onError }: TaskConsumerOptions,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  try {
    await queues.changeVisibility(queue, receiptHandle, seconds, AbortSignal.timeout(REQUEST_MS));
  } catch (error) {
    if (!isNoLongerOurs(error)) onError(asError(error));
  }
}

/** Keeps the task until the signal. Never rejects. */
async function extend(options: TaskConsumerOptions, message: ReceivedMessage, done: AbortSignal): Promise<void> {
  const { queues, queue, visibilitySeconds, onError } = options;
  const isDone = (): boolean => done.aborted;
  const everyMs = (visibilitySeconds * 1000) / EXTENSIONS;
  let waitMs = everyMs;
  for (;;) {
    await pause(waitMs, done);
    if (isDone()) return;
    try {
      const signal = AbortSignal.any([done, AbortSignal.timeout(REQUEST_MS)]);
      await queues.changeVisibility(queue, message.receiptHandle, visibilitySeconds, signal);
      waitMs = everyMs;
    } catch (error) {
      if (isDone()) return;
      onError(asError(error));
      // Another worker may have it now. The work goes on: a result is stored once, and a repeated report counts once.
      if (isNoLongerOurs(error)) return;
      waitMs = Math.min(PAUSE_MS, everyMs);
    }
  }
}

function isNoLongerOurs(error: unknown): boolean {
  return error instanceof ReceiptExpiredError || error instanceof QueueMissingError;
}

/** Ends early, without an error, when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
