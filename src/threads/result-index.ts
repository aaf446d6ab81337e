/**
 * Where the lines of results are: the first pass of a merge, over the bytes only. With it the second pass reads the lines of
 * one key from all files, then those of the next (docs/decisions/0011-merge-key-by-key.md).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { INDEX_BLOCK, LineIndexer } from '../kernels/line-indexer.ts';
import { parseKey } from '../pipeline/aggregates/result-parser.ts';
import { MAX_CHANNEL_VERSIONS } from '../pipeline/dataset/channel-version-limit.ts';
import { InvalidDataError, type InvalidDataReason } from '../pipeline/invalid-data.ts';
import { compareText } from '../pipeline/text-order.ts';

export interface ResultFile {
  /** Task id, or another name for reports. */
  readonly id: string;
  readonly path: string;
}

export interface RejectedResult {
  readonly id: string;
  readonly reason: InvalidDataReason;
  /** The first fault found. */
  readonly message: string;
}

/** The lines of some results, in the order of the results and of their lines. */
export interface ResultIndex {
  /** How many results it is of: the first ones, and all of them unless they have too many lines to be merged at once. */
  readonly results: number;
  /** The keys that occur. */
  readonly keys: readonly string[];
  /** Of each line: number of its result and of its key, its first byte, its bytes without LF. */
  readonly result: Uint32Array;
  readonly key: Uint32Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
  /** Results that cannot count; they have no lines. */
  readonly rejected: readonly RejectedResult[];
  /** Bytes read. */
  readonly bytes: number;
}

export interface IndexResultsInput {
  readonly results: readonly ResultFile[];
  readonly maxLineBytes: number;
}

/** A result has two lines a measure and channel/version, seldom 10,000. */
const MAX_LINES = 250_000;
/** Lines that are merged at once: their keys and places take some 200 bytes each. */
const ENOUGH_LINES = 1_500_000;
const MAX_MESSAGE = 500;

export async function indexResults({ results, maxLineBytes }: IndexResultsInput): Promise<ResultIndex> {
  const keys = new Keys();
  const indexer = new LineIndexer((text) => {
    keys.add(text);
  });
  const lines = new Lines();
  const rejected: RejectedResult[] = [];
  let bytes = 0;
  let number = 0;
  for (; number < results.length && lines.count < ENOUGH_LINES; number += 1) {
    const { id, path } = results[number] as ResultFile;
    const before = lines.count;
    keys.beginResult();
    try {
      bytes += indexFile(path, indexer, maxLineBytes, (offset, length, key) => {
        if (length > maxLineBytes) throw tooLong(maxLineBytes);
        if (lines.count - before >= MAX_LINES)
          throw new InvalidDataError('bad_result_key', `The result has more than ${MAX_LINES} lines`);
        if (key === 0) throw withoutKey(path, offset, length);
        keys.demandGood(key);
        lines.push(number, key - 1, offset, length);
      });
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      lines.cut(before);
      rejected.push(rejection(id, error));
    }
  }
  return { results: number, keys: keys.texts, ...lines.columns(), rejected, bytes };
}

export function rejection(id: string, { reason, message }: InvalidDataError): RejectedResult {
  return { id, reason, message: message.slice(0, MAX_MESSAGE) };
}

/** @returns bytes of the file */
function indexFile(
  path: string,
  indexer: LineIndexer,
  maxLineBytes: number,
  each: (offset: number, length: number, key: number) => void,
): number {
  const file = openSync(path, 'r');
  try {
    const block = indexer.block();
    let from = 0;
    for (;;) {
      const length = readFully(file, block, from);
      const rest = indexer.lines(length, (offset, bytes, key) => {
        each(from + offset, bytes, key);
      });
      from += rest;
      const isEnd = length < INDEX_BLOCK;
      if (isEnd && rest === length) return from;
      if (!isEnd && rest > 0) continue;
      // A line longer than the block, or the last one without LF.
      const bytes = isEnd ? length - rest : lineLength(file, from, maxLineBytes);
      if (isEnd && rest > 0) block.copyWithin(0, rest, length);
      indexer.line(Math.min(bytes, INDEX_BLOCK), (_offset, _bytes, key) => {
        each(from, bytes, key);
      });
      if (isEnd) return from + bytes;
      from += bytes + 1;
    }
  } finally {
    closeSync(file);
  }
}

