/** I1 and I8 within a run: every task of the plan is in one chunk, and there in one of done, failed and missing. */
import type { ChunkHead } from '../../pipeline/aggregates/chunk-head.ts';
import type { TaskCounts } from '../../pipeline/dataset/invariants.ts';
import type { ChunkRef } from '../../pipeline/run-ref.ts';

/**
 * The states of chunks that a contribution was most likely built from, when it does not say: of each the one with the most
 * receipts.
 * @returns `certain`: no chunk has two states
 */
export function latestChunks(stored: readonly ChunkRef[]): {
  readonly refs: readonly ChunkRef[];
  readonly certain: boolean;
} {
  const latest = new Map<number, ChunkRef>();
  for (const ref of stored) {
    const known = latest.get(ref.chunk);
    if (known === undefined || isLater(ref, known)) latest.set(ref.chunk, ref);
  }
  return { refs: [...latest.values()].toSorted((a, b) => a.chunk - b.chunk), certain: latest.size === stored.length };
}

function isLater(a: ChunkRef, b: ChunkRef): boolean {
  return a.done !== b.done ? a.done > b.done : a.failed > b.failed;
}

export interface TasksOfChunks {
  readonly counts: Omit<TaskCounts, 'planned'>;
  /** Task numbers that come twice, that the plan does not have, that are in no chunk; ascending. */
  readonly twice: readonly number[];
  readonly unplanned: readonly number[];
  readonly absent: readonly number[];
}

export function tasksOfChunks(
  chunks: readonly Pick<ChunkHead, 'done' | 'failed' | 'missing'>[],
  planned: number,
): TasksOfChunks {
  const seen = new Set<number>();
  const twice = new Set<number>();
  const unplanned = new Set<number>();
  const counts = { done: 0, failed: 0, missing: 0 };
  for (const chunk of chunks) {
    const { done, failed, missing } = chunk;
    const outcomes = { done: done.map(numberOf), failed: failed.map(numberOf), missing };
    for (const outcome of ['done', 'failed', 'missing'] as const) {
      counts[outcome] += outcomes[outcome].length;
      for (const number of outcomes[outcome]) {
        if (seen.has(number)) twice.add(number);
        seen.add(number);
        if (number < 1 || number > planned) unplanned.add(number);
      }
    }
  }
  const absent: number[] = [];
  for (let number = 1; number <= planned; number += 1) if (!seen.has(number)) absent.push(number);
  return { counts, twice: ascending(twice), unplanned: ascending(unplanned), absent };
}

function numberOf({ number }: { readonly number: number }): number {
  return number;
}

function ascending(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}
