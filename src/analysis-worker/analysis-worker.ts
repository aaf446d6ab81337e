/** The analysis worker: takes tasks off the production task queue and those of investigations, several at a time. */
import { QueueMissingError, type ReceivedMessage } from '../ports.ts';
import { consumeTasks, type TaskConsumer } from './task-consumer.ts';
import { runTask, type TaskRunnerPorts } from './task-runner.ts';

export interface AnalysisWorkerOptions {
  readonly taskQueue: string;
  /** Begins the names of investigations' queues. */
  readonly investigationPrefix: string;
  readonly visibilitySeconds: number;
  readonly tasksAtOnce: number;
  /** Called every few seconds while SQS answers, however long the tasks at hand take. */
  readonly onAlive: () => void;
}

const LOOK_FOR_QUEUES_MS = 5_000;

export class AnalysisWorker {
  readonly #options: AnalysisWorkerOptions;
  readonly #ports: TaskRunnerPorts;
  readonly #consumers = new Map<string, TaskConsumer[]>();
  /** Queues of investigations that have ended; a look later they are left. */
  readonly #ended = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: AnalysisWorkerOptions, ports: TaskRunnerPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  async start(): Promise<void> {
    await this.#consume(this.#options.taskQueue, this.#options.tasksAtOnce);
    const look = (): void => {
      this.#looking = this.#followInvestigations().finally(() => {
        this.#timer = setTimeout(look, LOOK_FOR_QUEUES_MS);
      });
    };
    look();
  }

  /** Takes no more tasks and hands back those at hand, which others begin at once. */
  async stop(): Promise<void> {
    await this.#looking;
    clearTimeout(this.#timer);
    await Promise.all([...this.#consumers.values()].flat().map((consumer) => consumer.stop()));
  }

  /** Starts on the queues of new investigations and leaves those that are gone. */
  async #followInvestigations(): Promise<void> {
    const { investigationPrefix, taskQueue } = this.#options;
    try {
      const names = await this.#ports.queues.names(investigationPrefix);
      const open = new Set(names.filter((name) => name.endsWith('-tasks')));
      for (const queue of open) if (!this.#consumers.has(queue)) await this.#consumeIfThere(queue);
      for (const [queue, consumers] of this.#consumers) {
        if (queue === taskQueue || open.has(queue)) continue;
        this.#consumers.delete(queue);
        this.#ended.delete(queue);
        await Promise.all(consumers.map((consumer) => consumer.stop()));
      }
      this.#options.onAlive();
    } catch (error) {
      // The next look, seconds later, does the same again; production tasks do not depend on it.
      this.#ports.logger.warn({ err: error }, 'looking for investigation queues failed');
    }
  }

  /** SQS lists a queue for a while after it was removed. */
  async #consumeIfThere(queue: string): Promise<void> {
    try {
      await this.#consume(queue, 1);
    } catch (error) {
      if (!(error instanceof QueueMissingError)) throw error;
    }
  }

  /** An investigation removes its queues when it ends, so that only the production queue is missed. */
  #noteTrouble(queue: string, error: Error): void {
    if (!this.#consumers.has(queue)) return;
    const { logger } = this.#ports;
    if (queue === this.#options.taskQueue || !(error instanceof QueueMissingError)) {
      logger.error({ err: error, queue }, 'trouble with an analysis task');
      return;
    }
    if (this.#ended.has(queue)) return;
    this.#ended.add(queue);
    logger.info({ queue }, 'an investigation has ended and removed its task queue');
  }

  async #consume(queue: string, atOnce: number): Promise<void> {
    const { visibilitySeconds } = this.#options;
    const { queues } = this.#ports;
    // Fails here, with its name, when there is no such queue.
    await queues.url(queue);
    const handle = (message: ReceivedMessage, signal: AbortSignal): Promise<void> =>
      runTask(message.body, message.receiveCount, this.#ports, signal);
    const onError = (error: Error): void => {
      this.#noteTrouble(queue, error);
    };
    const consumers = Array.from({ length: atOnce }, () =>
      consumeTasks({ queues, queue, visibilitySeconds, handle, onError }),
    );
    this.#consumers.set(queue, consumers);
    this.#ports.logger.info({ queue, atOnce }, 'consuming analysis tasks');
  }
}
