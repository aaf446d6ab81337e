/**
 * How many more done messages may go to quarantine in this hour (docs/security.md T11). A queue that somebody fills
 * with junk must not fill the bucket as well: beyond the cap bad messages stay where they are, for SQS to make dead
 * letters of them.
 */
import { stateKeys } from './keys.ts';
import type { ObjectStore } from '../ports.ts';

/** Other drains spend the same budget; this is how often their share is looked up. */
const LOOK_AGAIN_MS = 30_000;

/** The budget of one drain. Marks in the bucket make it one for all drains, attempts and processes. */
export class QuarantineBudget {
  readonly #store: ObjectStore;
  readonly #perHour: number;
  readonly #signal: AbortSignal;
  #hour = '';
  #marked = new Set<string>();
  #lookedAt = 0;
  /** Messages of one batch are handled in parallel; each must see what the others spent. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: ObjectStore, perHour: number, signal: AbortSignal) {
    this.#store = store;
    this.#perHour = perHour;
    this.#signal = signal;
  }

  /**
   * Takes one out of the budget. The same content is one object, so it costs nothing again in the same hour.
   * @param sha256 of the quarantine object
   * @returns false when this hour's budget is spent
   */
  async spend(sha256: string): Promise<boolean> {
    const mine = this.#turn.then(() => this.#spend(sha256));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #spend(sha256: string): Promise<boolean> {
    const hour = new Date().toISOString().slice(0, 13);
    if (hour !== this.#hour || Date.now() - this.#lookedAt >= LOOK_AGAIN_MS) await this.#look(hour);
    if (this.#marked.has(sha256)) return true;
    if (this.#marked.size >= this.#perHour) return false;
    // Before the object: a drain that dies in between spends one too many, never one too few.
    await this.#store.createOnce(stateKeys.quarantineMark(hour, sha256), Buffer.from(''), {}, this.#signal);
    this.#marked.add(sha256);
    return true;
  }

  async #look(hour: string): Promise<void> {
    const prefix = stateKeys.quarantineMarks(hour);
    const marked = new Set<string>();
    for await (const { key } of this.#store.objects(prefix, this.#signal)) {
      marked.add(key.slice(prefix.length));
      if (marked.size >= this.#perHour) break;
    }
    this.#marked = marked;
    this.#hour = hour;
    this.#lookedAt = Date.now();
  }
}
