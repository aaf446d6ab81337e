/**
 * Reads lines of many files into one memory, through windows, since most lines lie behind each other: each file has a window of
 * its own, or shares it when there are too many.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ResultFile } from './result-index.ts';

/** Room for vectors behind a line. */
const PADDING = 64;
const ALL_WINDOWS = 8 << 20;
const MIN_WINDOW = 16 << 10;
const MAX_WINDOW = 32 << 10;
const MOST_WINDOWS = ALL_WINDOWS / MIN_WINDOW;
/** Files that are open at once. */
const MAX_OPEN = 128;
const LF = 0x0a;

export class LineWindows {
  readonly #results: readonly ResultFile[];
  readonly #windowBytes: number;
  readonly #end: number | null;
  /** Place of the windows in the memory. */
  #at = 0;
  readonly #windows: number;
  /** Of each window: its file, and the part of it that is there. */
  readonly #of: Int32Array;
  readonly #from: Float64Array;
  readonly #bytes: Uint32Array;
  readonly #open = new Map<number, number>();
  /** Bytes of memory that the windows need. */
  readonly size: number;

  /** @param end byte put behind each line; null for what is no line */
  constructor(results: readonly ResultFile[], longestLine: number, end: number | null = LF) {
    this.#end = end;
    this.#results = results;
    this.#windows = Math.min(results.length, MOST_WINDOWS);
    const share = Math.floor(ALL_WINDOWS / Math.max(1, this.#windows));
    this.#windowBytes = Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, share));
    this.#of = new Int32Array(this.#windows).fill(-1);
    this.#from = new Float64Array(this.#windows);
    this.#bytes = new Uint32Array(this.#windows);
    // Behind the windows there is room for one line that does not fit.
    this.size = this.#windows * (this.#windowBytes + PADDING) + longestLine + PADDING;
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
    const number = result % this.#windows;
    const window = this.#at + number * (this.#windowBytes + PADDING);
    const from = this.#from[number] as number;
    let at = window + offset - from;
    const isThere = this.#of[number] === result && offset >= from;
    if (!isThere || offset + length > from + (this.#bytes[number] as number)) {
      if (length > this.#windowBytes) {
        at = this.#at + this.#windows * (this.#windowBytes + PADDING);
        this.#read(memory, result, at, offset, length, length);
      } else {
        at = window;
        this.#bytes[number] = this.#read(memory, result, at, offset, this.#windowBytes, length);
        this.#from[number] = offset;
        this.#of[number] = result;
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
