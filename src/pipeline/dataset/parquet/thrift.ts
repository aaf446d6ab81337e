/**
 * Thrift's compact protocol, as far as the headers and footers of Parquet files need it: a value is written as bytes with
 * its type, and read back as numbers, bytes, lists and fields by their ids.
 */
import { InvalidDataError } from '../../invalid-data.ts';

const TRUE = 1;
const FALSE = 2;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

export interface ThriftBytes {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Lists have more than 14 items where this nibble is full. */
const LONG = 15;
const MAX_DEPTH = 16;

const whole =
  (type: number) =>
  (value: number): ThriftBytes => ({ type, bytes: varint(value < 0 ? -2 * value - 1 : 2 * value) });
export const i16 = whole(I16);
export const i32 = whole(I32);
/** Of a safe integer: sizes and positions in files. */
export const i64 = whole(I64);

export function text(value: string): ThriftBytes {
  return binary(Buffer.from(value));
}

export function binary(value: Uint8Array): ThriftBytes {
  return { type: BINARY, bytes: Buffer.concat([varint(value.length), value]) };
}

export function truth(value: boolean): ThriftBytes {
  return { type: value ? TRUE : FALSE, bytes: Buffer.of() };
}

/** Of items of one type; not of truth values. */
export function list(items: readonly ThriftBytes[]): ThriftBytes {
  const type = items[0]?.type ?? STRUCT;
  const head = items.length < LONG ? [(items.length << 4) | type] : [(LONG << 4) | type, ...varint(items.length)];
  return { type: LIST, bytes: Buffer.concat([Buffer.from(head), ...items.map(({ bytes }) => bytes)]) };
}

/** @param fields by their ids; those that are undefined are left out */
export function struct(fields: Readonly<Record<number, ThriftBytes | undefined>>): ThriftBytes {
  const parts: Uint8Array[] = [];
  let last = 0;
  // Ids are in ascending order, as numbers of objects are.
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined) continue;
    parts.push(Buffer.of(((Number(key) - last) << 4) | field.type), field.bytes);
    last = Number(key);
  }
  return { type: STRUCT, bytes: Buffer.concat([...parts, Buffer.of(0)]) };
}

/** Seven bits a byte, the lowest first. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export type ThriftValue = number | boolean | Buffer | readonly ThriftValue[] | ThriftFields;
export type ThriftFields = ReadonlyMap<number, ThriftValue>;

export interface ReadStruct {
  readonly fields: ThriftFields;
  /** Of all members, as they come: numbers of different widths have equal values. */
  readonly types: readonly number[];
  readonly end: number;
}

/**
 * Reads the struct that begins there.
 * @throws InvalidDataError `bad_parquet`
 */
export function readStruct(bytes: Buffer, start = 0): ReadStruct {
  const reader = new Reader(bytes, start);
  const fields = reader.struct(0);
  return { fields, types: reader.types, end: reader.at };
}

class Reader {
  at: number;
  readonly types: number[] = [];
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  struct(depth: number): ThriftFields {
    if (depth > MAX_DEPTH) throw new InvalidDataError('bad_parquet', 'it is nested too deep');
    const fields = new Map<number, ThriftValue>();
    for (let id = 0; ;) {
      const head = this.#byte();
      if (head === 0) return fields;
      id = head >> 4 === 0 ? this.#signed() : id + (head >> 4);
      fields.set(id, this.#value(head & 0xf, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    this.types.push(type);
    if (type === TRUE || type === FALSE) return type === TRUE;
    if (type === I16 || type === I32 || type === I64) return this.#signed();
    if (type === BINARY) return this.#take(this.#varint());
    if (type === STRUCT) return this.struct(depth + 1);
    if (type === LIST) return this.#list(depth + 1);
    throw new InvalidDataError('bad_parquet', `it has a member of the unknown type ${type}`);
  }

  #list(depth: number): ThriftValue[] {
    const head = this.#byte();
    const length = head >> 4 === LONG ? this.#varint() : head >> 4;
    const items: ThriftValue[] = [];
    for (let index = 0; index < length; index += 1) items.push(this.#value(head & 0xf, depth));
    return items;
  }

  #signed(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER)
        throw new InvalidDataError('bad_parquet', 'it has a number that is too large');
      if (byte < 0x80) return value;
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new InvalidDataError('bad_parquet', 'it ends too early');
    this.at += 1;
    return byte;
  }

  #take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.#bytes.length) throw new InvalidDataError('bad_parquet', 'it ends too early');
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}
