/**
 * `aggregates.parquet`: all rows of a snapshot as one table for analysts (docs/formats/published.md 5.13). A row group has
 * whole measures, so that a query of one measure reads one or two of them.
 */
import { bucketsOf } from '../../../histograms/buckets.ts';
import type { RawDefinition } from '../../../histograms/definition.ts';
import { holdFinite } from '../../aggregates/merge-rule.ts';
import type { RowNumbers } from '../../aggregates/row-numbers.ts';
import { type ByDate, type Slot, TRAILER } from '../../aggregates/slot.ts';
import { TextValues } from '../../aggregates/text-values.ts';
import { dayNumber } from '../../calendar-day.ts';
import type { RowTaker, ShownMeasure } from '../measure-rows.ts';
import { statisticsOf } from '../statistics.ts';
import { type Column, DateColumn, DoubleColumn, TextColumn, WholeColumn, WholesColumn } from './columns.ts';
import { ParquetFile, type ParquetOptions } from './parquet-file.ts';

export const PARQUET_NAME = 'aggregates.parquet';

/** Fewer rows than this do not outweigh what the footer says of their row group. */
const MIN_ROWS = 3072;
/** Rows and buckets of a row group in memory; a larger measure has several row groups. */
const GROUP_ROWS = 1 << 16;
const GROUP_BUCKETS = 1 << 20;
const MAX_DAYS = 1 << 12;
const MAX_PATHS = 1 << 12;

const DATE_OF: Readonly<Record<ByDate, string>> = { 'by-build-date': 'build', 'by-submission-date': 'submission' };

/** Measures are added in the order of their names, each with its rows in slot order. */
export class AggregatesTable implements RowTaker {
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
  #rows = 0;
  #buckets = 0;
  /** Days of the dates that were added last. */
  readonly #days = new Map<string, number | undefined>();
  #measure = '';
  #definition: ShownMeasure['definition'] = {};
  /** Of the measure that is added, in the row group that is filled. */
  #bounds: Uint32Array | undefined;
  /** Options of paths. */
  readonly #options = new Map<string, readonly string[]>();

  /** @param channelVersion `channel/version`, the same in every row */
  constructor(channelVersion: string, output: Pick<ParquetOptions, 'compress' | 'write'>) {
    const [channel = '', version = ''] = channelVersion.split('/');
    this.#channel = channel;
    this.#version = version;
    this.#file = new ParquetFile({ ...output, columns: Object.values(this.#columns), sortedBy: 2 });
  }

  beginMeasure({ measure, definition }: ShownMeasure): void {
    this.#measure = measure;
    this.#definition = definition;
    this.#bounds = undefined;
  }

  addRow(slot: Slot, numbers: RowNumbers): void {
    const buckets = numbers.length - TRAILER;
    if (this.#rows === GROUP_ROWS || this.#buckets + buckets > GROUP_BUCKETS) this.#endRowGroup();
    this.#bounds ??= this.#columns.bounds.indexesOf(boundsOf(this.#definition, buckets));
    this.#addTexts(slot);
    this.#columns.bounds.addSame(this.#bounds);
    if (!(slot.values instanceof TextValues)) holdFinite(numbers.numbers.subarray(0, numbers.length));
    this.#addNumbers(numbers, buckets);
    this.#rows += 1;
    this.#buckets += buckets;
  }

  endMeasure(): void {
    if (this.#rows >= MIN_ROWS) this.#endRowGroup();
  }

  /** Writes what is left, and the footer. */
  end(): void {
    if (this.#rows > 0) this.#endRowGroup();
    this.#file.end();
  }

  #addTexts({ measure, byDate, path, date, buildId, revision }: Slot): void {
    const columns = this.#columns;
    columns.measure.add(measure);
    columns.dateOf.add(DATE_OF[byDate]);
    columns.date.add(this.#dayOf(date));
    this.#addFilter(path);
    columns.channel.add(this.#channel);
    columns.version.add(this.#version);
    columns.buildId.add(buildId);
    columns.revision.add(revision);
  }

  #dayOf(date: string): number | undefined {
    const known = this.#days.get(date);
    if (known !== undefined) return known;
    if (this.#days.size === MAX_DAYS) this.#days.clear();
    const day = dayNumber(date);
    this.#days.set(date, day);
    return day;
  }

  #addFilter(path: string): void {
    let options = this.#options.get(path);
    if (options === undefined) {
      options = path.split('/');
      if (this.#options.size === MAX_PATHS) this.#options.clear();
      this.#options.set(path, options);
    }
    this.#columns.reason.add(options[0] ?? '');
    this.#columns.application.add(options[1] ?? '');
    this.#columns.os.add(options[2] ?? '');
    this.#columns.osVersion.add(options[3] ?? '');
    this.#columns.arch.add(options[4] ?? '');
  }

  #addNumbers(row: RowNumbers, buckets: number): void {
    const columns = this.#columns;
    columns.counts.addFilled(row, buckets);
    const statistics = statisticsOf(this.#measure, row.numbers, buckets);
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
function boundsOf(definition: ShownMeasure['definition'], buckets: number): readonly number[] {
  const { bounds } = bucketsOf(definition as RawDefinition);
  return bounds?.length === buckets ? bounds : Array.from({ length: buckets }, (_, index) => index);
}
