/** Tells operators every 20 s that this analysis worker is alive, and what it does. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '../observability.ts';
import type { ObjectStore } from '../ports.ts';
import { removeSign, SIGN_INTERVAL_MS, writeSign } from '../state/analysis-workers.ts';

export class Presence {
  readonly #store: ObjectStore;
  readonly #logger: Logger;
  readonly #id = `${hostname().slice(0, 64)}-${randomUUID()}`;
  readonly #startedAt = new Date().toISOString();
  readonly #atWork = new Set<string>();
  #tasksDone = 0;
  #tasksFailed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: ObjectStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    await this.#write();
    this.#timer = setInterval(() => void this.#write(), SIGN_INTERVAL_MS);
  }

  /** Removes the sign, so that a worker that ended cleanly is not taken for a lost one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await removeSign(this.#store, this.#id);
    } catch (err) {
      this.#logger.warn({ err }, 'the sign of life could not be removed');
    }
  }

  /** Runs a task, which counts as done when `run` resolves. */
  async during(taskId: string, run: () => Promise<void>): Promise<void> {
    this.#atWork.add(taskId);
    try {
      await run();
      this.#tasksDone += 1;
    } catch (error) {
      this.#tasksFailed += 1;
      throw error;
    } finally {
      this.#atWork.delete(taskId);
    }
  }

  /** Tasks do not depend on it. */
  async #write(): Promise<void> {
    const { pid } = process;
    const [startedAt, tasksDone, tasksFailed] = [this.#startedAt, this.#tasksDone, this.#tasksFailed];
    const atWork = [...this.#atWork];
    try {
      await writeSign(this.#store, this.#id, { host: hostname(), pid, startedAt, tasksDone, tasksFailed, atWork });
    } catch (err) {
      this.#logger.warn({ err }, 'the sign of life could not be stored');
    }
  }
}
