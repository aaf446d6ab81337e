/** The commands that an operator can give a run that drains its done queue: Updates, so that each gets an answer. */
import { CancellationScope, defineUpdate, isCancellation, setHandler } from '@temporalio/workflow';
import { failure } from '../failures.ts';
import type { RecoverResult } from '../activities/send.ts';

/** Goes on without the tasks that have no result yet. */
export const finishWithMissing = defineUpdate<string>('finishWithMissing');
/** Looks for results whose messages never came, and sends the other open tasks again, now. */
export const resendMissing = defineUpdate<RecoverResult>('resendMissing');

export class OperatorControl {
  #finishing = false;
  #draining: CancellationScope | undefined;

  constructor(resend: () => Promise<RecoverResult>) {
    const validator = (): void => {
      if (this.#draining === undefined) throw failure('InvalidInput', 'This run is not waiting for results now');
    };
    setHandler(
      finishWithMissing,
      () => {
        this.#finishing = true;
        this.#draining?.cancel();
        return 'The run goes on without the missing results; a day without any result ends as NothingAnalysed, and stays as it was';
      },
      { validator, description: 'Go on without the tasks that have no result yet' },
    );
    setHandler(resendMissing, resend, { validator, description: 'Send the tasks without a result again, now' });
  }

  get finishing(): boolean {
    return this.#finishing;
  }

  /** Runs one call of the drain; undefined when an operator ended the wait. */
  async interruptible<T>(drain: () => Promise<T>): Promise<T | undefined> {
    const scope = new CancellationScope({ cancellable: true });
    this.#draining = scope;
    try {
      return await scope.run(drain);
    } catch (error) {
      if (this.#finishing && isCancellation(error)) return undefined;
      throw error;
    } finally {
      this.#draining = undefined;
    }
  }
}
