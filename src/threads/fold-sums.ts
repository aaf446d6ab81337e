/**
 * File job: packed sums → the sorted lines of a result, for some of their measures. Of one measure after the other, reads the
 * rows of all files and folds them into those of both by-dates.
 */
import type { AggregateKernel, AggregateLimits } from '../kernels/aggregate-kernel.ts';
import type { LineKey } from '../pipeline/aggregates/result-parser.ts';
import { BY_DATES } from '../pipeline/aggregates/slot.ts';
import { KeyOutput } from './key-output.ts';
import { LineWindows } from './line-windows.ts';
import { type KeyRanges, partsOf } from './key-ranges.ts';
import { keyAt } from './keys.ts';
import type { LinesByKey, ResultFile } from './result-index.ts';
import { type SharedFile, SharedFileWriter } from './shared-file.ts';
import { kernelOfThread } from './spilling-sums.ts';

export interface FoldSumsInput {
  /** The measures, and where the rows of each are. */
  readonly lines: LinesByKey;
  readonly ranges: KeyRanges;
  /** Files of packed sums, in the order in which they are added. */
  readonly files: readonly ResultFile[];
  /** Existing folder for temporary files. */
  readonly folder: string;
  /** Of this fold, among those that use the folder at the same time. */
  readonly name?: string;
  /** Takes the lines, those of each range as a part. */
  readonly output: SharedFile;
  readonly limits: AggregateLimits;
}

export interface FoldSumsResult {
  readonly lines: number;
  readonly bytes: number;
  /** Statistics that only one side of an addition had. */
  readonly mixedStatistics: number;
}

export async function foldSums(input: FoldSumsInput): Promise<FoldSumsResult> {
  const fold = new SumsFold(input);
  try {
    return await fold.run();
  } finally {
    fold.close();
  }
}

/** Longer than any packed row. */
const PIECE_BYTES = 128 << 10;

class SumsFold {
  readonly #input: FoldSumsInput;
  readonly #windows: LineWindows;
  readonly #kernel: AggregateKernel;
  readonly #file: SharedFileWriter;
  readonly #output: KeyOutput;
  #lines = 0;

  constructor(input: FoldSumsInput) {
    const { files, limits, folder, name = '', output } = input;
    this.#input = input;
    this.#windows = new LineWindows(files, PIECE_BYTES, null);
    this.#kernel = kernelOfThread({ ...limits, maxLineBytes: Math.max(limits.maxLineBytes, this.#windows.size) });
    this.#kernel.clear();
    this.#windows.place(this.#kernel.inputAt);
    this.#file = new SharedFileWriter(output);
    const sink = {
      output: 'result' as const,
      begin: async (): Promise<void> => undefined,
      write: (text: Buffer, lines: number): undefined => {
        this.#lines += lines;
        this.#file.write(text);
      },
    };
    this.#output = new KeyOutput(this.#kernel, sink, folder, name);
  }

  close(): void {
    this.#windows.close();
    this.#file.close();
    this.#kernel.clear();
  }

  async run(): Promise<FoldSumsResult> {
    const { lines, ranges } = this.#input;
    const before = this.#kernel.mixedStatistics;
    for (const [from, to] of partsOf(this.#file, ranges)) {
      for (let number = from; number < to; number += 1) {
        const measure = keyAt(lines.keys, number);
        for (const byDate of BY_DATES) {
          const key = { ...measure, byDate };
          await this.#output.write(key, await this.#addBlocks(key, number));
        }
      }
      await this.#output.handOn();
    }
    this.#file.finish();
    return {
      lines: this.#lines,
      bytes: this.#file.bytes,
      mixedStatistics: this.#kernel.mixedStatistics - before,
    };
  }

  /** @returns files of the rows that came first, when there are too many */
  async #addBlocks(key: LineKey, number: number): Promise<string[]> {
    const { lines, limits } = this.#input;
    const kernel = this.#kernel;
    const spills: string[] = [];
    this.#begin(key);
    for (let block = lines.first[number] as number; block < (lines.first[number + 1] as number); block += 1) {
      const length = lines.length[block] as number;
      kernel.beginBlock();
      for (let done = 0; done < length;) {
        done += this.#addPiece(key, block, done);
        if (kernel.tableBytes <= limits.maxTableBytes && !kernel.hasManyTexts) continue;
        spills.push(await this.#output.spill(key, spills.length));
        this.#begin(key);
      }
    }
    return spills;
  }

  #begin({ measure }: LineKey): void {
    if (this.#kernel.hasManyTexts) this.#kernel.forget();
    this.#kernel.beginKey(measure);
  }

  /** @returns bytes that were added */
  #addPiece({ byDate }: LineKey, block: number, from: number): number {
    const { lines } = this.#input;
    const bytes = Math.min(PIECE_BYTES, (lines.length[block] as number) - from);
    const offset = (lines.offset[block] as number) + from;
    const at = this.#windows.bring(this.#kernel.bytes, lines.result[block] as number, offset, bytes);
    return this.#kernel.addPacked(at, bytes, byDate);
  }
}
