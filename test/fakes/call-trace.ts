/** Every call that reached a fake service, in order, and the faults that a test wants some of them to have. */

import { ObjectMissingError } from '../../src/ports.ts';

export interface Call {
  /** Bucket name, or `sqs`. */
  readonly service: string;
  readonly method: string;
  /** Object key, listing prefix or queue name. */
  readonly key: string;
  outcome: 'ok' | 'failed' | 'answer lost';
  /** A read of something that was not there. */
  missing?: true;
}

export interface Fault {
  readonly service?: string;
  readonly method: string;
  readonly key?: RegExp;
  /** Which of the matching calls, from 1. */
  readonly nth?: number;
  /** `before`: nothing happens; `after`: the effect happens and only the answer is lost. */
  readonly when?: 'before' | 'after';
  readonly error?: Error;
}

export class CallTrace {
  readonly calls: Call[] = [];
  #faults: (Fault & { left: number })[] = [];
  #hooks: { readonly method: string; readonly key: RegExp; readonly run: () => void | Promise<void> }[] = [];

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, left: fault.nth ?? 1 });
  }

  /** Runs something just before the next call that matches, as if another process were quicker. */
  before(method: string, key: RegExp, run: () => void | Promise<void>): void {
    this.#hooks.push({ method, key, run });
  }

  async around<T>(
    call: Omit<Call, 'outcome'>,
    signal: AbortSignal | undefined,
    effect: () => Promise<T> | T,
  ): Promise<T> {
    signal?.throwIfAborted();
    const hook = this.#hooks.find(({ method, key }) => method === call.method && key.test(call.key));
    if (hook !== undefined) {
      this.#hooks.splice(this.#hooks.indexOf(hook), 1);
      await hook.run();
    }
    const traced: Call = { ...call, outcome: 'failed' };
    this.calls.push(traced);
    const fault = this.#take(call);
    if (fault !== undefined && fault.when !== 'after') throw errorOf(fault);
    const answer = await notingMissing(traced, effect);
    traced.outcome = fault === undefined ? 'ok' : 'answer lost';
    if (fault !== undefined) throw errorOf(fault);
    return answer;
  }

  /** Calls that had their effect. */
  effective(method: string, key = /(?:)/): Call[] {
    return this.calls.filter((call) => call.method === method && call.outcome !== 'failed' && key.test(call.key));
  }

  clear(): void {
    this.calls.length = 0;
  }

  #take(call: Omit<Call, 'outcome'>): Fault | undefined {
    for (const fault of this.#faults) {
      const matches =
        fault.method === call.method &&
        (fault.service ?? call.service) === call.service &&
        (fault.key ?? /(?:)/).test(call.key);
      if (!matches) continue;
      fault.left -= 1;
      if (fault.left > 0) continue;
      this.#faults = this.#faults.filter((other) => other !== fault);
      return fault;
    }
    return undefined;
  }
}

async function notingMissing<T>(call: Call, effect: () => Promise<T> | T): Promise<T> {
  try {
    const answer = await effect();
    if (call.method === 'head' && answer === undefined) call.missing = true;
    return answer;
  } catch (error) {
    if (error instanceof ObjectMissingError) call.missing = true;
    throw error;
  }
}

function errorOf({ error, method }: Fault): Error {
  return error ?? new Error(`injected fault: ${method}`);
}
