/** Reads lines of many files into one memory, each file through a window of its own, since most lines lie behind each other. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ResultFile } from './result-index.ts';

/** Room for vectors behind a line. */
const PADDING = 64;
const ALL_WINDOWS = 8 << 20;
const MIN_WINDOW = 16 << 10;
const MAX_WINDOW = 128 << 10;
/** Files that are open at once. */
const MAX_OPEN = 128;
const LF = 0x0a;

export class LineWindows {
  readonly #results: readonly ResultFile[];
  readonly #windowBytes: number;
  readonly #end: number | null;
  /** Place of the windows in the memory. */
  #at = 0;
  /** Of each file: the part that is in its window. */
  readonly #from: Float64Array;
  readonly #bytes: Uint32Array;
  readonly #open = new Map<number, number>();
  /** Bytes of memory that the windows need. */
  readonly size: number;

  /** @param end byte put behind each line; null for what is no line */
  constructor(results: readonly ResultFile[], longestLine: number, end: number | null = LF) {
    this.#end = end;
    this.#results = results;
    const share = Math.floor(ALL_WINDOWS / Math.max(1, results.length));
    this.#windowBytes = Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, share));
    this.#from = new Float64Array(results.length);
    this.#bytes = new Uint32Array(results.length);
    // Behind the windows there is room for one line that does not fit.
    this.size = results.length * (this.#windowBytes + PADDING) + longestLine + PADDING;
  }

  /** @param at place of `size` bytes in the memory */
  place(at: number): void {
    this.#at = at;
  }

  /**
   * Brings a line to memory.
   * @param memory all of it; another one after each time that it has grown
   * @returns its place
   */
  bring(memory: Buffer, result: number, offset: number, length: number): number {
    const window = this.#at + result * (this.#windowBytes + PADDING);
    const from = this.#from[result] as number;
    let at = window + offset - from;
    if (offset < from || offset + length > from + (this.#bytes[result] as number)) {
      if (length > this.#windowBytes) {
        at = this.#at + this.#results.length * (this.#windowBytes + PADDING);
        this.#read(memory, result, at, offset, length, length);
      } else {
        at = window;
        this.#bytes[result] = this.#read(memory, result, at, offset, this.#windowBytes, length);
        this.#from[result] = offset;
      }
    }
    if (this.#end !== null) memory[at + length] = this.#end;
    return at;
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #read(memory: Buffer, result: number, at: number, offset: number, most: number, least: number): number {
    const file = this.#file(result);
    let bytes = 0;
    while (bytes < most) {
      const read = readSync(file, memory, at + bytes, most - bytes, offset + bytes);
      if (read === 0) break;
      bytes += read;
    }
    if (bytes < least) throw new Error(`${this.#results[result]?.path ?? ''} became shorter while it was merged`);
    return bytes;
  }

  #file(result: number): number {
    const known = this.#open.get(result);
    if (known !== undefined) return known;
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MAX_OPEN) {
      closeSync(oldest[1]);
      this.#open.delete(oldest[0]);
    }
    const file = openSync(this.#results[result]?.path ?? '', 'r');
    this.#open.set(result, file);
    return file;
  }
}
