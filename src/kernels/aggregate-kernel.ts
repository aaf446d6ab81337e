/**
 * The kernel of the aggregation as the threads call it: submissions in, the sorted lines of a result out. The WebAssembly
 * module (`aggregate/index.ts`) reads submissions as browsers write them and sums; one that is written in another way is read
 * by `SubmissionReader`, which hands over what it read.
 */
import { randomInt } from 'node:crypto';
import {
  BY_DATES,
  type ByDate,
  SIMPLE_MEASURE_BUILD_ID,
  SIMPLE_MEASURE_PREFIX,
  SIMPLE_MEASURE_REVISION,
} from '../pipeline/aggregates/slot.ts';
import { isMeasureName } from '../pipeline/safe-segment.ts';
import { isSimpleMeasure, SIMPLE_MEASURE_BOUNDS } from '../pipeline/submissions/simple-measures.ts';
import {
  type BadHistograms,
  type BadSimple,
  READ_NAMES,
  type ReadName,
  type SubmissionSource,
  type SubmissionSums,
} from '../pipeline/submissions/sums.ts';
import { compareText } from '../pipeline/text-order.ts';
import { isPlain, RowKernel } from './row-kernel.ts';

/** Flags of a name, as `aggregate/names.ts` knows them. */
const MEASURE = 1;
const SIMPLE = 2;
const LF = 0x0a;
/** Behind a line, since it is read by vectors. */
const PADDING = 64;
/** Bytes of a date in memory. */
const DATE_BYTES = 8;
/** Limits of which the kernel's memory takes a multiple: 32 bits are enough for these. */
const MOST_LINE_BYTES = 64 << 20;
const MOST_TABLE_BYTES = 512 << 20;
const NO_DATE = '00000000';
/** That of no submission. */
const NO_PATH = { text: '', number: 0 };
const NOTHING_BAD: BadHistograms = { names: 0, measures: [] };
/** Packed rows that are handed over at once. */
const ENOUGH_ROWS = 1 << 20;

export interface AggregateLimits {
  readonly maxLineBytes: number;
  /** Size of the sums in memory at which `isFull`. */
  readonly maxTableBytes: number;
  /** Longest histogram that is taken. */
  readonly maxHistogramLength: number;
}

/** A measure that has sums. */
export interface SummedMeasure {
  readonly number: number;
  readonly measure: string;
  readonly channelVersion: string;
  /** In its sums. */
  readonly submissions: number;
  /** How many files its sums are of, and the numbers of the first and the last of these. */
  readonly files: number;
  readonly firstFile: number;
  readonly lastFile: number;
}

/** Numbers that the kernel knows texts by, until it is cleared. */
interface Numbers {
  readonly channelVersions: string[];
  readonly sources: Map<string, number>;
  readonly paths: Map<string, number>;
  readonly ends: Map<string, number>;
  /** By channel/version. */
  readonly measures: Map<string, { readonly channelVersion: number; readonly numbers: Map<string, number> }>;
}

export class AggregateKernel extends RowKernel<'aggregate'> implements SubmissionSums {
  readonly #maxTableBytes: number;
  readonly #inputAt: number;
  readonly #roomForRows: number;
  #numbers = noNumbers();
  #channelVersion = 0;
  #source = 0;
  #measures = new Map<string, number>();
  #lastPath = NO_PATH;
  /** 0 when it is not known. */
  #simpleEnd = 0;
  /** Those of the submission that are no measure's, which the kernel is not told: by name, the names of members in its object. */
  readonly #badSimpleNames = new Map<string, Set<string | undefined>>();

  constructor({ maxLineBytes, maxTableBytes, maxHistogramLength }: AggregateLimits) {
    super('aggregate', {
      newName: (at, length) => flagsOf(this.latin1(at, length)),
      keptEnd: (at, length) => this.#keptEnd(at, length),
      // The function itself, since V8 then calls its own.
      logOf: Math.log,
    });
    if (maxLineBytes > MOST_LINE_BYTES || maxTableBytes > MOST_TABLE_BYTES)
      throw new Error(`Lines of ${maxLineBytes} bytes and sums of ${maxTableBytes} do not fit the memory of a kernel`);
    this.#maxTableBytes = maxTableBytes;
    this.#inputAt = this.kernel.setUp(maxLineBytes + PADDING, maxTableBytes, maxHistogramLength, randomInt(2 ** 32));
    this.#roomForRows = Math.min(ENOUGH_ROWS, maxLineBytes);
    this.fillTables();
    const scratch = this.kernel.scratchAt();
    new Float64Array(this.bytes.buffer, scratch).set(SIMPLE_MEASURE_BOUNDS);
    this.kernel.setBounds(scratch, SIMPLE_MEASURE_BOUNDS.length);
  }

