/**
 * The index of a snapshot's measures, and their summaries: what a page needs for its list of measures and for the first
 * chart of one, without the rows of every filter id (docs/formats/published.md 5.10).
 */
import type { ByDate } from '../aggregates/slot.ts';
import type { DateSums, FileSummary } from './summary.ts';

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

export interface IndexedMeasure {
  readonly measure: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** Of both files. */
  readonly summaries: Readonly<Record<ByDate, FileSummary>>;
}

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
  #shard: Buffer[] = [];
  #bytes = 0;
  /** Measures in it. */
  #measures = 0;
  #shards = 0;

  /** @returns a shard, when the measure fills it */
  *add({ measure, definition, summaries }: IndexedMeasure): Generator<SnapshotFile> {
    const build = summaries['by-build-date'];
    const submission = summaries['by-submission-date'];
    for (const { date } of build.dates) this.#dates['by-build-date'].add(date);
    for (const { date } of submission.dates) this.#dates['by-submission-date'].add(date);
    this.#entries.push({
      measure,
      kind: textOf(definition['kind']),
      description: textOf(definition['description']).slice(0, MAX_DESCRIPTION),
      shard: this.#shards,
      submissions: submissionsOf(submission.dates.length > 0 ? submission : build),
      means: newestMeans(submission),
    });
    this.#write(Buffer.from(`${this.#shard.length === 0 ? '{' : ','}${JSON.stringify(measure)}:{"build":{`));
    this.#write(withoutComma(build.text), BETWEEN, withoutComma(submission.text), BEHIND);
    this.#measures += 1;
    // Without the brace and the commas before its measures.
    if (this.#bytes - this.#measures >= SHARD_LENGTH) yield this.#endShard();
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

  #write(...texts: readonly Buffer[]): void {
    for (const text of texts) {
      this.#shard.push(text);
      this.#bytes += text.length;
    }
  }

  #endShard(): SnapshotFile {
    this.#write(END);
    const file = { name: `${SUMMARY_PREFIX}${this.#shards}.json`, json: Buffer.concat(this.#shard) };
    this.#shard = [];
    this.#bytes = 0;
    this.#measures = 0;
    this.#shards += 1;
    return file;
  }
}

const BETWEEN = Buffer.from('},"submission":{');
const BEHIND = Buffer.from('}}');
const END = Buffer.from('}');

/** Behind each date there is one. */
function withoutComma(text: Buffer): Buffer {
  return text.subarray(0, -1);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function submissionsOf({ dates }: FileSummary): number {
  let sum = 0;
  for (const { submissions } of dates) sum += submissions;
  return Math.min(sum, Number.MAX_VALUE);
}

function newestMeans({ dates }: FileSummary): Map<string, number> {
  const means = new Map<string, number>();
  for (const sums of dates.slice(-SPARK_DATES)) {
    const mean = meanOf(sums);
    if (mean !== undefined) means.set(sums.date, mean);
  }
  return means;
}

/** Of hits, to four digits; undefined without hits and without a recorded sum. */
function meanOf({ hits, sum }: DateSums): number | undefined {
  const mean = sum / hits;
  return hits > 0 && sum >= 0 && Number.isFinite(mean) ? Number(mean.toPrecision(4)) : undefined;
}
