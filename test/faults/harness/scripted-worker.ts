/** Analysis workers that answer at once: every file's rows are made up, so that what the data set must show is known. */
import { setTimeout as delay } from 'node:timers/promises';
import { createMessageQueues } from '../../../src/aws/sqs.ts';
import { NO_REPORT } from '../../../src/pipeline/done-queue/done-message.ts';
import { encodeDoneMessage, resultKey } from '../../fakes/done-messages.ts';
import { decodeTaskMessage, type TaskMessage } from '../../../src/pipeline/task-queue/task-message.ts';
import type { ObjectStore } from '../../../src/ports.ts';
import { madeUpRows, resultText } from './made-up-days.ts';

/** SQS takes no more at once. */
const BATCH = 10;

export interface Script {
  /** How this task is to be answered; a result and its message when absent. */
  readonly answer?: (task: TaskMessage, attempt: number) => 'done' | 'failed' | 'silent' | 'result only';
  /** The pace of the answers. */
  readonly secondsPerTask?: number;
  /** See `madeUpRows`. */
  readonly variantOf?: (key: string) => string;
  /** Instead of the made-up result. */
  readonly resultOf?: (task: TaskMessage, made: string) => string | Buffer;
  /** Instead of one done message. */
  readonly messagesOf?: (task: TaskMessage, made: string) => readonly string[];
}

export class ScriptedWorker {
  /** Attempts by task id, in the order in which the tasks came first. */
  readonly attempts = new Map<string, number>();
  readonly tasks = new Map<string, TaskMessage>();
  script: Script;
  readonly #queues: ReturnType<typeof createMessageQueues>;
  readonly #output: ObjectStore;
  readonly #taskQueue: string;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(sqsEndpoint: string, output: ObjectStore, taskQueue: string, script: Script) {
    this.#queues = createMessageQueues({ region: 'us-west-2', endpoint: sqsEndpoint });
    this.#output = output;
    this.#taskQueue = taskQueue;
    this.script = script;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#queues.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      try {
        const messages = await this.#queues.receive(this.#taskQueue, { waitSeconds: 2, visibilitySeconds: 30, signal });
        await Promise.all(messages.map(({ body }) => this.#analyse(decodeTaskMessage(body))));
        const handles = messages.map(({ receiptHandle }) => receiptHandle);
        if (handles.length > 0) await this.#queues.deleteMessages(this.#taskQueue, handles);
        const { secondsPerTask = 0 } = this.script;
        if (secondsPerTask > 0) await delay(secondsPerTask * messages.length * 1000, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  async #analyse(task: TaskMessage): Promise<void> {
    const attempt = (this.attempts.get(task.id) ?? 0) + 1;
    this.attempts.set(task.id, attempt);
    this.tasks.set(task.id, task);
    const { answer = () => 'done' as const, variantOf = () => '', resultOf, messagesOf } = this.script;
    const how = answer(task, attempt);
    if (how === 'silent') return;
    const aborted = how === 'failed';
    if (!aborted) {
      const made = resultText(task.files.flatMap((key) => madeUpRows(key, variantOf(key))));
      await this.#output.put(resultKey(task.id), Buffer.from(resultOf?.(task, made) ?? made));
    }
    if (how === 'result only') return;
    const report = { ...NO_REPORT, records: task.files.length };
    const message = encodeDoneMessage(task, { aborted, report });
    const messages = messagesOf?.(task, message) ?? [message];
    for (let sent = 0; sent < messages.length; sent += BATCH)
      await this.#queues.send(task.targetQueue, messages.slice(sent, sent + BATCH));
  }
}