function readFully(file: number, block: Buffer, from: number): number {
  let length = 0;
  while (length < INDEX_BLOCK) {
    const read = readSync(file, block, length, INDEX_BLOCK - length, from + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

const LF = 0x0a;

/** Bytes of the line that begins at `from`, which is longer than a block. */
function lineLength(file: number, from: number, maxLineBytes: number): number {
  const block = Buffer.allocUnsafe(INDEX_BLOCK);
  for (let length = 0; ;) {
    const read = readSync(file, block, 0, INDEX_BLOCK, from + length);
    const end = block.subarray(0, read).indexOf(LF);
    length += end < 0 ? read : end;
    if (length > maxLineBytes) throw tooLong(maxLineBytes);
    if (end >= 0 || read === 0) return length;
  }
}

function tooLong(maxLineBytes: number): InvalidDataError {
  return new InvalidDataError('line_too_long', `A line of the result is longer than ${maxLineBytes} bytes`);
}

/** What is wrong with a line that has no TAB where its key should end. */
function withoutKey(path: string, offset: number, length: number): InvalidDataError {
  const line = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, line, 0, length, offset);
  } finally {
    closeSync(file);
  }
  const tab = line.indexOf(0x09);
  if (tab < 0) return new InvalidDataError('no_tab', 'A line of the result has no TAB');
  return faultOfKey(line.toString('utf8', 0, tab)) ?? new InvalidDataError('bad_result_key', 'A key is too long');
}

function faultOfKey(text: string): InvalidDataError | undefined {
  try {
    parseKey(text);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidDataError) return error;
    throw error;
  }
}

/** The keys that the lines have, and what is wrong with them. */
class Keys {
  readonly texts: string[] = [];
  readonly #faults: (InvalidDataError | undefined)[] = [];
  readonly #channelVersions: string[] = [];
  #ofResult = new Set<string>();
  #last = -1;

  add(text: string): void {
    this.texts.push(text);
    this.#faults.push(faultOfKey(text));
    this.#channelVersions.push(text.slice(0, text.indexOf('/', text.indexOf('/') + 1)));
  }

  beginResult(): void {
    this.#ofResult = new Set();
    this.#last = -1;
  }

