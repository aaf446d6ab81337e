/**
 * What the kernels of the merge and of the aggregation share: texts that are known by numbers, and rows that are written in
 * order (`merge/rows.ts`, `merge/write-rows.ts`).
 */
import type { LineKey } from '../pipeline/aggregates/result-parser.ts';
import { MAX_REVISION, MAX_ROW } from '../pipeline/aggregates/row-limits.ts';
import { compareText } from '../pipeline/text-order.ts';
import { type Host, instantiate, type RowKernelName, type Kernels } from './instantiate.ts';
import { POWERS_OF_TEN } from './powers-of-ten.ts';

/** `,"buildId":"20131028030201","revision":"http://…"}` in ASCII and without escapes. */
export const PLAIN_END = new RegExp(
  `^,"buildId":"(0|[0-9]{8,14})","revision":"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{0,${MAX_REVISION}}"\\}$`,
);

/** How the output is written: a line of a result for each key, or a line of a part for each slot. */
export type Output = 'result' | 'part';

export abstract class RowKernel<Name extends RowKernelName> {
  protected readonly kernel: Kernels[Name];
  /** Paths and ends that are no plain ASCII, by number. */
  protected readonly oddPaths = new Map<number, string>();
  protected readonly oddEnds = new Map<number, { buildId: string; revision: string }>();
  /** Where the line that is read ends. */
  protected lineEnd = 0;
  #bytes: Buffer = Buffer.alloc(0);

  protected constructor(name: Name, host: Partial<Host>) {
    this.kernel = instantiate(name, {
      numberAt: (at) => this.readNumber(at),
      orderOfPaths: (a, b) => this.#comparePaths(a, b),
      orderOfEnds: (a, b) => this.#compareEnds(a, b),
      ...host,
    });
    if (this.kernel.maxRow() !== MAX_ROW) throw new Error(`src/kernels/${name} was compiled with another longest row`);
  }

  /** Once the memory is laid out. */
  protected fillTables(): void {
    this.bytes.set(POWERS_OF_TEN, this.kernel.powersAt());
  }

  /** All of the kernel's memory; made again whenever the memory has grown. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0 || this.#bytes.buffer !== this.kernel.memory.buffer)
      this.#bytes = Buffer.from(this.kernel.memory.buffer);
    return this.#bytes;
  }

  /** Sorts the rows, which are of this key; `write` comes next. */
  sort({ channelVersion, measure, byDate }: LineKey, output: Output): void {
    const text =
      output === 'result'
        ? `${channelVersion}/${measure}/${byDate}\t{`
        : `["${channelVersion}","${measure}","${byDate}",`;
    this.kernel.beginWriting(this.bytes.write(text, this.kernel.prefixAt()));
    this.kernel.sortRows();
  }

  /**
   * Writes sorted rows.
   * @returns whether there are more, once `takeOutput` was called
   */
  write(output: Output): boolean {
    return (output === 'result' ? this.kernel.writeLines() : this.kernel.writeSlots()) !== 0;
  }

  get outputBytes(): number {
    return this.kernel.outputBytes();
  }

  /** The text that was written and not taken yet: a view, good until the next call. */
  takeOutput(): Buffer {
    const at = this.kernel.outputAt();
    const text = this.bytes.subarray(at, at + this.outputBytes);
    this.kernel.taken();
    return text;
  }

  /** Of the rows of the key. */
  get tableBytes(): number {
    return this.kernel.tableBytes();
  }

  /** Whether so many texts are kept that the table should be written, and `forget` be called. */
  get hasManyTexts(): boolean {
    return this.kernel.hasManyTexts() !== 0;
  }

  /** Forgets all texts; the table must be empty. */
  forget(): void {
    this.kernel.forgetTexts();
    this.oddPaths.clear();
    this.oddEnds.clear();
  }

  /** Lines and slots that were written. */
  get lines(): number {
    return Number(this.kernel.lineTotal());
  }
  get slots(): number {
    return Number(this.kernel.slotTotal());
  }

  /** @returns its number */
  keepPath(path: string): number {
    const text = JSON.stringify(path).slice(1, -1);
    const length = this.bytes.write(text, this.kernel.scratchAt());
    const isOdd = !isPlain(text);
    const number = this.kernel.keepPath(length, path.length, isOdd ? 1 : 0);
    if (isOdd) this.oddPaths.set(number, path);
    return number;
  }

  /** @returns its number */
  keepEnd(buildId: string, revision: string): number {
    const text = `,"buildId":"${buildId}","revision":${JSON.stringify(revision)}}`;
    const length = this.bytes.write(text, this.kernel.scratchAt());
    const isOdd = !PLAIN_END.test(text);
    const number = this.kernel.keepEnd(length, text.length, isOdd ? 1 : 0, buildId.length);
    if (isOdd) this.oddEnds.set(number, { buildId, revision });
    return number;
  }

  protected latin1(at: number, length: number): string {
    return this.bytes.toString('latin1', at, at + length);
  }

  protected readNumber(at: number): number {
    const text = NUMBER.exec(this.latin1(at, Math.min(MAX_NUMBER, this.lineEnd - at)))?.[0] ?? '';
    this.kernel.numberEndsAt(text === '' || text.length === MAX_NUMBER ? 0 : at + text.length);
    return text === '' ? 0 : Number(text);
  }

  #path(number: number): string {
    const known = this.oddPaths.get(number);
    if (known !== undefined) return known;
    const at = this.kernel.pathTextAt(number);
    const end = at + this.kernel.pathTextLength(number);
    const text = this.bytes.toString('utf8', at, end);
    if (isPlain(text)) return text;
    const path = JSON.parse(`"${text}"`) as string;
    this.oddPaths.set(number, path);
    return path;
  }

  #comparePaths(a: number, b: number): number {
    const [x, y] = [this.#path(a), this.#path(b)];
    return compareText(x.slice(9), y.slice(9)) || compareText(x.slice(0, 8), y.slice(0, 8));
  }

  protected endOf(number: number): { readonly buildId: string; readonly revision: string } {
    const odd = this.oddEnds.get(number);
    if (odd !== undefined) return odd;
    const text = this.latin1(this.kernel.endTextAt(number), this.kernel.endTextLength(number));
    return JSON.parse(`{${text.slice(1)}`) as { buildId: string; revision: string };
  }

  #compareEnds(a: number, b: number): number {
    const [x, y] = [this.endOf(a), this.endOf(b)];
    return compareText(x.buildId, y.buildId) || compareText(x.revision, y.revision);
  }
}

/** Longer numbers are read with the rest of their line. */
const MAX_NUMBER = 1024;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/;

/** What JSON writes as it is, one byte a character. */
export function isPlain(text: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text);
}
