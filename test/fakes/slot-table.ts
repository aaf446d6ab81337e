/**
 * The sums of many contributions in memory, one row per measure, by-date, date, filter path and length. Adding is a
 * commutative monoid; only log sums depend, in their last digits, on the order of addition.
 */
import { compareText } from '../../src/pipeline/text-order.ts';
import { addRow, holdFinite, noteBuild } from '../../src/pipeline/aggregates/merge-rule.ts';
import { BY_DATES, type ByDate, SIMPLE_MEASURE_PREFIX, type Slot } from '../../src/pipeline/aggregates/slot.ts';

/** One row while it grows; rows of other lengths under the same path hang on `next`. */
export interface Row {
  readonly values: Float64Array;
  buildId: string;
  revision: string;
  /** Nothing was added yet, so its zeros have no meaning. */
  fresh: boolean;
  next: Row | undefined;
}

/** Rows by `date/reason/appName/OS/osVersion/arch`. */
export type RowsByPath = Map<string, Row>;

export interface MeasureRows {
  readonly measure: string;
  readonly simple: boolean;
  /** Number of the last submission that added a histogram, 0 for none. */
  lastRecord: number;
  /** In the order of `BY_DATES`. */
  readonly byDates: readonly [RowsByPath, RowsByPath];
}

export class SlotTable {
  readonly #channelVersions = new Map<string, Map<string, MeasureRows>>();
  #bytes = 0;
  /** Additions in which only one side had a statistic. */
  mixedStatistics = 0;

  /** Rough size of the table in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All measures of a channel/version, for callers that add many rows to it. */
  measuresOf(channelVersion: string): Map<string, MeasureRows> {
    let measures = this.#channelVersions.get(channelVersion);
    if (measures === undefined) {
      measures = new Map();
      this.#channelVersions.set(channelVersion, measures);
    }
    return measures;
  }

  measure(measures: Map<string, MeasureRows>, measure: string): MeasureRows {
    let rows = measures.get(measure);
    if (rows === undefined) {
      rows = {
        measure,
        simple: measure.startsWith(SIMPLE_MEASURE_PREFIX),
        lastRecord: 0,
        byDates: [new Map(), new Map()],
      };
      measures.set(measure, rows);
      this.#bytes += MEASURE_BYTES;
    }
    return rows;
  }

  /** The row of a path and length; created, and then `fresh`, when there is none. */
  row(rows: RowsByPath, datePath: string, length: number): Row {
    const first = rows.get(datePath);
    let row = first;
    while (row !== undefined) {
      if (row.values.length === length) return row;
      row = row.next;
    }
    const made: Row = { values: new Float64Array(length), buildId: '', revision: '', fresh: true, next: first };
    rows.set(datePath, made);
    this.#bytes += ROW_BYTES + 8 * length + 2 * datePath.length;
    return made;
  }

  /**
   * Adds a whole row: buckets, five statistics, count.
   * @param source read from `offset`, `length` numbers
   */
  add(
    rows: MeasureRows,
    byDate: 0 | 1,
    datePath: string,
    source: ArrayLike<number>,
    offset: number,
    length: number,
    buildId: string,
    revision: string,
  ): void {
    const row = this.row(rows.byDates[byDate], datePath, length);
    const values = row.values;
    if (row.fresh) {
      for (let index = 0; index < length; index += 1) values[index] = source[offset + index] as number;
      row.fresh = false;
    } else {
      this.mixedStatistics += addRow(values, source, offset, rows.simple);
    }
    noteBuild(row, buildId, revision);
  }

  /** Every slot in the order of sorted files: channel/version, measure, by-date, path, date, length. */
  *sorted(): Generator<{ readonly channelVersion: string; readonly slot: Slot }> {
    for (const channelVersion of [...this.#channelVersions.keys()].sort()) {
      for (const slot of sortedSlots(this.measuresOf(channelVersion))) yield { channelVersion, slot };
    }
  }

  get channelVersions(): string[] {
    return [...this.#channelVersions.keys()].sort();
  }

  clear(): void {
    this.#channelVersions.clear();
    this.#bytes = 0;
  }
}

/** Slots of one channel/version in the order of sorted files. */
function* sortedSlots(measures: Map<string, MeasureRows>): Generator<Slot> {
  for (const measure of [...measures.keys()].sort()) {
    const rows = measures.get(measure);
    if (rows === undefined) continue;
    for (const [index, byDate] of BY_DATES.entries()) {
      const byPath = rows.byDates[index as 0 | 1];
      const keys = [...byPath.keys()].map((datePath) => ({
        datePath,
        path: datePath.slice(9),
        date: datePath.slice(0, 8),
      }));
      keys.sort((a, b) => compareText(a.path, b.path) || (a.date < b.date ? -1 : 1));
      for (const { datePath, path, date } of keys)
        yield* slotsOf(byPath.get(datePath), { measure, byDate, path, date });
    }
  }
}

function* slotsOf(
  first: Row | undefined,
  place: { measure: string; byDate: ByDate; path: string; date: string },
): Generator<Slot> {
  const rows: Row[] = [];
  for (let row = first; row !== undefined; row = row.next) if (!row.fresh) rows.push(row);
  if (rows.length > 1) rows.sort((a, b) => a.values.length - b.values.length);
  for (const { values, buildId, revision } of rows) {
    holdFinite(values);
    yield { ...place, values, buildId, revision };
  }
}

/** Measured on Node 24: objects, map entries and strings around the numbers. */
const ROW_BYTES = 220;
const MEASURE_BYTES = 600;
