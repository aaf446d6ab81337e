/**
 * The index of a snapshot's measures, and their summaries: what a page needs for its list of measures and for the first
 * chart of one, without the rows of every filter id (docs/formats/published.md 5.10).
 */
import { addFilled, holdFinite } from '../aggregates/merge-rule.ts';
import type { RowNumbers } from '../aggregates/row-numbers.ts';
import { type ByDate, SIMPLE_MEASURE_PREFIX, type Slot, SUM } from '../aggregates/slot.ts';
import { TextBytes } from './text-bytes.ts';
import { type RowTaker, type ShownMeasure, takeRows } from './measure-rows.ts';

export const INDEX_NAME = '_measures.json';

/** Of the measures' text, uncompressed: a page loads one shard for each measure that it shows. */
const SHARD_LENGTH = 256 << 10;
/** Characters that the index keeps of a description; `histograms.json` has all. */
const MAX_DESCRIPTION = 500;
/** Newest submission dates in the line beside a measure's name. */
const SPARK_DATES = 30;

interface Entry {
  readonly measure: string;
  readonly kind: string;
  readonly description: string;
  readonly shard: number;
  readonly submissions: number;
  /** Submission date → mean, of the newest dates that the measure has. */
  readonly means: ReadonlyMap<string, number>;
}

export interface SnapshotFile {
  /** Name inside the folder. */
  readonly name: string;
  readonly json: string | Buffer;
}

/** Sums of all filter ids, by date. */
type Summary = ReadonlyMap<string, Float64Array>;

/** Whether a file of a folder is the index or a summary. */
export function isIndexFile(name: string): boolean {
  return name === INDEX_NAME || isSummaryFile(name);
}

/** What the names of all summaries begin with. */
export const SUMMARY_PREFIX = '_summary-';

export function isSummaryFile(name: string): boolean {
  return /^_summary-\d+\.json$/.test(name);
}

/** Measures are added in the order of their names; one shard of summaries is in memory at a time. */
export class MeasureIndex {
  readonly #entries: Entry[] = [];
  readonly #dates: Record<ByDate, Set<string>> = { 'by-build-date': new Set(), 'by-submission-date': new Set() };
  readonly #shard = new TextBytes();
  /** Measures in it. */
  #measures = 0;
  #shards = 0;

  /**
   * @param others take the rows as well
   * @returns a shard, when the measure fills it
   */
  *add(shown: ShownMeasure, others: readonly RowTaker[] = []): Generator<SnapshotFile> {
    const sums = new DateSums();
    takeRows(shown, [sums, ...others]);
    const { measure, definition } = shown;
    const build = this.#summary('by-build-date', sums);
    const submission = this.#summary('by-submission-date', sums);
    this.#entries.push({
      measure,
      kind: textOf(definition['kind']),
      description: textOf(definition['description']).slice(0, MAX_DESCRIPTION),
      shard: this.#shards,
      submissions: submissionsOf(submission.size > 0 ? submission : build),
      means: newestMeans(submission),
    });
    this.#shard.text(`${this.#shard.length === 0 ? '{' : ','}${JSON.stringify(measure)}:{"build":`);
    writeSummary(this.#shard, build);
    this.#shard.text(',"submission":');
    writeSummary(this.#shard, submission);
    this.#shard.text('}');
    this.#measures += 1;
    if (this.#shard.length - this.#measures >= SHARD_LENGTH) yield this.#endShard();
  }

  /** The last shard, if it has measures, and the index. */
  *end(): Generator<SnapshotFile> {
    if (this.#shard.length > 0) yield this.#endShard();
    const dates = {
      build: [...this.#dates['by-build-date']].sort(),
      submission: [...this.#dates['by-submission-date']].sort(),
    };
    const shown = dates.submission.slice(-SPARK_DATES);
    const measures = this.#entries.map(({ measure, kind, description, shard, submissions, means }) => {
      const spark = shown.map((date) => means.get(date) ?? null);
      return `${JSON.stringify(measure)}:${JSON.stringify({ kind, description, shard, submissions, spark })}`;
    });
    const head = JSON.stringify({ format: 1, dates, shards: this.#shards });
    yield { name: INDEX_NAME, json: `${head.slice(0, -1)},"measures":{${measures.join(',')}}}` };
  }

  #summary(byDate: ByDate, { sums }: DateSums): Summary {
    for (const [date, sum] of sums[byDate]) {
      this.#dates[byDate].add(date);
      holdFinite(sum);
    }
    return new Map([...sums[byDate]].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #endShard(): SnapshotFile {
    this.#shard.text('}');
    const file = { name: `${SUMMARY_PREFIX}${this.#shards}.json`, json: this.#shard.take() };
    this.#measures = 0;
    this.#shards += 1;
    return file;
  }
}

/** The sums of a measure. */
class DateSums implements RowTaker {
  readonly sums: Readonly<Record<ByDate, Map<string, Float64Array>>> = {
    'by-build-date': new Map(),
    'by-submission-date': new Map(),
  };
  #simple = false;

  beginMeasure({ measure }: ShownMeasure): void {
    this.#simple = measure.startsWith(SIMPLE_MEASURE_PREFIX);
  }

  addRow({ byDate, date }: Slot, row: RowNumbers): void {
    const sum = this.sums[byDate].get(date);
    if (sum === undefined) this.sums[byDate].set(date, row.numbers.slice(0, row.length));
    else addFilled(sum, row, this.#simple);
  }

  endMeasure(): void {
    // All sums are there.
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const OPEN = 0x5b;
const COMMA = 0x2c;

function writeSummary(output: TextBytes, summary: Summary): void {
  let isFirst = true;
  for (const [date, sums] of summary) {
    output.text(`${isFirst ? '{' : ','}"${date}":`);
    for (let index = 0; index < sums.length; index += 1) {
      output.byte(index === 0 ? OPEN : COMMA);
      output.number(sums[index] as number);
    }
    output.text(']');
    isFirst = false;
  }
  output.text(isFirst ? '{}' : '}');
}

function submissionsOf(summary: Summary): number {
  let submissions = 0;
  for (const sums of summary.values()) submissions += sums.at(-1) ?? 0;
  return Math.min(submissions, Number.MAX_VALUE);
}

function newestMeans(summary: Summary): Map<string, number> {
  const means = new Map<string, number>();
  for (const [date, sums] of [...summary].slice(-SPARK_DATES)) {
    const mean = meanOf(sums);
    if (mean !== undefined) means.set(date, mean);
  }
  return means;
}

/** Of hits, to four digits; undefined without hits and without a recorded sum. */
function meanOf(sums: Float64Array): number | undefined {
  const buckets = sums.length - SUM;
  let hits = 0;
  for (let index = 0; index < buckets; index += 1) hits += sums[index] as number;
  const sum = sums[buckets] as number;
  const mean = sum / hits;
  return hits > 0 && sum >= 0 && Number.isFinite(mean) ? Number(mean.toPrecision(4)) : undefined;
}
