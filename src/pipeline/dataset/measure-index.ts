/**
 * The index of a snapshot's measures, and their summaries: what a page needs for its list of measures and for the first
 * chart of one, without the rows of every filter id (docs/formats/published.md 5.10).
 */
import { addRow, holdFinite } from '../aggregates/merge-rule.ts';
import { type ByDate, SIMPLE_MEASURE_PREFIX, type Slot, SUM } from '../aggregates/slot.ts';
import { TextValues } from '../aggregates/text-values.ts';

export const INDEX_NAME = '_measures.json';

/** Of the text, uncompressed: a page loads one shard for each measure that it shows. */
const SHARD_LENGTH = 256 << 10;
/** Characters that the index keeps of a description; `histograms.json` has all. */
const MAX_DESCRIPTION = 500;
/** Newest submission dates in the line beside a measure's name. */
const SPARK_DATES = 30;

export interface IndexedMeasure {
  readonly measure: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** Of the shown length only. */
  readonly slots: Readonly<Record<ByDate, readonly Slot[]>>;
}

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
  readonly json: string;
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
  #shard: string[] = [];
  #length = 0;
  #shards = 0;

  /** @returns a shard, when the measure fills it */
  *add({ measure, definition, slots }: IndexedMeasure): Generator<SnapshotFile> {
    const simple = measure.startsWith(SIMPLE_MEASURE_PREFIX);
    const build = this.#summarise('by-build-date', slots['by-build-date'], simple);
    const submission = this.#summarise('by-submission-date', slots['by-submission-date'], simple);
    this.#entries.push({
      measure,
      kind: textOf(definition['kind']),
      description: textOf(definition['description']).slice(0, MAX_DESCRIPTION),
      shard: this.#shards,
      submissions: submissionsOf(submission.size > 0 ? submission : build),
      means: newestMeans(submission),
    });
    const text = `${JSON.stringify(measure)}:{"build":${summaryText(build)},"submission":${summaryText(submission)}}`;
    this.#shard.push(text);
    this.#length += text.length;
    if (this.#length >= SHARD_LENGTH) yield this.#endShard();
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

  #summarise(byDate: ByDate, slots: readonly Slot[], simple: boolean): Summary {
    const sums = new Map<string, Float64Array>();
    let row: Float64Array | undefined;
    for (const { date, values } of slots) {
      // Until it is kept as a sum, one row is enough for all that are added.
      row ??= new Float64Array(values.length);
      if (values instanceof TextValues) values.copyTo(row);
      else row.set(values);
      const sum = sums.get(date);
      if (sum !== undefined) addRow(sum, row, 0, simple);
      else {
        sums.set(date, row);
        this.#dates[byDate].add(date);
        row = undefined;
      }
    }
    for (const sum of sums.values()) holdFinite(sum);
    return new Map([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #endShard(): SnapshotFile {
    const file = { name: `${SUMMARY_PREFIX}${this.#shards}.json`, json: `{${this.#shard.join(',')}}` };
    this.#shard = [];
    this.#length = 0;
    this.#shards += 1;
    return file;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function summaryText(summary: Summary): string {
  return `{${[...summary].map(([date, sums]) => `"${date}":[${sums.join(',')}]`).join(',')}}`;
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
