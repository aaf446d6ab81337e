/**
 * The kernel of the merge as the threads call it: lines of results in, sorted text out. The WebAssembly module
 * (`merge/index.ts`) reads what is written as this project and the original write it; what a text means that it has not
 * seen, and every line that is written otherwise, is read here, by the parser that results are defined by.
 */
import { randomInt } from 'node:crypto';
import { SIMPLE_MEASURE_PREFIX } from '../pipeline/aggregates/slot.ts';
import {
  type DropCounts,
  type LineKey,
  pathFault,
  type RestOfLine,
  ResultParser,
} from '../pipeline/aggregates/result-parser.ts';
import { MAX_PATH, MAX_REVISION, MAX_ROW } from '../pipeline/aggregates/row-limits.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { compareText } from '../pipeline/text-order.ts';
import { instantiate, type Kernel } from './instantiate.ts';
import { POWERS_OF_TEN } from './powers-of-ten.ts';

/** Faults of an aggregate by the numbers that `merge/read-lines.ts` gives them. */
const FAULTS = ['', 'bad_path', 'bad_date', 'bad_values', 'empty_aggregate', 'bad_number', 'clamped_sum'] as const;

/** `,"buildId":"20131028030201","revision":"http://…"}` in ASCII and without escapes. */
const PLAIN_END = new RegExp(
  `^,"buildId":"(0|[0-9]{8,14})","revision":"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{0,${MAX_REVISION}}"\\}$`,
);

/** How the output is written: a line of a result for each key, or a line of a part for each slot. */
export type Output = 'result' | 'part';

export class MergeKernel {
  readonly #kernel: Kernel;
  readonly #parser = new ResultParser();
  /** Paths and ends that are no plain ASCII, by number. */
  readonly #oddPaths = new Map<number, string>();
  readonly #oddEnds = new Map<number, { buildId: string; revision: string }>();
  readonly #dropped: DropCounts = {};
  /** Where lines go, and how many bytes of them fit. */
  readonly inputAt: number;
  #bytes: Buffer;
  #lineEnd = 0;

  constructor(inputBytes: number) {
    this.#kernel = instantiate({
      newPath: (at, length) => this.#newPath(at, length),
      newEnd: (at, length) => PLAIN_END.exec(this.#latin1(at, length))?.[1]?.length ?? 0,
      readRest: (at, where) => {
        this.#readRest(at, where);
      },
      numberAt: (at) => this.#readNumber(at),
      orderOfPaths: (a, b) => this.#comparePaths(a, b),
      orderOfEnds: (a, b) => this.#compareEnds(a, b),
      newKey: () => undefined,
    });
    if (this.#kernel.maxRow() !== MAX_ROW) throw new Error('src/kernels/merge was compiled with another longest row');
    this.inputAt = this.#kernel.setUp(inputBytes, randomInt(2 ** 32));
    this.#bytes = Buffer.from(this.#kernel.memory.buffer);
    this.#bytes.set(POWERS_OF_TEN, this.#kernel.powersAt());
  }

  /** All of the kernel's memory; made again whenever the memory has grown. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0 || this.#bytes.buffer !== this.#kernel.memory.buffer)
      this.#bytes = Buffer.from(this.#kernel.memory.buffer);
    return this.#bytes;
  }

  /** Begins an empty table, for lines of this key. */
  beginKey({ measure }: LineKey): void {
    this.#kernel.beginRows(measure.startsWith(SIMPLE_MEASURE_PREFIX) ? 1 : 0);
  }

  /**
   * Adds what is behind the TAB of a line.
   * @param at place in `bytes`; LF must be at `end`
   * @throws InvalidDataError `bad_json`: the result must be rejected, and the rows of this key are of no use
   */
  addLine(at: number, end: number): void {
    this.#lineEnd = end;
    this.#kernel.addLine(at, end);
  }

  /** Of the rows of the key. */
  get tableBytes(): number {
    return this.#kernel.tableBytes();
  }

  /** Whether so many texts are kept that the table should be written, and `forget` be called. */
  get hasManyTexts(): boolean {
    return this.#kernel.hasManyTexts() !== 0;
  }

  /** Sorts the rows, which are of this key; `write` comes next. */
  sort({ channelVersion, measure, byDate }: LineKey, output: Output): void {
    const text =
      output === 'result'
        ? `${channelVersion}/${measure}/${byDate}\t{`
        : `["${channelVersion}","${measure}","${byDate}",`;
    this.#kernel.beginWriting(this.bytes.write(text, this.#kernel.prefixAt()));
    this.#kernel.sortRows();
  }

