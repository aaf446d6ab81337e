/**
 * Where the lines of results are: the first pass of a merge, over the bytes only. With it the second pass reads the lines of
 * one key from all files, then those of the next (docs/decisions/0011-merge-key-by-key.md).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { INDEX_BLOCK, LineIndexer } from '../kernels/line-indexer.ts';
import { type LineKey, parseKey } from '../pipeline/aggregates/result-parser.ts';
import { BY_DATES } from '../pipeline/aggregates/slot.ts';
import { MAX_CHANNEL_VERSIONS } from '../pipeline/dataset/channel-version-limit.ts';
import { InvalidDataError, type InvalidDataReason } from '../pipeline/invalid-data.ts';
import { KeyList, type Keys, sortedKeys } from './keys.ts';

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
  /** The keys that occur, those of no line among them. */
  readonly keys: Keys;
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
  const keys = new CheckedKeys();
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
  return { results: number, keys: keys.keys(), ...lines.columns(), rejected, bytes };
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
  const key = readKey(line.toString('utf8', 0, tab));
  return key instanceof InvalidDataError ? key : new InvalidDataError('bad_result_key', 'A key is too long');
}

/** In the place of one that breaks the rules; its result has no lines. */
const NO_KEY: LineKey = { channelVersion: '', measure: '', byDate: BY_DATES[0] };

function readKey(text: string): LineKey | InvalidDataError {
  try {
    return parseKey(text);
  } catch (error) {
    if (error instanceof InvalidDataError) return error;
    throw error;
  }
}

/** The keys that the lines have, and what is wrong with them. */
class CheckedKeys {
  readonly #list = new KeyList();
  readonly #faults = new Map<number, InvalidDataError>();
  /** Of each key, the number of its channel/version. */
  readonly #channelVersions: number[] = [];
  #ofResult = new Set<number>();
  #last = -1;

  add(text: string): void {
    const key = readKey(text);
    if (key instanceof InvalidDataError) this.#faults.set(this.#channelVersions.length + 1, key);
    this.#channelVersions.push(this.#list.add(key instanceof InvalidDataError ? NO_KEY : key));
  }

  keys(): Keys {
    return this.#list.keys();
  }

  beginResult(): void {
    this.#ofResult = new Set();
    this.#last = -1;
  }

  /** @throws InvalidDataError `bad_result_key` */
  demandGood(key: number): void {
    if (key === this.#last) return;
    this.#last = key;
    const fault = this.#faults.get(key);
    if (fault !== undefined) throw fault;
    // Each becomes an object of the chunk, so one result may have no more than a whole day.
    this.#ofResult.add(this.#channelVersions[key - 1] ?? 0);
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

/** The same lines by key: keys in slot order, and of each key the lines in the order in which they are added. In shared memory, for threads. */
export interface LinesByKey {
  readonly keys: Keys;
  /** Number of the first line of each key; and, behind the last one, how many lines there are. */
  readonly first: Uint32Array;
  readonly result: Uint32Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
}

/** @param indexes of consecutive results, each numbered from 0; here they are numbered on */
export function linesByKey(indexes: readonly ResultIndex[]): LinesByKey {
  const isUsed = indexes.map(({ keys, key }) => {
    const used = new Uint8Array(keys.measure.length);
    for (const number of key) used[number] = 1;
    return used;
  });
  const { keys, numbers } = sortedKeys(
    indexes.map((index) => index.keys),
    isUsed,
  );
  const count = indexes.reduce((sum, { key }) => sum + key.length, 0);
  const first = new Uint32Array(shared(4 * (keys.measure.length + 1)));
  const [result, length] = [new Uint32Array(shared(4 * count)), new Uint32Array(shared(4 * count))];
  const offset = new Float64Array(shared(8 * count));
  // Counted, summed up, and put in their places: a stable sort by key.
  for (const [index, { key }] of indexes.entries()) {
    const numberOf = numbers[index] as Uint32Array;
    for (const number of key) (first[numberOf[number] as number] as number) += 1;
  }
  let before = 0;
  for (let key = 0; key <= keys.measure.length; key += 1) {
    const lines = first[key] as number;
    first[key] = before;
    before += lines;
  }
  const next = first.slice();
  let results = 0;
  for (const [index, lines] of indexes.entries()) {
    const numberOf = numbers[index] as Uint32Array;
    for (let line = 0; line < lines.key.length; line += 1) {
      const key = numberOf[lines.key[line] as number] as number;
      const place = next[key] as number;
      next[key] = place + 1;
      result[place] = results + (lines.result[line] as number);
      offset[place] = lines.offset[line] as number;
      length[place] = lines.length[line] as number;
    }
    results += lines.results;
  }
  return { keys, first, result, offset, length };
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
