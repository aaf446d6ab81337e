/** Failed revisions that are not requested again yet (docs/formats/histogram-server.md 6.7). */
import { LRUCache } from 'lru-cache';
import type { UpstreamFault } from './upstream.ts';

/** Above 0, which lru-cache takes for "never". */
export interface ForgetAfter {
  readonly notFoundMs: number;
  readonly failureMs: number;
}

const REMEMBERED = 10_000;
/**
 * After this many revisions in a row without an answer the upstream is down, and more requests only make everybody
 * wait.
 */
const SILENT_BEFORE_REST = 3;

export class FailureMemory {
  readonly #forgetAfter: ForgetAfter;
  readonly #faults: LRUCache<string, UpstreamFault>;
  /** The key of the upstream itself, while it is left alone. */
  readonly #rest: LRUCache<'upstream', UpstreamFault>;
  #silent = 0;

  constructor(forgetAfter: ForgetAfter, clock = { now: () => Date.now() }) {
    this.#forgetAfter = forgetAfter;
    // Resolution 0: the clock is asked each time, and no timer runs.
    const timing = { ttl: forgetAfter.failureMs, ttlResolution: 0, perf: clock };
    this.#faults = new LRUCache({ max: REMEMBERED, ...timing });
    this.#rest = new LRUCache({ max: 1, ...timing });
  }

  /** Why the revision must not be requested now; undefined when it may. */
  of(key: string): UpstreamFault | undefined {
    return this.#faults.get(key) ?? this.#rest.get('upstream');
  }

  failed(key: string, fault: UpstreamFault): void {
    const { notFoundMs, failureMs } = this.#forgetAfter;
    this.#faults.set(key, fault, { ttl: fault === 'not_found' ? notFoundMs : failureMs });
    if (fault !== 'unreachable' && fault !== 'timed_out') {
      this.#silent = 0;
      return;
    }
    this.#silent += 1;
    if (this.#silent < SILENT_BEFORE_REST) return;
    this.#silent = 0;
    this.#rest.set('upstream', fault);
  }

  succeeded(key: string): void {
    this.#faults.delete(key);
    this.#silent = 0;
  }
}
