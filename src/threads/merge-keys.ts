/**
 * The second pass of a merge: of one key after the other, reads the lines of all results, sums them, and writes the sums in
 * order. Memory holds the rows of one key, up to a limit; a key with more is spilled in sorted parts.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MergeKernel } from '../kernels/merge-kernel.ts';
import type { Output } from '../kernels/row-kernel.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import { type PartSlot, partLine } from '../pipeline/aggregates/part-line.ts';
import { ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import type { DropCounts, LineKey } from '../pipeline/aggregates/result-parser.ts';
import type { ByDate } from '../pipeline/aggregates/slot.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { LineWindows } from './line-windows.ts';
import { readSpill } from './part-file.ts';
import { type LinesByKey, rejection, type RejectedResult, type ResultFile } from './result-index.ts';
import { PlainTextFile } from './text-file.ts';

export interface MergeKeysInput {
  readonly results: readonly ResultFile[];
  readonly lines: LinesByKey;
  /** The keys to merge: from the first number up to the second, without it. */
  readonly range: readonly [number, number];
  /** Existing folder for temporary files. */
  readonly folder: string;
  /** Size of the rows of a key at which they are written out. */
  readonly maxTableBytes: number;
}

/** Takes what is written. */
export interface TextSink {
  readonly output: Output;
  /** Before the text of the first key of a channel/version; all text before it was handed on. */
  begin(channelVersion: string): Promise<void>;
  /** @param text a view, which may change once the promise is kept, or this returns without one */
  write(text: Buffer, lines: number, slots: number): Promise<void> | undefined;
}

export interface MergeKeysResult {
  /** Results in which a fault was found: what was written is of no use. */
  readonly rejected: readonly RejectedResult[];
  readonly dropped: DropCounts;
}

/** Text that is handed on at once, when nothing else ends it before. */
const ENOUGH_TEXT = 256 << 10;

export async function mergeKeys(input: MergeKeysInput, sink: TextSink): Promise<MergeKeysResult> {
  const merge = new KeyMerge(input, sink);
  try {
    return await merge.run();
  } finally {
    merge.close();
  }
}

class KeyMerge {
  readonly #input: MergeKeysInput;
  readonly #sink: TextSink;
  readonly #kernel: MergeKernel;
  readonly #windows: LineWindows;
  readonly #faults = new Map<number, { readonly offset: number; readonly error: InvalidDataError }>();
  #handedOn = { lines: 0, slots: 0 };

  constructor(input: MergeKeysInput, sink: TextSink) {
    this.#input = input;
    this.#sink = sink;
    this.#windows = new LineWindows(input.results, longest(input.lines.length));
    this.#kernel = new MergeKernel(this.#windows.size);
    this.#windows.place(this.#kernel.inputAt);
  }

  close(): void {
    this.#windows.close();
  }

  async run(): Promise<MergeKeysResult> {
    const { lines, range } = this.#input;
    const keys = lines.keys.split('\n');
    let channelVersion = '';
    for (let number = range[0]; number < range[1]; number += 1) {
      const text = keys[number] ?? '';
      const key = keyOf(text);
      if (key.channelVersion !== channelVersion) {
        channelVersion = key.channelVersion;
        await this.#handOn();
        await this.#sink.begin(channelVersion);
      }
      const spills = await this.#addKey(key, text.length + 1, number);
      if (this.#faults.size === 0) await this.#writeKey(key, spills);
    }
    if (this.#faults.size === 0) await this.#handOn();
    return { rejected: this.#rejected(), dropped: this.#kernel.dropped };
  }

  /** @returns files of the rows that came first, when there are too many */
  async #addKey(key: LineKey, keyBytes: number, number: number): Promise<string[]> {
    const { lines, maxTableBytes } = this.#input;
    const kernel = this.#kernel;
    const spills: string[] = [];
    kernel.beginKey(key);
    if (kernel.hasManyTexts) kernel.forget();
    for (let line = lines.first[number] as number; line < (lines.first[number + 1] as number); line += 1) {
      this.#addLine(line, keyBytes);
      if (kernel.tableBytes <= maxTableBytes && !kernel.hasManyTexts) continue;
      if (this.#faults.size === 0) spills.push(await this.#spill(key, spills.length));
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

  async #writeKey(key: LineKey, spills: readonly string[]): Promise<void> {
    const kernel = this.#kernel;
    if (spills.length > 0) {
      await this.#writeSpilled([...spills, await this.#spill(key, spills.length)]);
      return;
    }
    kernel.sort(key, this.#sink.output);
    while (kernel.write(this.#sink.output)) await this.#handOn();
    if (kernel.outputBytes >= ENOUGH_TEXT) await this.#handOn();
  }

  async #handOn(): Promise<void> {
    const { lines, slots } = this.#kernel;
    const writing = this.#sink.write(
      this.#kernel.takeOutput(),
      lines - this.#handedOn.lines,
      slots - this.#handedOn.slots,
    );
    this.#handedOn = { lines, slots };
    if (writing !== undefined) await writing;
  }

  /** Writes the rows to a file, sorted. */
  async #spill(key: LineKey, number: number): Promise<string> {
    await this.#handOn();
    const kernel = this.#kernel;
    const path = join(this.#input.folder, `spill-${this.#input.range[0]}-${number}`);
    const file = new PlainTextFile(path);
    kernel.sort(key, 'part');
    for (let isMore = true; isMore;) {
      isMore = kernel.write('part');
      file.write(kernel.takeOutput());
    }
    file.close();
    this.#handedOn = { lines: kernel.lines, slots: kernel.slots };
    return path;
  }

  async #writeSpilled(spills: readonly string[]): Promise<void> {
    const slots = mergeParts(spills.map(readSpill));
    const texts = this.#sink.output === 'part' ? partTexts(slots) : resultTexts(slots);
    for await (const text of texts) await this.#sink.write(Buffer.from(text), 1, 1);
    await Promise.all(spills.map((spill) => rm(spill)));
  }

  #rejected(): RejectedResult[] {
    return [...this.#faults]
      .toSorted(([a], [b]) => a - b)
      .map(([result, { error }]) => rejection(this.#input.results[result]?.id ?? '', error));
  }
}

/** Of a key that the index has checked. */
function keyOf(text: string): LineKey {
  const [channel = '', major = '', measure = '', byDate = ''] = text.split('/');
  return { channelVersion: `${channel}/${major}`, measure, byDate: byDate as ByDate };
}

function longest(lengths: Uint32Array): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

async function* partTexts(slots: AsyncIterable<PartSlot>): AsyncGenerator<string> {
  for await (const { channelVersion, slot } of slots) yield `${partLine(channelVersion, slot)}\n`;
}

async function* resultTexts(slots: AsyncIterable<PartSlot>): AsyncGenerator<string> {
  const writer = new ResultLineWriter();
  for await (const { channelVersion, slot } of slots) {
    const line = writer.add(channelVersion, slot);
    if (line !== undefined) yield `${line}\n`;
  }
  const last = writer.end();
  if (last !== undefined) yield `${last}\n`;
}
