/** Sums of submissions that are written to disk, as the sorted lines of a result, whenever they have grown too large. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AggregateKernel, type AggregateLimits } from '../kernels/aggregate-kernel.ts';
import { hashOfFile } from '../file-hash.ts';
import { mergeResultRange } from './merge-results.ts';
import { mergeSortedResults } from './result-file.ts';
import { indexResults, linesByKey, type ResultFile } from './result-index.ts';
import { PlainTextFile } from './text-file.ts';

export interface WrittenSums {
  readonly lines: number;
  readonly bytes: number;
  /** Hex SHA-256 of the lines. */
  readonly sha256: string;
  /** Statistics that only one side of an addition had. */
  readonly mixedStatistics: number;
}

export class SpillingSums {
  readonly kernel: AggregateKernel;
  readonly #folder: string;
  readonly #limits: AggregateLimits;
  readonly #spills: ResultFile[] = [];
  readonly #mixedBefore: number;

  /** @param folder takes the spills */
  constructor(folder: string, limits: AggregateLimits) {
    this.#folder = folder;
    this.#limits = limits;
    this.kernel = kernelOfThread(limits);
    this.#mixedBefore = this.kernel.mixedStatistics;
  }

  /**
   * Between two submissions. Synchronous, because a decoder that hands out lines cannot wait.
   * @returns whether a source must be opened again
   */
  spillLarge(): boolean {
    if (!this.kernel.isFull) return false;
    this.#spill();
    return true;
  }

  /** Writes all sums to a new file. */
  async write(path: string): Promise<WrittenSums> {
    if (this.#spills.length === 0) return this.#writeSums(path);
    this.#spill();
    const merged = await this.#mergeSpills(path);
    await this.remove();
    return { ...merged, mixedStatistics: this.#mixed + merged.mixedStatistics };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#spills.map(({ path }) => rm(path)));
  }

  get #mixed(): number {
    return this.kernel.mixedStatistics - this.#mixedBefore;
  }

  #spill(): void {
    const id = `spill-${this.#spills.length}`;
    const path = join(this.#folder, id);
    this.#writeSums(path);
    this.#spills.push({ id, path });
  }

  #writeSums(path: string): WrittenSums {
    const file = new PlainTextFile(path);
    const hash = createHash('sha256');
    const before = this.kernel.lines;
    try {
      this.kernel.writeLines((text) => {
        hash.update(text);
        file.write(text);
      });
    } finally {
      file.close();
    }
    this.kernel.clear();
    const lines = this.kernel.lines - before;
    return { lines, bytes: file.bytes, sha256: hash.digest('hex'), mixedStatistics: this.#mixed };
  }

  async #mergeSpills(output: string): Promise<WrittenSums> {
    const results = this.#spills;
    const index = await indexResults({ results, maxLineBytes: MAX_SPILL_LINE });
    if (index.results < results.length || index.rejected.length > 0) {
      const streamed = await mergeSortedResults({ results: results.map(({ path }) => path), output });
      return { ...streamed, sha256: await hashOfFile(output), mixedStatistics: 0 };
    }
    const lines = linesByKey([index]);
    const range = [0, lines.first.length - 1] as const;
    const work = { folder: this.#folder, maxTableBytes: this.#limits.maxTableBytes };
    const merged = await mergeResultRange({ ...{ results, lines, range, output }, ...work });
    const [rejected] = merged.rejected;
    if (rejected !== undefined) throw new Error(`A spill cannot be read: ${rejected.message}`);
    const mixedStatistics = merged.dropped['mixed_statistics'] ?? 0;
    return { lines: merged.lines, bytes: merged.bytes, sha256: await hashOfFile(output), mixedStatistics };
  }
}

/** Lines are cut far below this (docs/formats/results.md 4.1). */
const MAX_SPILL_LINE = 64 << 20;

let kernel: { readonly limits: string; readonly kernel: AggregateKernel } | undefined;

/** One for all tasks of a thread: to lay out its memory takes time. */
function kernelOfThread(limits: AggregateLimits): AggregateKernel {
  const { maxLineBytes, maxTableBytes, maxHistogramLength } = limits;
  const key = `${maxLineBytes} ${maxTableBytes} ${maxHistogramLength}`;
  if (kernel?.limits !== key) kernel = { limits: key, kernel: new AggregateKernel(limits) };
  kernel.kernel.clear();
  return kernel.kernel;
}
