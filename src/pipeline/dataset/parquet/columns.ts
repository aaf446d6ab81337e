/**
 * Columns of a Parquet file: each takes the values of a row group, and gives the two pages that hold them. Texts, dates and
 * whole numbers are kept as indexes of a dictionary, because few of them differ; statistics are plain doubles.
 */
import type { RowNumbers } from '../../aggregates/row-numbers.ts';
import { bytesOf, dictionaryIndexes, packedBits, run, withLength } from './levels.ts';

/** What a reader sees of a column. */
export interface ColumnKind {
  readonly name: string;
  readonly type: 'text' | 'date' | 'whole' | 'wholes' | 'double';
  readonly nullable: boolean;
}

/** The values of one column in one row group. */
export interface Pages {
  /** Nulls included; of a list, all of its items. */
  readonly values: number;
  readonly nulls: number;
  readonly dictionary: { readonly entries: number; readonly bytes: Buffer } | null;
  readonly data: Buffer;
  /** Least and greatest value, where readers choose row groups by them. */
  readonly range?: { readonly least: Buffer; readonly greatest: Buffer };
}

export interface Column extends ColumnKind {
  /** Ends the row group. */
  pages(): Pages;
}

/** Texts. */
export class TextColumn implements Column {
  readonly type = 'text';
  readonly nullable = false;
  readonly name: string;
  readonly #ranged: boolean;
  readonly #entries = new Map<string, number>();
  readonly #rows: Uint32Array;
  #count = 0;
  #last = '';
  #lastIndex = 0;

  /** @param options `ranged`: readers choose row groups by its least and greatest text */
  constructor(name: string, maxRows: number, { ranged = false } = {}) {
    this.name = name;
    this.#ranged = ranged;
    this.#rows = new Uint32Array(maxRows);
  }

  add(value: string): void {
    if (value !== this.#last || this.#count === 0) {
      let index = this.#entries.get(value);
      if (index === undefined) this.#entries.set(value, (index = this.#entries.size));
      this.#last = value;
      this.#lastIndex = index;
    }
    this.#rows[this.#count++] = this.#lastIndex;
  }

