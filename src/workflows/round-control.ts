/** Commands of an operator to continuous aggregation, as Updates: publish now, and stop. */
import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import { failure } from '../failures.ts';
import type { Activities } from '../activities/index.ts';
import type { CollectWaitingInput, WaitingResults } from '../activities/rounds.ts';
import { activityOptions } from './activity-options.ts';

const { collectWaiting } = proxyActivities<Activities>({
  ...activityOptions.drain,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Names of the Updates, for the command and the `temporal` CLI. */
const publishNow = defineUpdate<unknown>('publishNow');
const stop = defineUpdate<unknown>('stop');

export class RoundControl<Outcome> {
  #asked = 0;
  #answered = 0;
  #stopping = false;
  #outcome: Outcome | undefined;
  #collecting: CancellationScope | undefined;

  constructor() {
    const validator = (): void => {
      if (this.#stopping) throw failure('InvalidInput', 'Continuous aggregation is stopping already');
    };
    setHandler(publishNow, () => this.#ask(), {
      validator,
      description: 'Publish the waiting results now; returns the round',
    });
    setHandler(
      stop,
      () => {
        this.#stopping = true;
        return this.#ask();
      },
      { validator, description: 'Publish the waiting results, then end' },
    );
  }

  /** An operator is waiting for a round. */
  isPublishing(): boolean {
    return this.#answered < this.#asked;
  }

  isStopping(): boolean {
    return this.#stopping;
  }

  /** Answers all requests made before the round began; later ones get another round. */
  async answering(round: () => Promise<Outcome>): Promise<void> {
    const asked = this.#asked;
    this.#outcome = await round();
    this.#answered = asked;
  }

  /** One call of the drain; undefined when an operator ended the wait. */
  async collecting(input: CollectWaitingInput): Promise<WaitingResults | undefined> {
    if (this.isPublishing()) return undefined;
    const scope = new CancellationScope({ cancellable: true });
    this.#collecting = scope;
    try {
      return await scope.run(() => collectWaiting(input));
    } catch (error) {
      if (this.isPublishing() && isCancellation(error)) return undefined;
      throw error;
    } finally {
      this.#collecting = undefined;
    }
  }

  async #ask(): Promise<Outcome | undefined> {
    this.#asked += 1;
    const mine = this.#asked;
    this.#collecting?.cancel();
    await condition(() => this.#answered >= mine);
    return this.#outcome;
  }
}
