/**
 * `aggregates.parquet`: all rows of a snapshot as one table for analysts (docs/formats/published.md 5.13). A row group has
 * whole measures, so that a query of one measure reads one or two of them.
 */
import { bucketsOf } from '../../../histograms/buckets.ts';
import type { RawDefinition } from '../../../histograms/definition.ts';
import { holdFinite } from '../../aggregates/merge-rule.ts';
import { MAX_ROW } from '../../aggregates/row-limits.ts';
import { BY_DATES, type ByDate, type RowValues, type Slot, TRAILER } from '../../aggregates/slot.ts';
import { TextValues } from '../../aggregates/text-values.ts';
import { dayNumber } from '../../calendar-day.ts';
import type { IndexedMeasure } from '../measure-index.ts';
import { statisticsOf } from '../statistics.ts';
import { type Column, DateColumn, DoubleColumn, TextColumn, WholeColumn, WholesColumn } from './columns.ts';
import { ParquetFile, type ParquetOptions } from './parquet-file.ts';

export const PARQUET_NAME = 'aggregates.parquet';

/** Fewer rows than this do not outweigh what the footer says of their row group. */
const MIN_ROWS = 2048;
/** Rows and buckets of a row group in memory; a larger measure has several row groups. */
const GROUP_ROWS = 1 << 16;
const GROUP_BUCKETS = 1 << 20;

const DATE_OF: Readonly<Record<ByDate, string>> = { 'by-build-date': 'build', 'by-submission-date': 'submission' };

/** Measures are added in the order of their names, each with its rows in slot order. */
export class AggregatesTable {
  readonly #columns = {
    measure: new TextColumn('measure', GROUP_ROWS, { ranged: true }),
    dateOf: new TextColumn('date_of', GROUP_ROWS, { ranged: true }),
    date: new DateColumn('date', GROUP_ROWS),
    reason: new TextColumn('reason', GROUP_ROWS),
    application: new TextColumn('application', GROUP_ROWS),
    os: new TextColumn('os', GROUP_ROWS),
    osVersion: new TextColumn('os_version', GROUP_ROWS),
    arch: new TextColumn('arch', GROUP_ROWS),
    channel: new TextColumn('channel', GROUP_ROWS),
    version: new TextColumn('version', GROUP_ROWS),
    buildId: new TextColumn('build_id', GROUP_ROWS),
    revision: new TextColumn('revision', GROUP_ROWS),
    submissions: new WholeColumn('submissions', GROUP_ROWS),
    sum: new DoubleColumn('sum', GROUP_ROWS),
    sumSquares: new DoubleColumn('sum_squares', GROUP_ROWS),
    logSum: new DoubleColumn('log_sum', GROUP_ROWS),
    logSumSquares: new DoubleColumn('log_sum_squares', GROUP_ROWS),
    bounds: new WholesColumn('bounds', GROUP_BUCKETS),
    counts: new WholesColumn('counts', GROUP_BUCKETS),
  } as const satisfies Record<string, Column>;
  readonly #file: ParquetFile;
  readonly #channel: string;
  readonly #version: string;
  /** The numbers of the row that is added. */
  readonly #row = new Float64Array(MAX_ROW);
  #rows = 0;
  #buckets = 0;
  /** Of the measure that is added, in the row group that is filled. */
  #bounds: Uint32Array | undefined;
  #path = '';
  #options: readonly string[] = [];

  /** @param channelVersion `channel/version`, the same in every row */
  constructor(channelVersion: string, output: Pick<ParquetOptions, 'compress' | 'write'>) {
    const [channel = '', version = ''] = channelVersion.split('/');
    this.#channel = channel;
    this.#version = version;
    this.#file = new ParquetFile({ ...output, columns: Object.values(this.#columns), sortedBy: 2 });
  }

  /** Adds the rows of a measure. */
  add({ measure, definition, slots }: IndexedMeasure): void {
    this.#bounds = undefined;
    for (const byDate of BY_DATES) {
      for (const slot of slots[byDate]) {
        const buckets = slot.values.length - TRAILER;
        if (this.#rows === GROUP_ROWS || this.#buckets + buckets > GROUP_BUCKETS) this.#endRowGroup();
        this.#bounds ??= this.#columns.bounds.indexesOf(boundsOf(definition, buckets));
        this.#addRow(measure, slot, this.#bounds);
      }
    }
    if (this.#rows >= MIN_ROWS) this.#endRowGroup();
  }

  /** Writes what is left, and the footer. */
  end(): void {
    if (this.#rows > 0) this.#endRowGroup();
    this.#file.end();
  }

  #addRow(measure: string, { byDate, path, date, values, buildId, revision }: Slot, bounds: Uint32Array): void {
    const columns = this.#columns;
    columns.measure.add(measure);
    columns.dateOf.add(DATE_OF[byDate]);
    columns.date.add(dayNumber(date));
    this.#addFilter(path);
    columns.channel.add(this.#channel);
    columns.version.add(this.#version);
    columns.buildId.add(buildId);
    columns.revision.add(revision);
    columns.bounds.addSame(bounds);
    this.#addNumbers(measure, values, bounds.length);
    this.#rows += 1;
    this.#buckets += bounds.length;
  }

  #addFilter(path: string): void {
    if (path !== this.#path) {
      this.#path = path;
      this.#options = path.split('/');
    }
    const [reason = '', application = '', os = '', osVersion = '', arch = ''] = this.#options;
    this.#columns.reason.add(reason);
    this.#columns.application.add(application);
    this.#columns.os.add(os);
    this.#columns.osVersion.add(osVersion);
    this.#columns.arch.add(arch);
  }

  #addNumbers(measure: string, values: RowValues, buckets: number): void {
    const columns = this.#columns;
    const row = this.#row;
    if (values instanceof TextValues) values.copyTo(row);
    else {
      row.set(values);
      holdFinite(row.subarray(0, values.length));
    }
    columns.counts.add(row, buckets);
    const statistics = statisticsOf(measure, row.subarray(buckets));
    columns.sum.add(statistics.sum);
    columns.logSum.add(statistics.logSum);
    columns.logSumSquares.add(statistics.logSumSquares);
    columns.sumSquares.add(statistics.sumSquares);
    columns.submissions.add(statistics.submissions);
  }

  #endRowGroup(): void {
    this.#file.endRowGroup(this.#rows);
    this.#rows = 0;
    this.#buckets = 0;
    this.#bounds = undefined;
  }
}

/** Least value of each bucket. Every published definition has them; without, buckets have their numbers. */
function boundsOf(definition: IndexedMeasure['definition'], buckets: number): readonly number[] {
  const { bounds } = bucketsOf(definition as RawDefinition);
  return bounds?.length === buckets ? bounds : Array.from({ length: buckets }, (_, index) => index);
}
