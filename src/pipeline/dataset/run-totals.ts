/** The counts of a run: what the heads of its chunks say, added up. */
import type { ChunkHead, ChunkPart } from '../aggregates/chunk-head.ts';
import { BadHistogramCounts, type BadHistograms, MAX_NAMED_OF_RUN } from '../bad-histograms.ts';
import { addCount, addCounts } from '../known-reasons.ts';

export interface TotalCounts {
  /** Tasks whose results are in, that were given up or refused, that have no receipt. */
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Files that could be read in part only. */
  readonly partial: number;
  readonly records: number;
  readonly skipped: Record<string, number>;
  readonly badHistograms: BadHistograms;
  readonly dropped: Record<string, number>;
  readonly failedTasks: Record<string, number>;
}

export class RunTotals {
  /** In the order of the chunks. */
  readonly parts: ChunkPart[] = [];
  /** Why a task gave no result, by its number in the plan. */
  readonly lostTasks = new Map<number, string>();
  readonly #badHistograms = new BadHistogramCounts();
  readonly #counts = { done: 0, failed: 0, missing: 0, partial: 0, records: 0 };
  readonly #reasons = {
    skipped: {} as Record<string, number>,
    dropped: {} as Record<string, number>,
    failedTasks: {} as Record<string, number>,
  };

  add(head: ChunkHead): void {
    this.parts.push(...head.parts);
    for (const { number, reason } of head.failed) {
      this.lostTasks.set(number, reason);
      addCounts(this.#reasons.failedTasks, { [reason]: 1 });
    }
    for (const number of head.missing) this.lostTasks.set(number, 'no_result');
    this.#counts.done += head.done.length;
    this.#counts.failed += head.failed.length;
    this.#counts.missing += head.missing.length;
    this.#counts.partial += head.filesPartial.length;
    this.#counts.records = addCount(this.#counts.records, head.records);
    addCounts(this.#reasons.skipped, head.skipped);
    addCounts(this.#reasons.dropped, head.dropped);
    this.#badHistograms.add(head.badHistograms);
  }

  counts(): TotalCounts {
    return { ...this.#counts, ...this.#reasons, badHistograms: this.#badHistograms.worst(MAX_NAMED_OF_RUN) };
  }
}
