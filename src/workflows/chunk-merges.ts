/** The merges of a run's chunks: results of 100 tasks at a time, in parallel. */
import { proxyActivities } from '@temporalio/workflow';
import type { MergeChunkResult } from '../activities/merge.ts';
import type { Activities } from '../activities/index.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import { activityOptions } from './activity-options.ts';
import { FanOut } from './fan-out.ts';

const { mergeChunk } = proxyActivities<Activities>(activityOptions.scan);

export interface MergedRun {
  readonly chunks: readonly ChunkRef[];
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
}

/** The merges of a run's chunks, started while the drain goes on. */
export class ChunkMerges {
  readonly #run: RunRef;
  readonly #tasks: number;
  readonly #chunkTasks: number;
  /** Per chunk, from 0: with how many done tasks it was handed to the merge; −1 when it was not. */
  readonly doneCounts: number[];
  readonly #results = new Map<number, MergeChunkResult>();
  readonly #running: Promise<void>[] = [];
  readonly #lanes = new FanOut();
  #failure: unknown;
  #tell: ((done: number, of: number) => void) | undefined;

  constructor(run: RunRef, tasks: number, chunkTasks: number) {
    this.#run = run;
    this.#tasks = tasks;
    this.#chunkTasks = chunkTasks;
    this.doneCounts = new Array<number>(Math.ceil(tasks / chunkTasks)).fill(-1);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  start(chunk: number, done: number): void {
    this.doneCounts[chunk - 1] = done;
    const mustWait = this.#lanes.isFull();
    const merge = async (): Promise<void> => {
      if (mustWait && this.failed) return;
      try {
        const [first, last] = [(chunk - 1) * this.#chunkTasks + 1, Math.min(chunk * this.#chunkTasks, this.#tasks)];
        const summary = first === last ? `task ${first}` : `tasks ${first}–${last}`;
        const input = { run: this.#run, chunk, tasks: this.#tasks, chunkTasks: this.#chunkTasks };
        const result = await mergeChunk.executeWithOptions({ summary }, [input]);
        // A chunk that gained a result is merged again; the fuller one counts.
        if (result.ref.done >= (this.#results.get(chunk)?.ref.done ?? 0)) this.#results.set(chunk, result);
        this.#tell?.(this.#results.size, this.doneCounts.length);
      } catch (error) {
        // `finish` throws it: until then nothing awaits this promise.
        this.#failure ??= error;
      }
    };
    this.#running.push(this.#lanes.run(merge));
  }

  /**
   * Merges what was not merged yet, complete or not, and waits for all.
   * @param tell how many chunks are merged, whenever there is another one
   */
  async finish(tell?: (done: number, of: number) => void): Promise<MergedRun> {
    this.#tell = tell;
    tell?.(this.#results.size, this.doneCounts.length);
    for (const [index, done] of this.doneCounts.entries()) if (done < 0) this.start(index + 1, 0);
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure as Error;
    const results = [...this.#results.values()];
    const sum = (count: 'done' | 'failed' | 'missing'): number =>
      results.reduce((total, result) => total + result[count], 0);
    return { chunks: results.map(({ ref }) => ref), done: sum('done'), failed: sum('failed'), missing: sum('missing') };
  }
}