  /**
   * Writes sorted rows.
   * @returns whether there are more, once `takeOutput` was called
   */
  write(output: Output): boolean {
    return (output === 'result' ? this.#kernel.writeLines() : this.#kernel.writeSlots()) !== 0;
  }

  get outputBytes(): number {
    return this.#kernel.outputBytes();
  }

  /** The text that was written and not taken yet: a view, good until the next call. */
  takeOutput(): Buffer {
    const at = this.#kernel.outputAt();
    const text = this.bytes.subarray(at, at + this.outputBytes);
    this.#kernel.taken();
    return text;
  }

  /** Forgets all texts; the table must be empty. */
  forget(): void {
    this.#kernel.forgetTexts();
    this.#oddPaths.clear();
    this.#oddEnds.clear();
  }

  /** Lines and slots that were written. */
  get lines(): number {
    return Number(this.#kernel.lineTotal());
  }
  get slots(): number {
    return Number(this.#kernel.slotTotal());
  }

  /** Aggregates left out of all lines that were added, by reason; and `mixed_statistics`. */
  get dropped(): DropCounts {
    const dropped = { ...this.#dropped };
    const at = this.#kernel.dropsAt();
    for (const [number, reason] of FAULTS.entries()) {
      const count = Number(this.bytes.readBigUInt64LE(at + 8 * number));
      if (count > 0) addCounts(dropped, { [reason]: count });
    }
    const mixed = Number(this.#kernel.mixedTotal());
    if (mixed > 0) dropped['mixed_statistics'] = mixed;
    return dropped;
  }

  #latin1(at: number, length: number): string {
    return this.bytes.toString('latin1', at, at + length);
  }

  #newPath(at: number, length: number): number {
    const raw = this.bytes.toString('utf8', at, at + length);
    const path = isPlain(raw) ? raw : decoded(raw);
    const fault = path.length > MAX_PATH ? 'bad_path' : pathFault(path);
    if (fault !== '') return -FAULTS.indexOf(fault);
    return path === raw && isPlain(path) ? 0 : this.#keepPath(path);
  }

  #keepPath(path: string): number {
    const text = JSON.stringify(path).slice(1, -1);
    const length = this.bytes.write(text, this.#kernel.scratchAt());
    const isOdd = !isPlain(text);
    const number = this.#kernel.keepPath(length, path.length, isOdd ? 1 : 0);
    if (isOdd) this.#oddPaths.set(number, path);
    return number;
  }

  #keepEnd(buildId: string, revision: string): number {
    const text = `,"buildId":"${buildId}","revision":${JSON.stringify(revision)}}`;
    const length = this.bytes.write(text, this.#kernel.scratchAt());
    const isOdd = !PLAIN_END.test(text);
    const number = this.#kernel.keepEnd(length, text.length, isOdd ? 1 : 0, buildId.length);
    if (isOdd) this.#oddEnds.set(number, { buildId, revision });
    return number;
  }

  #readRest(at: number, where: number): void {
    const parser = this.#parser;
    try {
      parser.parseRest(this.bytes, at, this.#lineEnd, REST[where] ?? 'object');
      parser.takeRows(({ path, values, buildId, revision }) => {
        const pathNumber = this.#keepPath(path);
        const end = this.#keepEnd(buildId, revision);
        const scratch = this.#kernel.scratchAt();
        const bytes = this.bytes;
        for (let index = 0; index < values.length; index += 1)
          bytes.writeDoubleLE(values[index] as number, scratch + 8 * index);
        this.#kernel.addNumbers(pathNumber, values.length, end);
      });
      addCounts(this.#dropped, parser.stagedDrops);
    } finally {
      parser.discard();
    }
  }

  #readNumber(at: number): number {
    const text = NUMBER.exec(this.#latin1(at, Math.min(MAX_NUMBER, this.#lineEnd - at)))?.[0] ?? '';
    this.#kernel.numberEndsAt(text === '' || text.length === MAX_NUMBER ? 0 : at + text.length);
    return text === '' ? 0 : Number(text);
  }

  #path(number: number): string {
    const odd = this.#oddPaths.get(number);
    return odd ?? this.#latin1(this.#kernel.pathTextAt(number), this.#kernel.pathTextLength(number));
  }

  #comparePaths(a: number, b: number): number {
    const [x, y] = [this.#path(a), this.#path(b)];
    return compareText(x.slice(9), y.slice(9)) || compareText(x.slice(0, 8), y.slice(0, 8));
  }

  #end(number: number): { readonly buildId: string; readonly revision: string } {
    const odd = this.#oddEnds.get(number);
    if (odd !== undefined) return odd;
    const text = this.#latin1(this.#kernel.endTextAt(number), this.#kernel.endTextLength(number));
    return JSON.parse(`{${text.slice(1)}`) as { buildId: string; revision: string };
  }

  #compareEnds(a: number, b: number): number {
    const [x, y] = [this.#end(a), this.#end(b)];
    return compareText(x.buildId, y.buildId) || compareText(x.revision, y.revision);
  }
}

const REST: readonly RestOfLine[] = ['object', 'after value', 'after object'];
/** Longer numbers are read with the rest of their line. */
const MAX_NUMBER = 1024;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/;

/** What JSON writes as it is, one byte a character. */
function isPlain(text: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text);
}

function decoded(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    throw new InvalidDataError('bad_json', 'Not JSON: a text has a bad escape');
  }
}
