/** The time of a test: it stands still until the test, or an empty long poll, moves it. `Date` follows it everywhere. */
import { mock } from 'node:test';

export class ManualClock {
  #now: number;

  /**
   * Installs itself as the `Date` of the process until `mock.timers.reset()`.
   * @param apis timers as well, for tests that tick them
   */
  constructor(start: string, apis: readonly ('Date' | 'setTimeout')[] = ['Date']) {
    this.#now = Date.parse(start);
    mock.timers.enable({ apis: [...apis], now: this.#now });
  }

  get now(): number {
    return this.#now;
  }

  advance(seconds: number): void {
    this.#now += seconds * 1000;
    mock.timers.setTime(this.#now);
  }
}
