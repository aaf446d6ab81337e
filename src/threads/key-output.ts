/**
 * Writes the rows of one key after the other, as lines of a result or of a part. A key with more rows than memory takes is
 * spilled in sorted parts first.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowKernelName } from '../kernels/instantiate.ts';
import type { Output, RowKernel } from '../kernels/row-kernel.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import { type PartSlot, partLine } from '../pipeline/aggregates/part-line.ts';
import { ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import type { LineKey } from '../pipeline/aggregates/result-parser.ts';
import { readSpill } from './part-file.ts';
import { PlainTextFile } from './text-file.ts';

/** Takes what is written. */
export interface TextSink {
  readonly output: Output;
  /** Before the text of the first key of a channel/version; all text before it was handed on. */
  begin(channelVersion: string): Promise<void>;
  /** @param text a view, which may change once the promise is kept, or this returns without one */
  write(text: Buffer, lines: number, slots: number): Promise<void> | undefined;
}

/** Text that is handed on at once, when nothing else ends it before. */
const ENOUGH_TEXT = 256 << 10;

export class KeyOutput {
  readonly #kernel: RowKernel<RowKernelName>;
  readonly #sink: TextSink;
  readonly #spillPath: string;
  #handedOn: { lines: number; slots: number };

  /**
   * @param folder existing one, for temporary files
   * @param name of this output, among those that use the folder
   */
  constructor(kernel: RowKernel<RowKernelName>, sink: TextSink, folder: string, name: string) {
    this.#kernel = kernel;
    this.#sink = sink;
    this.#spillPath = join(folder, `spill-${name}-`);
    // What an output left that failed: the kernel is one for all jobs of a thread.
    kernel.takeOutput();
    this.#handedOn = { lines: kernel.lines, slots: kernel.slots };
  }

  /** @param spills files of the rows that came first */
  async write(key: LineKey, spills: readonly string[]): Promise<void> {
    const kernel = this.#kernel;
    if (spills.length > 0) {
      await this.#writeSpilled([...spills, await this.spill(key, spills.length)]);
      return;
    }
    kernel.sort(key, this.#sink.output);
    while (kernel.write(this.#sink.output)) await this.handOn();
    if (kernel.outputBytes >= ENOUGH_TEXT) await this.handOn();
  }

  async handOn(): Promise<void> {
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
  async spill(key: LineKey, number: number): Promise<string> {
    await this.handOn();
    const kernel = this.#kernel;
    const path = `${this.#spillPath}${number}`;
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
