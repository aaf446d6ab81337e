/**
 * The second pass of a merge: of one key after the other, reads the lines of all results, sums them, and writes the sums in
 * order. Memory holds the rows of one key, up to a limit; a key with more is spilled in sorted parts.
 */
import { MergeKernel } from '../kernels/merge-kernel.ts';
import type { DropCounts, LineKey } from '../pipeline/aggregates/result-parser.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { KeyOutput, type TextSink } from './key-output.ts';
import { LineWindows } from './line-windows.ts';
import type { KeyRange } from './key-ranges.ts';
import { keyAt } from './keys.ts';
import { type LinesByKey, rejection, type RejectedResult, type ResultFile } from './result-index.ts';

export interface MergeKeysInput {
  readonly results: readonly ResultFile[];
  readonly lines: LinesByKey;
  /** Existing folder for temporary files. */
  readonly folder: string;
  /** Of this merge, among those that use the folder at the same time. */
  readonly name?: string;
  /** Size of the rows of a key at which they are written out. */
  readonly maxTableBytes: number;
}

export interface MergeKeysResult {
  /** Results in which a fault was found: what was written is of no use. */
  readonly rejected: readonly RejectedResult[];
  readonly dropped: DropCounts;
}

/** @param ranges the next one is asked for once all text of the one before was handed on */
export async function mergeKeys(
  input: MergeKeysInput,
  ranges: Iterable<KeyRange>,
  sink: TextSink,
): Promise<MergeKeysResult> {
  const windows = new LineWindows(input.results, longest(input.lines.length));
  const kernel = takeKernel(windows.size);
  windows.place(kernel.inputAt);
  try {
    const merged = await new KeyMerge(input, sink, kernel, windows).run(ranges);
    keptKernel = kernel;
    return merged;
  } finally {
    windows.close();
  }
}

class KeyMerge {
  readonly #input: MergeKeysInput;
  readonly #sink: TextSink;
  readonly #kernel: MergeKernel;
  readonly #windows: LineWindows;
  readonly #faults = new Map<number, { readonly offset: number; readonly error: InvalidDataError }>();
  readonly #output: KeyOutput;

  constructor(input: MergeKeysInput, sink: TextSink, kernel: MergeKernel, windows: LineWindows) {
    this.#input = input;
    this.#sink = sink;
    this.#windows = windows;
    this.#kernel = kernel;
    this.#output = new KeyOutput(kernel, sink, input.folder, input.name ?? '');
  }

  async run(ranges: Iterable<KeyRange>): Promise<MergeKeysResult> {
    for (const range of ranges) {
      await this.#mergeRange(range);
      if (this.#faults.size === 0) await this.#output.handOn();
    }
    return { rejected: this.#rejected(), dropped: this.#kernel.dropped };
  }

  async #mergeRange([from, to]: KeyRange): Promise<void> {
    const { lines } = this.#input;
    let channelVersion = '';
    for (let number = from; number < to; number += 1) {
      const key = keyAt(lines.keys, number);
      if (key.channelVersion !== channelVersion) {
        channelVersion = key.channelVersion;
        await this.#output.handOn();
        await this.#sink.begin(channelVersion);
      }
      const spills = await this.#addKey(key, number);
      if (this.#faults.size === 0) await this.#output.write(key, spills);
    }
  }

  /** @returns files of the rows that came first, when there are too many */
  async #addKey(key: LineKey, number: number): Promise<string[]> {
    const { lines, maxTableBytes } = this.#input;
    const kernel = this.#kernel;
    const spills: string[] = [];
    // Two slashes and a TAB; a key is plain ASCII.
    const keyBytes = key.channelVersion.length + key.measure.length + key.byDate.length + 3;
    kernel.beginKey(key);
    if (kernel.hasManyTexts) kernel.forget();
    for (let line = lines.first[number] as number; line < (lines.first[number + 1] as number); line += 1) {
      this.#addLine(line, keyBytes);
      if (kernel.tableBytes <= maxTableBytes && !kernel.hasManyTexts) continue;
      if (this.#faults.size === 0) spills.push(await this.#output.spill(key, spills.length));
      kernel.beginKey(key);
      if (kernel.hasManyTexts) kernel.forget();
    }
    return spills;
  }

  #addLine(line: number, keyBytes: number): void {
    const { lines } = this.#input;
    const result = lines.result[line] as number;
    const offset = lines.offset[line] as number;
    const length = lines.length[line] as number;
    const at = this.#windows.bring(this.#kernel.bytes, result, offset, length);
    try {
      this.#kernel.addLine(at + keyBytes, at + length);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      // All other lines are read as well, so that every result with a fault is known at the end.
      const known = this.#faults.get(result);
      if (known === undefined || offset < known.offset) this.#faults.set(result, { offset, error });
    }
  }

  #rejected(): RejectedResult[] {
    return [...this.#faults]
      .toSorted(([a], [b]) => a - b)
      .map(([result, { error }]) => rejection(this.#input.results[result]?.id ?? '', error));
  }
}

function longest(lengths: Uint32Array): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

/** That of the thread's last merge, when it ended well: to lay out its memory takes time. */
let keptKernel: MergeKernel | undefined;

function takeKernel(inputBytes: number): MergeKernel {
  const kernel = keptKernel;
  keptKernel = undefined;
  if (kernel === undefined || kernel.inputBytes < inputBytes) return new MergeKernel(inputBytes);
  kernel.reset();
  return kernel;
}
