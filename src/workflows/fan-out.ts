/** How many activities of one kind a workflow has under way at once, however long the list is that it works through. */
import { patched } from '@temporalio/workflow';

/**
 * Temporal refuses more than 2,000 pending activities of a run, again and again. A worker runs 100 at once by default;
 * more would only wait.
 */
const ACTIVITIES_AT_ONCE = 100;

/**
 * Starts work in the order in which it is given, at most so much at once. Pure promises, so that replay starts the same;
 * below the limit everything starts in the call, as it did before there was a limit.
 */
export class FanOut {
  #limit = ACTIVITIES_AT_ONCE;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Whether work that is given now has to wait. */
  isFull(): boolean {
    if (this.#running < this.#limit) return false;
    // Asked only here, so that the history of a run with little work has no marker. replay-tested: 2026-11-28
    if (this.#limit === ACTIVITIES_AT_ONCE && !patched('bounded-fan-out')) this.#limit = Infinity;
    return this.#running >= this.#limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    // Whoever ends hands its place on, so that nothing newer gets in between.
    if (this.isFull()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** Work for 0 … `count` − 1; results in that order. After a failure nothing more is started. */
export async function fanOut<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const lanes = new FanOut();
  let failure: { readonly error: unknown } | undefined;
  const one = async (index: number): Promise<T> => {
    if (failure !== undefined) throw failure.error;
    try {
      return await work(index);
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  };
  return Promise.all(Array.from({ length: count }, (_, index) => lanes.run(() => one(index))));
}
