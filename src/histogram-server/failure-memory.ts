/** What could not be had and is not asked for again yet (histogram-server.md 6.7). */
import { LRUCache } from 'lru-cache';
import type { UpstreamFault } from './upstream.ts';

export interface ForgetAfter {
  readonly notFoundMs: number;
  readonly failureMs: number;
}

const REMEMBERED = 10_000;
/** So many revisions in a row without an answer: the upstream is down, and asking for the others only makes everybody wait. */
const SILENT_BEFORE_REST = 3;

export class FailureMemory {
  readonly #forgetAfter: ForgetAfter;
  readonly #faults = new LRUCache<string, { readonly fault: UpstreamFault; readonly until: number }>({
    max: REMEMBERED,
  });
  #silent = 0;
  #rest: { readonly fault: UpstreamFault; readonly until: number } = { fault: 'unreachable', until: 0 };

  constructor(forgetAfter: ForgetAfter) {
    this.#forgetAfter = forgetAfter;
  }

  /** Why the revision is not to be asked for now; undefined when it may be. */
  of(key: string): UpstreamFault | undefined {
    const now = Date.now();
    const known = this.#faults.get(key);
    if (known !== undefined && now < known.until) return known.fault;
    return now < this.#rest.until ? this.#rest.fault : undefined;
  }

  failed(key: string, fault: UpstreamFault): void {
    const { notFoundMs, failureMs } = this.#forgetAfter;
    const now = Date.now();
    this.#faults.set(key, { fault, until: now + (fault === 'not_found' ? notFoundMs : failureMs) });
    if (fault !== 'unreachable' && fault !== 'timed_out') {
      this.#silent = 0;
      return;
    }
    this.#silent += 1;
    if (this.#silent < SILENT_BEFORE_REST) return;
    this.#silent = 0;
    this.#rest = { fault, until: now + failureMs };
  }

  succeeded(key: string): void {
    this.#faults.delete(key);
    this.#silent = 0;
  }
}