  pages(): Pages {
    const texts = Array.from(this.#entries.keys(), (value) => Buffer.from(value));
    const bytes = Buffer.concat(texts.map(withLength));
    const entries = texts.length;
    const data = dictionaryIndexes(this.#rows.subarray(0, this.#count), entries);
    const pages = { values: this.#count, nulls: 0, dictionary: { entries, bytes }, data };
    this.#entries.clear();
    this.#count = 0;
    if (!this.#ranged) return pages;
    const sorted = texts.toSorted((a, b) => a.compare(b));
    const [least, greatest] = [sorted[0], sorted.at(-1)];
    return least !== undefined && greatest !== undefined ? { ...pages, range: { least, greatest } } : pages;
  }
}

/** Days since 1970-01-01; null where there is none. */
export class DateColumn implements Column {
  readonly type = 'date';
  readonly nullable = true;
  readonly name: string;
  readonly #days: Int32Array;
  readonly #known: Uint8Array;
  #count = 0;
  #rows = 0;

  constructor(name: string, maxRows: number) {
    this.name = name;
    this.#days = new Int32Array(maxRows);
    this.#known = new Uint8Array(maxRows);
  }

  add(day: number | undefined): void {
    this.#known[this.#rows++] = day === undefined ? 0 : 1;
    if (day !== undefined) this.#days[this.#count++] = day;
  }

  pages(): Pages {
    const days = this.#days.slice(0, this.#count);
    const values = this.#rows;
    const nulls = values - days.length;
    const data = Buffer.concat([nullLevels(this.#known.subarray(0, values), nulls), bytesOf(days)]);
    this.#count = 0;
    this.#rows = 0;
    const pages = { values, nulls, dictionary: null, data };
    if (days.length === 0) return pages;
    const range = Int32Array.of(days[0] as number, days[0] as number);
    for (const day of days) {
      if (day < (range[0] as number)) range[0] = day;
      if (day > (range[1] as number)) range[1] = day;
    }
    return { ...pages, range: { least: bytesOf(range.subarray(0, 1)), greatest: bytesOf(range.subarray(1)) } };
  }
}

/** Doubles; null where there is none. */
export class DoubleColumn implements Column {
  readonly type = 'double';
  readonly nullable = true;
  readonly name: string;
  readonly #numbers: Float64Array;
  readonly #known: Uint8Array;
  #count = 0;
  #rows = 0;

  constructor(name: string, maxRows: number) {
    this.name = name;
    this.#numbers = new Float64Array(maxRows);
    this.#known = new Uint8Array(maxRows);
  }

  add(value: number | undefined): void {
    this.#known[this.#rows++] = value === undefined ? 0 : 1;
    if (value !== undefined) this.#numbers[this.#count++] = value;
  }

  pages(): Pages {
    const values = this.#rows;
    const nulls = values - this.#count;
    const levels = nullLevels(this.#known.subarray(0, values), nulls);
    const data = Buffer.concat([levels, bytesOf(this.#numbers.subarray(0, this.#count))]);
    this.#count = 0;
    this.#rows = 0;
    return { values, nulls, dictionary: null, data };
  }
}

function nullLevels(known: Uint8Array, nulls: number): Buffer {
  const isOneRun = nulls === 0 || nulls === known.length;
  return withLength(isOneRun ? run(nulls === 0 ? 1 : 0, known.length) : packedBits(known));
}

/** 64-bit numbers. */
export class WholeColumn implements Column {
  readonly type = 'whole';
  readonly nullable = false;
  readonly name: string;
  readonly #dictionary = new WholeDictionary();
  readonly #rows: Uint32Array;
  #count = 0;

  constructor(name: string, maxRows: number) {
    this.name = name;
    this.#rows = new Uint32Array(maxRows);
  }

  add(value: number): void {
    this.#rows[this.#count++] = this.#dictionary.indexOf(value);
  }

  pages(): Pages {
    const values = this.#count;
    this.#count = 0;
    return { values, ...indexPages(this.#dictionary, this.#rows.subarray(0, values)) };
  }
}

/** Lists of 64-bit numbers, of at least one each; most have the length of the row before. */
export class WholesColumn implements Column {
  readonly type = 'wholes';
  readonly nullable = false;
  readonly name: string;
  readonly #dictionary = new WholeDictionary();
  readonly #items: Uint32Array;
  #lengths: { readonly length: number; rows: number }[] = [];
  #count = 0;

  constructor(name: string, maxItems: number) {
    this.name = name;
    this.#items = new Uint32Array(maxItems);
    this.#dictionary.indexOf(0);
  }

  /** Adds the first `length` numbers of a row as a list. */
  addFilled({ numbers, places, filled }: RowNumbers, length: number): void {
    // Zeros have the first index, and are there.
    for (let index = 0; index < filled; index += 1) {
      const place = places[index] as number;
      if (place >= length) break;
      this.#items[this.#count + place] = this.#dictionary.indexOf(numbers[place] as number);
    }
    this.#note(length);
  }

  /** What `addSame` takes, until the row group ends. */
  indexesOf(numbers: readonly number[]): Uint32Array {
    return Uint32Array.from(numbers, (value) => this.#dictionary.indexOf(value));
  }

  addSame(indexes: Uint32Array): void {
    this.#items.set(indexes, this.#count);
    this.#note(indexes.length);
  }

  #note(length: number): void {
    this.#count += length;
    const last = this.#lengths.at(-1);
    if (last?.length === length) last.rows += 1;
    else this.#lengths.push({ length, rows: 1 });
  }

  pages(): Pages {
    // Each list begins with a 0, and no list is empty.
    const starts = this.#lengths.map(({ length, rows }) => {
      const row = length === 1 ? run(0, 1) : Buffer.concat([run(0, 1), run(1, length - 1)]);
      return Buffer.alloc(row.length * rows, row);
    });
    const values = this.#count;
    const { data, ...pages } = indexPages(this.#dictionary, this.#items.subarray(0, values));
    this.#items.fill(0, 0, this.#count);
    this.#dictionary.indexOf(0);
    this.#count = 0;
    this.#lengths = [];
    const levels = [withLength(Buffer.concat(starts)), withLength(run(1, values))];
    return { values, ...pages, data: Buffer.concat([...levels, data]) };
  }
}

function indexPages(dictionary: WholeDictionary, indexes: Uint32Array): Omit<Pages, 'values'> {
  const entries = dictionary.size;
  return { nulls: 0, dictionary: { entries, bytes: dictionary.take() }, data: dictionaryIndexes(indexes, entries) };
}

const SMALL = 1 << 16;
const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/** Numbers in the order in which they came; larger ones than 64 bits hold are held at the largest. */
class WholeDictionary {
  /** Index + 1 of each small number: nearly all of them are. */
  readonly #small = new Uint32Array(SMALL);
  readonly #large = new Map<number, number>();
  #numbers: number[] = [];

  get size(): number {
    return this.#numbers.length;
  }

  indexOf(value: number): number {
    // Undefined for every other number.
    const known = this.#small[value];
    if (known === undefined) return this.#indexOfLarge(value);
    if (known > 0) return known - 1;
    this.#numbers.push(value);
    this.#small[value] = this.#numbers.length;
    return this.#numbers.length - 1;
  }

  #indexOfLarge(value: number): number {
    let index = this.#large.get(value);
    if (index === undefined) {
      index = this.#numbers.push(value) - 1;
      this.#large.set(value, index);
    }
    return index;
  }

  /** All numbers, and begins again. */
  take(): Buffer {
    const bytes = Buffer.from(new ArrayBuffer(this.#numbers.length * 8));
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, this.#numbers.length * 2);
    for (const [index, value] of this.#numbers.entries()) {
      if (Number.isSafeInteger(value)) {
        // As they are in memory: the lower half first.
        words[2 * index] = value;
        words[2 * index + 1] = Math.floor(value / 2 ** 32);
      } else bytes.writeBigInt64LE(held(value), index * 8);
    }
    for (const value of this.#numbers) if (value >= 0 && value < SMALL) this.#small[value] = 0;
    this.#large.clear();
    this.#numbers = [];
    return bytes;
  }
}

function held(value: number): bigint {
  if (!Number.isFinite(value)) return value > 0 ? GREATEST : value < 0 ? LEAST : 0n;
  const whole = BigInt(Math.round(value));
  return whole > GREATEST ? GREATEST : whole < LEAST ? LEAST : whole;
}
