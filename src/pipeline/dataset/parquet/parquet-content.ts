/**
 * What a Parquet file of ours says, whichever release of zstd compressed it: its pages as they are before compression, then
 * its footer without the positions and sizes that follow from them.
 */
import { InvalidDataError } from '../../invalid-data.ts';
import { MAGIC, UNCOMPRESSED } from './parquet-file.ts';
import { readStruct, type ReadStruct, type ThriftFields, type ThriftValue } from './thrift.ts';

export interface ParquetSource {
  readonly size: number;
  readonly read: (start: number, length: number) => Buffer;
  /** Zstandard. @param length of what comes out */
  readonly decompress: (bytes: Buffer, length: number) => Buffer;
}

/** Far above every page and footer that is written. */
const MAX_BYTES = 256 << 20;
/** Length of the footer, and the mark. */
const TAIL = 8;

const ROW_GROUPS = 4;
const GROUP = { columns: 1, plainBytes: 2, start: 5, storedBytes: 6 } as const;
const CHUNK = { meta: 3 } as const;
const META = { codec: 4, plainBytes: 6, storedBytes: 7, dataStart: 9, dictionaryStart: 11 } as const;
const PAGE = { plainBytes: 2, storedBytes: 3 } as const;

/** All of a chunk that depends on the release of zstd. */
const PLACES = [META.plainBytes, META.storedBytes, META.dataStart, META.dictionaryStart];

/** Bytes of a chunk or a row group, with and without compression. */
interface Extent {
  plain: number;
  stored: number;
}

/**
 * Pieces in order, a page at a time; two files of equal pieces have equal rows, schema and statistics.
 * @throws InvalidDataError `bad_parquet`, also for a position or a size that is not the one of what is there
 */
export function* parquetContent(source: ParquetSource): Generator<Buffer> {
  const { fields: footer, types } = readFooter(source);
  let at = MAGIC.length;
  for (const group of lists(footer.get(ROW_GROUPS)).map(fieldsOf)) {
    demand(group, GROUP.start, at);
    const all = { plain: 0, stored: 0 };
    for (const chunk of lists(group.get(GROUP.columns)).map(fieldsOf)) {
      const extent = yield* pagesOf(source, fieldsOf(chunk.get(CHUNK.meta)), at);
      at += extent.stored;
      all.plain += extent.plain;
      all.stored += extent.stored;
    }
    demand(group, GROUP.plainBytes, all.plain);
    demand(group, GROUP.storedBytes, all.stored);
  }
  yield Buffer.from(JSON.stringify([withoutPlaces(footer), types]));
}

function readFooter({ size, read }: ParquetSource): ReadStruct {
  const tail = read(Math.max(size - TAIL, 0), TAIL);
  const length = tail.length === TAIL ? tail.readUInt32LE() : 0;
  const isParquet = tail.subarray(4).equals(MAGIC) && read(0, MAGIC.length).equals(MAGIC);
  if (!isParquet || length > MAX_BYTES || length + TAIL + MAGIC.length > size) {
    throw new InvalidDataError('bad_parquet', 'it is no Parquet file, or not a whole one');
  }
  const footer = readStruct(read(size - TAIL - length, length));
  if (footer.end !== length) throw new InvalidDataError('bad_parquet', 'its footer has more than it says');
  return footer;
}

function* pagesOf({ read, decompress }: ParquetSource, meta: ThriftFields, start: number): Generator<Buffer, Extent> {
  const bytes = read(start, numberOf(meta.get(META.storedBytes)));
  const extent = { plain: 0, stored: bytes.length };
  let page = 0;
  for (let at = 0; at < bytes.length;) {
    page = at;
    const { fields, types, end } = readStruct(bytes, at);
    const length = numberOf(fields.get(PAGE.plainBytes));
    const stored = bytes.subarray(end, end + numberOf(fields.get(PAGE.storedBytes)));
    yield Buffer.from(JSON.stringify([plain(fields, [PAGE.storedBytes]), types]));
    yield meta.get(META.codec) === UNCOMPRESSED ? stored : decompress(stored, length);
    extent.plain += end - at + length;
    at = end + stored.length;
  }
  demand(meta, META.dataStart, start + page);
  if (meta.has(META.dictionaryStart)) demand(meta, META.dictionaryStart, start);
  demand(meta, META.plainBytes, extent.plain);
  return extent;
}

function demand(fields: ThriftFields, id: number, value: number): void {
  if (fields.get(id) !== value) throw new InvalidDataError('bad_parquet', 'a position or a size in it is wrong');
}

/** Where things are, and how many bytes they take, is of the compression. */
function withoutPlaces(footer: ThriftFields): unknown {
  const groups = lists(footer.get(ROW_GROUPS)).map(fieldsOf);
  const columns = groups.map((group) =>
    lists(group.get(GROUP.columns))
      .map(fieldsOf)
      .map((chunk) => [plain(chunk, [CHUNK.meta]), plain(fieldsOf(chunk.get(CHUNK.meta)), PLACES)]),
  );
  return [plain(footer, [ROW_GROUPS]), groups.map((group) => plain(group, Object.values(GROUP))), columns];
}

function plain(fields: ThriftFields, without: readonly number[]): unknown {
  return [...fields].filter(([id]) => !without.includes(id)).map(([id, value]) => [id, plainValue(value)]);
}

function plainValue(value: ThriftValue): unknown {
  if (value instanceof Map) return plain(value as ThriftFields, []);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return Array.isArray(value) ? value.map(plainValue) : value;
}

function lists(value: ThriftValue | undefined): readonly ThriftValue[] {
  return Array.isArray(value) ? (value as readonly ThriftValue[]) : [];
}

function fieldsOf(value: ThriftValue | undefined): ThriftFields {
  return value instanceof Map ? (value as ThriftFields) : new Map<number, ThriftValue>();
}

/** A position or size. */
function numberOf(value: ThriftValue | undefined): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new InvalidDataError('bad_parquet', 'it lacks a size or a position');
}
