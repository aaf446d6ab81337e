/**
 * How many histograms of which measure were left out as `bad_histogram`: a few names on the way from workers to the report
 * of a run (docs/formats/queues.md 2.3). Submitters and workers choose the names, so every stage keeps the worst only; all
 * the others are in the count of the reason.
 */
import { addCount } from './known-reasons.ts';

/** By measure, the worst first. */
export type BadHistograms = Readonly<Record<string, number>>;

/** Measures that a task, and a chunk, names: far more than the run does, so that what is bad everywhere gets there. */
export const MAX_NAMED = 50;
/** Measures that a run names. */
export const MAX_NAMED_OF_RUN = 10;

/** Measures counted at once; when there are more, only the worst go on, so that invented names cost no memory. */
const MAX_COUNTED = 20_000;
const GO_ON = 1_000;

export class BadHistogramCounts {
  #counts = new Map<string, number>();

  note(measure: string, count = 1): void {
    if (count === 0) return;
    this.#counts.set(measure, addCount(this.#counts.get(measure) ?? 0, count));
    if (this.#counts.size > MAX_COUNTED) this.#counts = new Map(this.#worst(GO_ON));
  }

  add(counts: BadHistograms): void {
    for (const [measure, count] of Object.entries(counts)) this.note(measure, count);
  }

  /** Measures that are counted now. */
  get size(): number {
    return this.#counts.size;
  }

  worst(max: number): BadHistograms {
    return Object.fromEntries(this.#worst(max));
  }

  #worst(max: number): [measure: string, count: number][] {
    return [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, max);
  }
}

/** The worst of several counts. */
export function worstOf(all: readonly BadHistograms[], max: number): BadHistograms {
  const counts = new BadHistogramCounts();
  for (const one of all) counts.add(one);
  return counts.worst(max);
}