  /**
   * Copies a line to the kernel's memory.
   * @returns where it is in `bytes`
   */
  hold(bytes: Uint8Array, start: number, end: number): number {
    this.bytes.set(bytes.subarray(start, end), this.#inputAt);
    this.lineEnd = this.#inputAt + end - start;
    this.bytes[this.lineEnd] = LF;
    return this.#inputAt;
  }

  /** What is added from now on is of this file: a number that no other file has whose sums are put together with these. */
  beginFile(number: number): void {
    this.kernel.beginFile(number);
  }

  /** About how many bytes of a result the sums of the file are that have left the table, where a row of zeros has two for each. */
  get bytesOfFile(): number {
    return this.kernel.bytesOfFile();
  }

  /** Empties the table, so that all sums of the file are in `bytesOfFile`. */
  endFile(): void {
    this.kernel.packSums();
  }

  openSource({ channelVersion, buildDate, submissionDate }: SubmissionSource): void {
    this.kernel.packSums();
    const { channelVersions, sources, measures } = this.#numbers;
    let known = measures.get(channelVersion);
    if (known === undefined) {
      known = { channelVersion: channelVersions.push(channelVersion) - 1, numbers: new Map() };
      measures.set(channelVersion, known);
    }
    this.#channelVersion = known.channelVersion;
    this.#measures = known.numbers;
    const text = `${buildDate}${submissionDate ?? NO_DATE}`;
    const key = `${channelVersion} ${text}`;
    let source = sources.get(key);
    if (source === undefined) {
      const scratch = this.kernel.scratchAt();
      this.bytes.write(text, scratch, 2 * DATE_BYTES, 'latin1');
      source = this.kernel.newSource(this.#channelVersion, scratch, submissionDate === undefined ? 0 : 1);
      sources.set(key, source);
    }
    this.#source = source;
  }

  /** Of a line that is held. */
  readSubmission(bytes: Uint8Array, at: number): number {
    this.#badSimpleNames.clear();
    return bytes === this.bytes ? this.kernel.readSubmission(at, this.#channelVersion) : 0;
  }

  /** Of a line that is held. */
  readInfo(bytes: Uint8Array, at: number): number {
    return bytes === this.bytes ? this.kernel.readInfo(at) : 0;
  }

  valueAt(name: ReadName): number | undefined {
    const at = this.bytes.readUInt32LE(this.kernel.valuesAt() + 4 * READ_NAMES.indexOf(name));
    return at === 0 ? undefined : at;
  }

  beginHistograms(): void {
    this.kernel.beginNoting();
  }

  /** Of a line that is held. */
  readHistograms(bytes: Uint8Array, at: number): number {
    return bytes === this.bytes ? this.kernel.readHistograms(at, this.#channelVersion) : 0;
  }

  noteHistogram(name: string, numbers: Float64Array, length: number): void {
    const number = isMeasureName(name) ? this.#measureNumber(name) : 0;
    const scratch = this.kernel.scratchAt();
    new Float64Array(this.bytes.buffer, scratch, length).set(numbers.subarray(0, length));
    this.kernel.noteHistogram(number, scratch, length);
  }

  addHistograms(path: string, buildId: string, revision: string): BadHistograms {
    const kernel = this.kernel;
    kernel.addHistograms(this.#pathNumber(path), this.#source, this.#endNumber(buildId, revision));
    const names = kernel.badNameCount();
    const bad = kernel.badHistogramCount();
    if (names === 0 && bad === 0) return NOTHING_BAD;
    const list = new Uint32Array(this.bytes.buffer, kernel.badListAt(), bad);
    return { names, measures: Array.from(list, (number) => this.#name(number)) };
  }

  beginSimple(): void {
    this.kernel.beginSimple();
    this.#badSimpleNames.clear();
  }

  /** Of a line that is held. */
  readSimple(bytes: Uint8Array, at: number): number {
    return bytes === this.bytes ? this.kernel.readSimple(at) : 0;
  }

  noteSimple(name: string, sub: string | undefined, value: number): void {
    if (!isSimpleMeasure(name, sub)) {
      const subs = this.#badSimpleNames.get(name) ?? new Set();
      this.#badSimpleNames.set(name, subs.add(sub));
      return;
    }
    const scratch = this.kernel.scratchAt();
    const length = this.bytes.write(sub === undefined ? name : `${name}\n${sub}`, scratch, 'latin1');
    if (this.kernel.noteSimple(scratch, length, value) === 0)
      throw new Error('The kernel has no room for a simple measurement');
  }

  addSimple(path: string): BadSimple {
    const kernel = this.kernel;
    this.#simpleEnd ||= this.keepEnd(SIMPLE_MEASURE_BUILD_ID, SIMPLE_MEASURE_REVISION);
    kernel.addSimple(this.#pathNumber(path), this.#source, this.#simpleEnd, this.#channelVersion);
    let names = kernel.badSimpleNameCount();
    for (const subs of this.#badSimpleNames.values()) names += subs.size;
    return {
      names,
      values: kernel.badSimpleValueCount(),
      negative: kernel.negativeSimpleCount(),
      collisions: kernel.collisionCount(),
    };
  }

  /** Whether the sums should be written now, between two submissions, and `clear` be called. */
  get isFull(): boolean {
    return this.kernel.isFull(this.#maxTableBytes) !== 0;
  }

  /** Statistics that only one side of an addition had. */
  get mixedStatistics(): number {
    return Number(this.kernel.mixedTotal());
  }

  /** All measures that have sums, in slot order. */
  get measures(): SummedMeasure[] {
    this.kernel.packSums();
    const names = Array.from({ length: this.kernel.names() }, (_, index) => index + 1)
      .filter((number) => this.kernel.hasRows(number) !== 0)
      .map((number) => ({
        number,
        measure: this.#name(number),
        channelVersion: this.#channelVersionOf(number),
        submissions: this.kernel.nameSubmissions(number),
        files: this.kernel.nameFiles(number),
        firstFile: this.kernel.nameFirstFile(number),
        lastFile: this.kernel.nameLastFile(number),
      }));
    return names.sort((a, b) => compareText(a.channelVersion, b.channelVersion) || compareText(a.measure, b.measure));
  }

  /**
   * Hands over the packed rows of measures, those of one behind those of the other. No line may be held.
   * @param write gets a view that is good until it returns
   * @returns behind which byte the rows of each end
   */
  gatherRows(measures: readonly SummedMeasure[], write: (rows: Buffer) => void): Float64Array {
    const start = this.#inputAt;
    const end = start + this.#roomForRows;
    const ends = new Float64Array(measures.length);
    let before = 0;
    let at = start;
    for (let index = 0; index < measures.length; index += 1) {
      this.kernel.beginCopy(measures[index]?.number ?? 0);
      while ((at = this.kernel.copyRows(at, end)) === end) {
        write(this.bytes.subarray(start, end));
        before += end - start;
        at = start;
      }
      ends[index] = before + at - start;
    }
    write(this.bytes.subarray(start, at));
    return ends;
  }

  /** Begins an empty table for the packed rows of a measure. */
  beginKey(measure: string): void {
    this.kernel.beginFold(measure.startsWith(SIMPLE_MEASURE_PREFIX) ? 1 : 0);
  }

  /** Before the first packed rows of a block. */
  beginBlock(): void {
    this.kernel.beginBlock();
  }

  /**
   * Adds packed rows, as many as are whole.
   * @returns their bytes
   */
  addPacked(at: number, bytes: number, byDate: ByDate): number {
    return this.kernel.addPacked(at, at + bytes, BY_DATES.indexOf(byDate)) - at;
  }

  /** Forgets all texts, between two packed rows; the table must be empty. */
  override forget(): void {
    const number = this.kernel.endInBlock();
    const end = number === 0 ? undefined : this.endOf(number);
    super.forget();
    this.#simpleEnd = 0;
    this.kernel.goOnWithEnd(end === undefined ? 0 : this.keepEnd(end.buildId, end.revision));
  }

  /** Where lines and packed rows go. */
  get inputAt(): number {
    return this.#inputAt;
  }

  /** Forgets all sums; a source must be opened next. */
  clear(): void {
    this.kernel.clear();
    this.#numbers = noNumbers();
    this.#lastPath = NO_PATH;
    this.#simpleEnd = 0;
    this.oddPaths.clear();
    this.oddEnds.clear();
  }

  /** Of packed rows, which this project wrote. */
  #keptEnd(at: number, length: number): number {
    const text = this.bytes.toString('utf8', at + 1, at + length);
    const { buildId, revision } = JSON.parse(`{${text}`) as { buildId: string; revision: string };
    return this.keepEnd(buildId, revision);
  }

  #name(number: number): string {
    return this.latin1(this.kernel.nameAt(number), this.kernel.nameLength(number));
  }

  #channelVersionOf(name: number): string {
    return this.#numbers.channelVersions[this.kernel.nameChannelVersion(name)] ?? '';
  }

  #measureNumber(measure: string): number {
    let number = this.#measures.get(measure);
    if (number === undefined) {
      const scratch = this.kernel.scratchAt();
      const length = this.bytes.write(measure, scratch, 'latin1');
      number = this.kernel.keepName(scratch, length, this.#channelVersion);
      this.#measures.set(measure, number);
    }
    return number;
  }

  #pathNumber(path: string): number {
    if (path === this.#lastPath.text) return this.#lastPath.number;
    let number = this.#numbers.paths.get(path);
    if (number === undefined) {
      const text = JSON.stringify(path).slice(1, -1);
      const scratch = this.kernel.scratchAt();
      const length = this.bytes.write(text, scratch);
      number = this.kernel.keepFilterPath(scratch, length, path.length, isPlain(text) ? 0 : 1);
      this.#numbers.paths.set(path, number);
    }
    this.#lastPath = { text: path, number };
    return number;
  }

  #endNumber(buildId: string, revision: string): number {
    const key = `${buildId} ${revision}`;
    let number = this.#numbers.ends.get(key);
    if (number === undefined) {
      number = this.keepEnd(buildId, revision);
      this.#numbers.ends.set(key, number);
    }
    return number;
  }
}

function noNumbers(): Numbers {
  return { channelVersions: [], sources: new Map(), paths: new Map(), ends: new Map(), measures: new Map() };
}

function flagsOf(name: string): number {
  return (isMeasureName(name) ? MEASURE : 0) | (name.startsWith(SIMPLE_MEASURE_PREFIX) ? SIMPLE : 0);
}
