/** Chunks: consecutive task numbers that are merged together as soon as all their receipts exist, so that the grouping depends on the plan, not on arrival order. */
import type { Outcome } from './receipt.ts';

/** The chunks of a run and the progress of each. Task numbers count from 1, chunk numbers too. */
export class DrainProgress {
  readonly #tasks: number;
  readonly #chunkTasks: number;
  /** Per task: 0 nothing, 1 failed, 2 done. */
  readonly #states: Uint8Array;

  constructor(tasks: number, chunkTasks: number) {
    this.#tasks = tasks;
    this.#chunkTasks = chunkTasks;
    this.#states = new Uint8Array(tasks + 1);
  }

  /** Notes a receipt; `.done` supersedes `.failed`. Numbers outside the plan are ignored. */
  note(number: number, outcome: Outcome): void {
    if (number < 1 || number > this.#tasks) return;
    const state = outcome === 'done' ? 2 : 1;
    if (state > (this.#states[number] ?? 0)) this.#states[number] = state;
  }

  get done(): number {
    return this.#count(1, this.#tasks, 2);
  }

  get failed(): number {
    return this.#count(1, this.#tasks, 1);
  }

  get missing(): number {
    return this.#count(1, this.#tasks, 0);
  }

  /** Numbers of tasks without any receipt, ascending. */
  *missingNumbers(): Generator<number> {
    for (let number = 1; number <= this.#tasks; number += 1) if (this.#states[number] === 0) yield number;
  }

  get chunks(): number {
    return Math.ceil(this.#tasks / this.#chunkTasks);
  }

  /** Every chunk with its number of done tasks, and whether each of its tasks has a receipt. */
  chunk(chunk: number): { readonly chunk: number; readonly done: number; readonly complete: boolean } {
    const { first, last } = chunkRange(chunk, this.#chunkTasks, this.#tasks);
    return { chunk, done: this.#count(first, last, 2), complete: this.#count(first, last, 0) === 0 };
  }

  #count(first: number, last: number, state: number): number {
    let count = 0;
    for (let number = first; number <= last; number += 1) if (this.#states[number] === state) count += 1;
    return count;
  }
}

/** Chunks of a run. Each costs events of its history, which ends at 51,200, and a number in every call of the drain. */
const MAX_CHUNKS = 1000;

/** Tasks of a chunk: as configured, more in a run that would have too many chunks. */
export function chunkSize(tasks: number, configured: number): number {
  return Math.max(configured, Math.ceil(tasks / MAX_CHUNKS));
}

/** First and last task number of a chunk. */
export function chunkRange(chunk: number, chunkTasks: number, tasks: number): { first: number; last: number } {
  return { first: (chunk - 1) * chunkTasks + 1, last: Math.min(chunk * chunkTasks, tasks) };
}
