/**
 * Sums of submissions that are written to disk whenever they have grown too large: as packed rows, one block for each
 * measure, which `fold-sums.ts` adds up in the order in which they were written.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AggregateKernel, type AggregateLimits, type SummedMeasure } from '../kernels/aggregate-kernel.ts';
import { BY_DATES } from '../pipeline/aggregates/slot.ts';
import { MEASURE_LIMITS, measuresOverLimit } from '../pipeline/submissions/measure-limit.ts';
import { keyAt, KeyList, type Keys, measuresOf } from './keys.ts';
import { type LinesByKey, linesByKey, type ResultFile, type ResultIndex } from './result-index.ts';

/** Packed rows in a file, and where those of each measure are: a line of the index for each of its keys, `channel/major/measure`. */
export interface PackedSums extends ResultFile {
  readonly index: ResultIndex;
  /** Of each key. */
  readonly submissions: Float64Array;
  /** Submission files that have each key: how many, and the numbers of the first and the last. */
  readonly files: Uint32Array;
  readonly firstFile: Uint32Array;
  readonly lastFile: Uint32Array;
}

/**
 * The measures of all sums, in order and without those over the limits.
 * @param sums in the order in which they are added
 */
export function linesOfSums(sums: readonly PackedSums[]): { readonly lines: LinesByKey; readonly leftOut: number } {
  const lines = linesByKey(sums.map(({ index }) => index));
  // So few are never over a limit, and most sums have no more.
  if (lines.keys.measure.length <= MEASURE_LIMITS.ofChannelVersion) return { lines, leftOut: 0 };
  const limited = limitMeasures(sums);
  return { lines: linesByKey(limited.sums.map(({ index }) => index)), leftOut: limited.leftOut };
}

/** Leaves out the measures over the limits; their rows stay in the files. */
function limitMeasures(sums: readonly PackedSums[]): { sums: readonly PackedSums[]; leftOut: number } {
  const over = measuresOverLimit(sums.map(({ index, ...counts }) => ({ keys: measuresOf(index.keys), ...counts })));
  return over.size === 0
    ? { sums, leftOut: 0 }
    : { sums: sums.map((packed) => withoutMeasures(packed, over)), leftOut: over.size };
}

function withoutMeasures(packed: PackedSums, leftOut: ReadonlySet<string>): PackedSums {
  const { index, submissions, files, firstFile, lastFile } = packed;
  const keys = measuresOf(index.keys);
  const kept = Array.from(index.key).filter((key) => !leftOut.has(keys[key] ?? ''));
  const of = <T>(column: ArrayLike<T>): T[] => kept.map((key) => column[key] as T);
  return {
    ...packed,
    submissions: Float64Array.from(of(submissions)),
    files: Uint32Array.from(of(files)),
    firstFile: Uint32Array.from(of(firstFile)),
    lastFile: Uint32Array.from(of(lastFile)),
    index: {
      ...index,
      keys: keysOf(kept.map((key) => keyAt(index.keys, key))),
      key: Uint32Array.from(kept, (_, number) => number),
      result: new Uint32Array(kept.length),
      offset: Float64Array.from(of(index.offset)),
      length: Uint32Array.from(of(index.length)),
    },
  };
}

/** Keys without a by-date. */
function keysOf(measures: readonly { readonly channelVersion: string; readonly measure: string }[]): Keys {
  const list = new KeyList();
  for (const { channelVersion, measure } of measures) list.add({ channelVersion, measure, byDate: BY_DATES[0] });
  return list.keys();
}

/** Names of measures that are in memory for all spills; more, and those over the limits are forgotten early. */
const MAX_NAMES = 400_000;

export class SpillingSums {
  readonly kernel: AggregateKernel;
  readonly #prefix: string;
  #spills: readonly PackedSums[] = [];
  #names = 0;
  #isDiscarded = false;
  /** Measures that were forgotten. */
  leftOut = 0;
  readonly #mixedBefore: number;

  /**
   * @param folder takes the spills
   * @param name of these sums, among those that use the folder
   */
  constructor(folder: string, name: string, limits: AggregateLimits) {
    this.#prefix = join(folder, `sums-${name}-`);
    this.kernel = kernelOfThread(limits);
    this.kernel.clear();
    this.#mixedBefore = this.kernel.mixedStatistics;
  }

  /** Statistics that only one side of an addition had. */
  get mixedStatistics(): number {
    return this.kernel.mixedStatistics - this.#mixedBefore;
  }

  /** Whether all sums are in memory. */
  get isWhole(): boolean {
    return this.#spills.length === 0;
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

  /** All sums as files, in the order in which they are added. */
  packed(): readonly PackedSums[] {
    this.#spill();
    return this.#spills;
  }

  /** Forgets these sums, and from now on whatever is added to them. */
  async discard(): Promise<void> {
    const spills = this.#spills;
    this.#spills = [];
    this.#isDiscarded = true;
    await Promise.all(spills.map(({ path }) => rm(path)));
  }

  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }

  #spill(): void {
    if (!this.#isDiscarded) {
      this.#write();
      return;
    }
    // What a file adds is counted as in sums that are kept.
    this.kernel.endFile();
    this.kernel.clear();
  }

  #write(): void {
    const id = String(this.#spills.length);
    const path = `${this.#prefix}${id}`;
    const { measures } = this.kernel;
    const counts = {
      submissions: Float64Array.from(measures, (measure) => measure.submissions),
      files: Uint32Array.from(measures, (measure) => measure.files),
      firstFile: Uint32Array.from(measures, (measure) => measure.firstFile),
      lastFile: Uint32Array.from(measures, (measure) => measure.lastFile),
    };
    const ends = this.#writeRows(path, measures);
    const offset = Float64Array.from(ends, (_, number) => (number === 0 ? 0 : (ends[number - 1] as number)));
    const length = Uint32Array.from(ends, (end, number) => end - (offset[number] as number));
    this.kernel.clear();
    const key = Uint32Array.from(measures, (_, number) => number);
    const index = {
      ...{ results: 1, keys: keysOf(measures), key, result: new Uint32Array(measures.length) },
      ...{ offset, length, rejected: [], bytes: ends.at(-1) ?? 0 },
    };
    this.#spills = [...this.#spills, { id, path, index, ...counts }];
    this.#names += measures.length;
    if (this.#names > MAX_NAMES) this.#forgetNames();
  }

  /** @returns behind which byte the rows of each measure end */
  #writeRows(path: string, measures: readonly SummedMeasure[]): Float64Array {
    const file = openSync(path, 'w');
    try {
      return this.kernel.gatherRows(measures, (rows) => {
        for (let from = 0; from < rows.length;) from += writeSync(file, rows, from);
      });
    } finally {
      closeSync(file);
    }
  }

  #forgetNames(): void {
    const { sums, leftOut } = limitMeasures(this.#spills);
    this.#spills = sums;
    this.leftOut += leftOut;
    this.#names = sums.reduce((names, { index }) => names + index.key.length, 0);
  }
}

let kernel: { readonly limits: AggregateLimits; readonly kernel: AggregateKernel } | undefined;

/** One for all tasks of a thread: to lay out its memory takes time. */
export function kernelOfThread(limits: AggregateLimits): AggregateKernel {
  const known = kernel?.limits;
  const isFit =
    known !== undefined &&
    known.maxLineBytes >= limits.maxLineBytes &&
    known.maxTableBytes === limits.maxTableBytes &&
    known.maxHistogramLength === limits.maxHistogramLength;
  if (kernel === undefined || !isFit) kernel = { limits, kernel: new AggregateKernel(limits) };
  return kernel.kernel;
}