  /** @throws InvalidDataError `bad_result_key` */
  demandGood(key: number): void {
    if (key === this.#last) return;
    this.#last = key;
    const fault = this.#faults[key - 1];
    if (fault !== undefined) throw fault;
    // Each becomes an object of the chunk, so one result may have no more than a whole day.
    this.#ofResult.add(this.#channelVersions[key - 1] ?? '');
    if (this.#ofResult.size > MAX_CHANNEL_VERSIONS)
      throw new InvalidDataError(
        'bad_result_key',
        `The result names more than ${MAX_CHANNEL_VERSIONS} channel/versions`,
      );
  }
}

/** Lines that columns have room for at first, and by which they grow. */
const MORE_LINES = 1 << 15;

/** Columns that grow in place, in memory that threads share: a day's chunk may have megabytes of them. */
class Lines {
  count = 0;
  #room = MORE_LINES;
  readonly #buffers = [4, 4, 8, 4].map(
    (bytes) => new SharedArrayBuffer(bytes * MORE_LINES, { maxByteLength: bytes * (ENOUGH_LINES + MAX_LINES) }),
  ) as [SharedArrayBuffer, SharedArrayBuffer, SharedArrayBuffer, SharedArrayBuffer];
  readonly #columns = this.#views();

  push(result: number, key: number, offset: number, length: number): void {
    if (this.count === this.#room) this.#grow();
    const { count } = this;
    this.#columns.result[count] = result;
    this.#columns.key[count] = key;
    this.#columns.offset[count] = offset;
    this.#columns.length[count] = length;
    this.count += 1;
  }

  cut(count: number): void {
    this.count = count;
  }

  columns(): Pick<ResultIndex, 'result' | 'key' | 'offset' | 'length'> {
    return this.#views(this.count);
  }

  /** @param lines how many; without it the views grow with the buffers */
  #views(lines?: number): Pick<ResultIndex, 'result' | 'key' | 'offset' | 'length'> {
    const [result, key, offset, length] = this.#buffers;
    return {
      result: new Uint32Array(result, 0, lines),
      key: new Uint32Array(key, 0, lines),
      offset: new Float64Array(offset, 0, lines),
      length: new Uint32Array(length, 0, lines),
    };
  }

  #grow(): void {
    const most = ENOUGH_LINES + MAX_LINES;
    this.#room = Math.min(this.#room + MORE_LINES, most);
    for (const buffer of this.#buffers) buffer.grow((buffer.maxByteLength / most) * this.#room);
  }
}

/** The same lines by key: keys in slot order, and of each key the lines in the order in which they are added. */
export interface LinesByKey {
  /** `channel/major/measure/by-date`, one a line. */
  readonly keys: string;
  /** Number of the first line of each key; and, behind the last one, how many lines there are. */
  readonly first: Uint32Array;
  readonly result: Uint32Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
}

/** @param indexes of consecutive results, each numbered from 0; here they are numbered on. In shared memory, for threads */
export function linesByKey(indexes: readonly ResultIndex[]): LinesByKey {
  const { texts, numberOf } = sortedKeys(indexes);
  const count = indexes.reduce((sum, { key }) => sum + key.length, 0);
  const first = new Uint32Array(shared(4 * (texts.length + 1)));
  const [result, length] = [new Uint32Array(shared(4 * count)), new Uint32Array(shared(4 * count))];
  const offset = new Float64Array(shared(8 * count));
  // Counted, summed up, and put in their places: a stable sort by key.
  for (const [index, { key }] of indexes.entries())
    for (const number of key) first[numberOf(index, number)] = (first[numberOf(index, number)] as number) + 1;
  let before = 0;
  for (let key = 0; key <= texts.length; key += 1) {
    const lines = first[key] as number;
    first[key] = before;
    before += lines;
  }
  const next = first.slice();
  let results = 0;
  for (const [index, lines] of indexes.entries()) {
    for (let line = 0; line < lines.key.length; line += 1) {
      const key = numberOf(index, lines.key[line] as number);
      const place = next[key] as number;
      next[key] = place + 1;
      result[place] = results + (lines.result[line] as number);
      offset[place] = lines.offset[line] as number;
      length[place] = lines.length[line] as number;
    }
    results += lines.results;
  }
  return { keys: texts.join('\n'), first, result, offset, length };
}

/** Some of the keys: from the first number up to the second, without it. */
export interface KeyRange {
  readonly range: readonly [number, number];
  /** With the texts of these keys alone; the places of all lines are shared by the threads, texts are copied to each. */
  readonly lines: LinesByKey;
}

export function keyRange(lines: LinesByKey, range: readonly [number, number]): KeyRange {
  const [from, to] = range;
  const start = placeOfKey(lines.keys, 0, from);
  const end = placeOfKey(lines.keys, start, to - from);
  return { range, lines: { ...lines, keys: lines.keys.slice(start, Math.max(start, end - 1)) } };
}

/** Where the key begins that is so many behind the one at `at`. */
function placeOfKey(keys: string, at: number, count: number): number {
  let place = at;
  for (let key = 0; key < count; key += 1) {
    const end = keys.indexOf('\n', place);
    place = (end < 0 ? keys.length : end) + 1;
  }
  return place;
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

/** All keys that have lines, in slot order, and the number of each key of each index among them. */
function sortedKeys(indexes: readonly ResultIndex[]): {
  texts: string[];
  numberOf: (index: number, key: number) => number;
} {
  const found = new Set<string>();
  for (const { keys, key } of indexes) {
    const isUsed = new Uint8Array(keys.length);
    for (const number of key) isUsed[number] = 1;
    for (const [number, text] of keys.entries()) if (isUsed[number] === 1) found.add(text);
  }
  const sortable = [...found].map((text) => ({ text, order: slotOrder(text) }));
  sortable.sort((a, b) => compareText(a.order, b.order));
  const texts = sortable.map(({ text }) => text);
  const numbers = new Map(texts.map((text, number) => [text, number]));
  const maps = indexes.map(({ keys }) => Uint32Array.from(keys, (text) => numbers.get(text) ?? 0));
  return { texts, numberOf: (index, key) => maps[index]?.[key] ?? 0 };
}

/** A text that sorts as the parts of a key do: channel/version, measure, by-date. */
function slotOrder(key: string): string {
  const measure = key.indexOf('/', key.indexOf('/') + 1);
  return `${key.slice(0, measure)}\0${key.slice(measure + 1).replace('/', '\0')}`;
}
