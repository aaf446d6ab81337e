/**
 * Where the time of a stage goes. The loop's own work is its active time. Its idle time belongs to what it waited for at
 * that moment: worker threads before S3, S3 before SQS, SQS before anything else that an activity does, and Temporal when
 * no activity ran. So the parts of a stage add up to its seconds, also where it does much at once.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { cpuSecondsOfThis } from './cpu.ts';

export const WAITS = ['threads', 's3', 'sqs', 'activity', 'temporal'] as const;
export type Wait = (typeof WAITS)[number];

export interface StageTimes {
  readonly stage: string;
  readonly seconds: number;
  /** The event loop at work. */
  readonly worked: number;
  readonly waited: Readonly<Record<Wait, number>>;
  /** Of all threads. */
  readonly cpuSeconds: number;
  /** Most resident memory while it ran; NaN where /proc does not tell. */
  readonly peakMiB: number;
  /** Of the event loop: how much later than wanted a timer fired. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

const LAG_RESOLUTION_MS = 10;
const A_WHILE_MS = 0.5;

export class Meter {
  readonly #onStage: (times: StageTimes) => Promise<void>;
  readonly #outstanding: Record<Wait, number> = { threads: 0, s3: 0, sqs: 0, activity: 0, temporal: 0 };
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #stage = '';
  #startedAt = 0;
  #cpu = 0;
  #begin: EventLoopUtilization = performance.eventLoopUtilization();
  #idleNoted = 0;
  #waited = noWaits();

  /** @param onStage gets each stage as it ends */
  constructor(onStage: (times: StageTimes) => Promise<void>) {
    this.#onStage = onStage;
    this.#lag.enable();
    this.#reset();
  }

  /** Ends the stage before, if it is another one. */
  async enter(stage: string): Promise<void> {
    if (stage === this.#stage) return;
    this.#noteIdle();
    const before = this.#stage === '' ? undefined : this.#times();
    this.#stage = stage;
    if (before !== undefined) await this.#onStage(before);
    this.#reset();
  }

  async waiting<T>(wait: Wait, work: () => Promise<T>): Promise<T> {
    this.#noteIdle();
    this.#outstanding[wait] += 1;
    try {
      return await work();
    } finally {
      this.#noteIdle();
      this.#outstanding[wait] -= 1;
    }
  }

  /** The same for work that mostly ends at once: only that which took a while is looked at. */
  async waitingNow<T>(wait: Wait, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    this.#outstanding[wait] += 1;
    try {
      return await work();
    } finally {
      if (performance.now() - startedAt > A_WHILE_MS) this.#noteIdle();
      this.#outstanding[wait] -= 1;
    }
  }

  #noteIdle(): void {
    const idle = this.#sinceBegin().idle;
    const wait = WAITS.find((each) => this.#outstanding[each] > 0) ?? 'temporal';
    this.#waited[wait] += (idle - this.#idleNoted) / 1000;
    this.#idleNoted = idle;
  }

  #sinceBegin(): EventLoopUtilization {
    return performance.eventLoopUtilization(performance.eventLoopUtilization(), this.#begin);
  }

  #times(): StageTimes {
    const lag = (ns: number): number => Math.max(0, ns / 1e6 - LAG_RESOLUTION_MS);
    return {
      stage: this.#stage,
      seconds: (performance.now() - this.#startedAt) / 1000,
      worked: this.#sinceBegin().active / 1000,
      waited: this.#waited,
      cpuSeconds: cpuSecondsOfThis() - this.#cpu,
      peakMiB: peakMiB(),
      lagP99Ms: lag(this.#lag.percentile(99)),
      lagMaxMs: lag(this.#lag.max),
    };
  }

  #reset(): void {
    this.#startedAt = performance.now();
    this.#cpu = cpuSecondsOfThis();
    this.#begin = performance.eventLoopUtilization();
    this.#idleNoted = 0;
    this.#waited = noWaits();
    this.#lag.reset();
    forgetPeak();
  }
}

function noWaits(): Record<Wait, number> {
  return { threads: 0, s3: 0, sqs: 0, activity: 0, temporal: 0 };
}

function peakMiB(): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** So that the peak is that of the stage. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then it is the peak since the start.
  }
}
