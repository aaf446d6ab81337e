/** Services whose faults change all the time: every few seconds another one of them, drawn by chance. */
import type { ChaosProxy, Rule } from './chaos-proxy.ts';

type Service = 's3' | 'sqs';

/** Shares of the calls that are hit. */
const OFTEN = 0.3;
const NOW_AND_THEN = 0.1;
const PATIENCE_MS = 3000;
const MOST_COPIES = 2;

export class Weather {
  readonly #s3: ChaosProxy;
  readonly #sqs: ChaosProxy;
  readonly #random: () => number;
  readonly #doneQueue: string;

  constructor(s3: ChaosProxy, sqs: ChaosProxy, doneQueue: string, random: () => number) {
    this.#s3 = s3;
    this.#sqs = sqs;
    this.#doneQueue = doneQueue;
    this.#random = random;
    this.clear();
  }

  /** Messages come twice, and every second answer to a commit is lost, whatever else happens. */
  clear(): void {
    for (const proxy of [this.#s3, this.#sqs]) proxy.clear();
    this.#sqs.add({
      name: 'duplicate',
      method: 'ReceiveMessage',
      key: new RegExp(`^${this.#doneQueue}$`),
      fault: { kind: 'duplicate', copies: () => Math.floor(this.#random() * (MOST_COPIES + 1)) },
    });
    this.#s3.add({
      name: 'lost commit',
      method: 'PUT',
      key: /versions\.json$/,
      chance: () => this.#random() < 0.5,
      fault: { kind: 'resetAfter' },
    });
  }

  /** Takes away the fault of before. */
  change(): void {
    this.clear();
    const service: Service = this.#random() < 0.7 ? 's3' : 'sqs';
    const kinds = this.#kinds(service);
    const rule = kinds[Math.floor(this.#random() * kinds.length)];
    if (rule !== undefined) (service === 's3' ? this.#s3 : this.#sqs).add(rule);
  }

  /** Requests that were hit, by the fault's name. */
  get injected(): ReadonlyMap<string, number> {
    const all = [this.#s3.injected, this.#sqs.injected].flatMap((counts) => [...counts]);
    const sums = new Map<string, number>();
    for (const [name, count] of all) sums.set(name, (sums.get(name) ?? 0) + count);
    return sums;
  }

  #kinds(service: Service): Rule[] {
    const share = (part: number) => (): boolean => this.#random() < part;
    const slowDown = service === 's3' ? 'SlowDown' : 'ServiceUnavailable';
    const bodies = { method: 'GET', key: /result\.txt$/ };
    return [
      { name: '500', chance: share(OFTEN), fault: { kind: 'status', status: 500, code: 'InternalError' } },
      { name: '503', chance: share(OFTEN), fault: { kind: 'status', status: 503, code: slowDown } },
      { name: 'latency', chance: share(NOW_AND_THEN), fault: { kind: 'latency', ms: PATIENCE_MS } },
      { name: 'reset before', chance: share(NOW_AND_THEN), fault: { kind: 'resetBefore' } },
      { name: 'reset after', chance: share(NOW_AND_THEN), fault: { kind: 'resetAfter' } },
      {
        name: '500 after',
        chance: share(NOW_AND_THEN),
        fault: { kind: 'statusAfter', status: 500, code: 'InternalError' },
      },
      ...(service === 's3'
        ? [
            { name: 'cut body', ...bodies, chance: share(OFTEN), fault: { kind: 'truncateBody' } } as const,
            { name: 'stalled body', ...bodies, times: 1, fault: { kind: 'stallBody' } } as const,
          ]
        : []),
    ];
  }
}
