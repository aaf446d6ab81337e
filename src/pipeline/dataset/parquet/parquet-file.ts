/**
 * A Parquet file, row group by row group (https://github.com/apache/parquet-format): each column of a group is one chunk of
 * a dictionary page and a data page. Why not a library: those for JavaScript take lists apart number by number, which costs
 * more than all else of a publish.
 */
import type { Column, ColumnKind, Pages } from './columns.ts';
import { binary, i16, i32, i64, list, struct, text, type ThriftBytes, truth } from './thrift.ts';

/** At both ends of every file. */
export const MAGIC = Buffer.from('PAR1');

const TYPE = { text: 6, date: 1, whole: 2, wholes: 2, double: 5 } as const;
const REQUIRED = 0;
const OPTIONAL = 1;
const REPEATED = 2;
const UTF8 = 0;
const LIST = 3;
const DATE = 6;
const PLAIN = 0;
const RLE = 3;
const RLE_DICTIONARY = 8;
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
export const UNCOMPRESSED = 0;
const ZSTD = 6;
/** Smaller chunks gain nothing by compression. */
const MIN_COMPRESSED = 256;

export interface ParquetOptions {
  /** All columns, in order. */
  readonly columns: readonly Column[];
  /** By how many of the first columns the rows are sorted. */
  readonly sortedBy: number;
  /** Zstandard. */
  readonly compress: (bytes: Buffer) => Uint8Array;
  readonly write: (bytes: Uint8Array) => void;
}

interface Chunk {
  readonly meta: ThriftBytes;
  readonly plainBytes: number;
  readonly storedBytes: number;
}

/** Equal rows give equal bytes, whichever release of zstd: all but the compressed pages and their sizes. */
export class ParquetFile {
  readonly #options: ParquetOptions;
  /** Metadata of the row groups so far: all that grows with the file. */
  readonly #groups: ThriftBytes[] = [];
  #at = 0;
  #rows = 0;

  constructor(options: ParquetOptions) {
    this.#options = options;
    this.#write(MAGIC);
  }

  /** Writes what the columns have taken. */
  endRowGroup(rows: number): void {
    const start = this.#at;
    const chunks = this.#options.columns.map((column) => this.#chunk(column));
    const sum = (of: (chunk: Chunk) => number): ThriftBytes => i64(chunks.reduce((total, one) => total + of(one), 0));
    const sorting = Array.from({ length: this.#options.sortedBy }, (_, column) =>
      struct({ 1: i32(column), 2: truth(false), 3: truth(false) }),
    );
    this.#groups.push(
      struct({
        1: list(chunks.map(({ meta }) => meta)),
        2: sum(({ plainBytes }) => plainBytes),
        3: i64(rows),
        4: list(sorting),
        5: i64(start),
        6: sum(({ storedBytes }) => storedBytes),
        7: this.#groups.length <= MAX_ORDINAL ? i16(this.#groups.length) : undefined,
      }),
    );
    this.#rows += rows;
  }

  /** Writes the footer. */
  end(): void {
    const { columns } = this.#options;
    const footer = struct({
      1: i32(2),
      2: list([struct({ 4: text('aggregates'), 5: i32(columns.length) }), ...columns.flatMap(schemaOf)]),
      3: i64(this.#rows),
      4: list(this.#groups),
      6: text('telemetry-dashboard'),
      // All columns have the order of their type, which is what makes their least and greatest values useful.
      7: list(columns.map(() => struct({ 1: struct({}) }))),
    }).bytes;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    this.#write(Buffer.concat([footer, length, MAGIC]));
  }

  #chunk(column: Column): Chunk {
    const pages = column.pages();
    const bytes = pages.data.length + (pages.dictionary?.bytes.length ?? 0);
    const codec = bytes < MIN_COMPRESSED ? UNCOMPRESSED : ZSTD;
    const start = this.#at;
    let plainBytes = 0;
    const page = (header: Readonly<Record<number, ThriftBytes>>, type: number, content: Buffer): void => {
      const stored = codec === ZSTD ? this.#options.compress(content) : content;
      const head = struct({ 1: i32(type), 2: i32(content.length), 3: i32(stored.length), ...header }).bytes;
      plainBytes += head.length + content.length;
      this.#write(head);
      this.#write(stored);
    };
    const { dictionary } = pages;
    if (dictionary !== null) {
      page({ 7: struct({ 1: i32(dictionary.entries), 2: i32(PLAIN) }) }, DICTIONARY_PAGE, dictionary.bytes);
    }
    const dataStart = this.#at;
    const encoding = dictionary === null ? PLAIN : RLE_DICTIONARY;
    const head = struct({ 1: i32(pages.values), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE) });
    page({ 5: head }, DATA_PAGE, pages.data);
    const storedBytes = this.#at - start;
    const places = { start, dataStart, plainBytes, storedBytes, codec };
    return { meta: chunkMeta(column, pages, places), plainBytes, storedBytes };
  }

  #write(bytes: Uint8Array): void {
    this.#options.write(bytes);
    this.#at += bytes.length;
  }
}

const MAX_ORDINAL = 0x7fff;

function chunkMeta(
  column: ColumnKind,
  { values, nulls, dictionary, range }: Pages,
  places: { start: number; dataStart: number; plainBytes: number; storedBytes: number; codec: number },
): ThriftBytes {
  const path = column.type === 'wholes' ? [column.name, 'list', 'element'] : [column.name];
  const statistics = {
    3: i64(nulls),
    5: range && binary(range.greatest),
    6: range && binary(range.least),
    7: range && truth(true),
    8: range && truth(true),
  };
  const meta = struct({
    1: i32(TYPE[column.type]),
    2: list((dictionary === null ? [PLAIN, RLE] : [PLAIN, RLE, RLE_DICTIONARY]).map(i32)),
    3: list(path.map(text)),
    4: i32(places.codec),
    5: i64(values),
    6: i64(places.plainBytes),
    7: i64(places.storedBytes),
    9: i64(places.dataStart),
    11: dictionary === null ? undefined : i64(places.start),
    12: struct(statistics),
  });
  return struct({ 2: i64(0), 3: meta });
}

function schemaOf({ name, type, nullable }: ColumnKind): ThriftBytes[] {
  const repetition = i32(nullable ? OPTIONAL : REQUIRED);
  const leaf = { 1: i32(TYPE[type]), 3: repetition, 4: text(name) };
  if (type === 'text') return [struct({ ...leaf, 6: i32(UTF8), 10: struct({ 1: struct({}) }) })];
  if (type === 'date') return [struct({ ...leaf, 6: i32(DATE), 10: struct({ 6: struct({}) }) })];
  if (type !== 'wholes') return [struct(leaf)];
  return [
    struct({ 3: repetition, 4: text(name), 5: i32(1), 6: i32(LIST), 10: struct({ 3: struct({}) }) }),
    struct({ 3: i32(REPEATED), 4: text('list'), 5: i32(1) }),
    struct({ 1: i32(TYPE.wholes), 3: i32(REQUIRED), 4: text('element') }),
  ];
}
