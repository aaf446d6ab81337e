/**
 * Submissions → aggregates: what each record of a submission file adds to which row
 * (docs/formats/submissions.md 3.2–3.7).
 */
import {
  COUNT,
  LOG_SUM,
  LOG_SUM_SQUARES,
  MISSING,
  SIMPLE_MEASURE_BUILD_ID,
  SIMPLE_MEASURE_REVISION,
  SUM,
  SUM_SQUARES_HI,
  SUM_SQUARES_LO,
  TRAILER,
} from '../aggregates/slot.ts';
import { noteBuild } from '../aggregates/merge-rule.ts';
import { isSubmittedRow, MAX_ROW, MAX_STATISTIC } from '../aggregates/row-limits.ts';
import type { MeasureRows, SlotTable } from '../aggregates/slot-table.ts';
import { BadHistogramCounts } from '../bad-histograms.ts';
import { dayNumber } from '../calendar-day.ts';
import { parseInputKey, type SubmissionDimensions } from '../input-bucket/key.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { isMeasureName, MAX_MEASURE } from '../safe-segment.ts';
import { type LinuxVersion, osVersion, pathPart } from './filter-path.ts';
import { SubmissionReader } from './record.ts';
import { SIMPLE_MEASURE_BOUNDS, simpleMeasureBucket, simpleMeasureName } from './simple-measures.ts';

export interface SubmissionRules {
  readonly linuxVersion: LinuxVersion;
  /** Revision of submissions that name none; null for none. */
  readonly fallbackRevision: string | null;
  /** Require 14 digits in every build id. */
  readonly strictBuildId: boolean;
  /** Longest histogram array taken: buckets and five statistics. */
  readonly maxHistogramLength: number;
}

export const DEFAULT_RULES: SubmissionRules = {
  linuxVersion: 'first3',
  fallbackRevision: null,
  strictBuildId: false,
  maxHistogramLength: MAX_ROW - 1,
};

/** A build is counted by submission date for this many days (docs/formats/submissions.md 3.3). */
const MAX_BUILD_AGE_DAYS = 60;
/** Shortest kind: three buckets and five statistics. */
const MIN_HISTOGRAM_LENGTH = 8;

export class SubmissionAggregator {
  /** Submissions counted. */
  records = 0;
  /** What was left out or changed, by reason. */
  readonly skipped: Record<string, number> = {};
  readonly badHistograms = new BadHistogramCounts();
  readonly #table: SlotTable;
  readonly #rules: SubmissionRules;
  #dimensions: SubmissionDimensions | undefined;
  #measures: Map<string, MeasureRows> = new Map();
  #bySubmission = false;
  #buildInFuture = false;
  readonly #reader: SubmissionReader;
  /** Number of the record, by which a measure that comes twice in it is recognised. */
  #recordNumber = 0;
  readonly #simpleNames = new Map<string, string>();
  readonly #goodNames = new Set<string>();
  readonly #parts = new Map<string, string>();
  readonly #paths = new Map<string, string>();
  /** Names whose last histogram in the record was invalid, so that an earlier one does not count either. */
  readonly #refused = new Set<string>();

  constructor(table: SlotTable, rules: SubmissionRules) {
    this.#table = table;
    this.#rules = rules;
    this.#reader = new SubmissionReader(rules.maxHistogramLength);
  }

  /**
   * Begins a submission file; its key names the dimensions of all its records.
   * @throws InvalidDataError `bad_key`: nothing of the file can be counted
   */
  openFile(key: string): void {
    const dimensions = parseInputKey(key, this.#rules.strictBuildId);
    const age = (dayNumber(dimensions.submissionDate) ?? 0) - (dayNumber(dimensions.buildDate) ?? 0);
    this.#dimensions = dimensions;
    this.#bySubmission = age <= MAX_BUILD_AGE_DAYS;
    this.#buildInFuture = age < 0;
  }

  /**
   * Counts one line of the open file, at [start, end) and without its LF; an invalid submission is counted by its
   * reason.
   */
  addLine(bytes: Uint8Array, start: number, end: number): void {
    const fault = this.#faultOf(bytes, start, end);
    if (fault === '') this.#addRecord(this.#reader);
    else this.note(fault);
  }

  #faultOf(bytes: Uint8Array, start: number, end: number): string {
    try {
      return this.#reader.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      return error.reason;
    }
  }

  note(reason: string, count = 1): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + count;
  }

  #addRecord(reader: SubmissionReader): void {
    const dimensions = this.#dimensions;
    if (dimensions === undefined) throw new Error('openFile comes before addLine');
    const { buildDate, submissionDate } = dimensions;
    // Asked for each submission: the table may have been emptied since the last one.
    this.#measures = this.#table.measuresOf(dimensions.channelVersion);
    const path = this.#filterPath(reader, dimensions);
    const builds = this.#interned(`${buildDate}/${path}`);
    const submissions = this.#bySubmission ? this.#interned(`${submissionDate}/${path}`) : undefined;
    this.#recordNumber += 1;
    this.#addHistograms(reader, dimensions.buildId, builds, submissions);
    this.#addSimpleMeasurements(reader, builds, submissions);
    this.records += 1;
    if (this.#buildInFuture) this.note('build_in_future');
  }

  #filterPath(reader: SubmissionReader, { reason, appName }: SubmissionDimensions): string {
    const version = osVersion(reader.os, reader.osVersion, this.#rules.linuxVersion);
    return `${reason}/${appName}/${this.#part(reader.os)}/${this.#part(version)}/${this.#part(reader.arch)}`;
  }

  #addHistograms(reader: SubmissionReader, buildId: string, builds: string, submissions: string | undefined): void {
    const { histogramNames: names, histogramPlaces: places } = reader;
    const revision = reader.revision ?? this.#rules.fallbackRevision ?? '';
    const table = this.#table;
    // Backwards, so that of a histogram that comes twice the last one counts.
    for (let index = names.length - 1; index >= 0; index -= 1) {
      const start = places[2 * index] as number;
      const length = places[2 * index + 1] as number;
      const rows = this.#rowsOf(names[index] as string, start, length);
      if (rows === undefined) continue;
      table.add(rows, 0, builds, reader.arena, start, length + 1, buildId, revision);
      if (submissions !== undefined)
        table.add(rows, 1, submissions, reader.arena, start, length + 1, buildId, revision);
    }
    this.#refused.clear();
  }

  /** The measure of a histogram of the record; undefined, and counted, when it must not be added. */
  #rowsOf(name: string, start: number, length: number): MeasureRows | undefined {
    const known = this.#measures.get(name);
    if (known === undefined && !this.#isMeasureName(name)) {
      this.note('bad_measure_name');
      return undefined;
    }
    if (known?.lastRecord === this.#recordNumber) return undefined;
    if (this.#refused.size > 0 && this.#refused.has(name)) return undefined;
    if (!this.#isHistogram(start, length)) {
      this.#refused.add(name);
      this.note('bad_histogram');
      this.badHistograms.note(name);
      return undefined;
    }
    const rows = known ?? this.#table.measure(this.#measures, name);
    rows.lastRecord = this.#recordNumber;
    return rows;
  }

  /** Checks the array and writes a count of 1 after it. */
  #isHistogram(start: number, length: number): boolean {
    if (length < MIN_HISTOGRAM_LENGTH) return false;
    const arena = this.#reader.arena;
    if (!isSubmittedRow(arena, start, start + length)) return false;
    arena[start + length] = 1;
    return true;
  }

  #addSimpleMeasurements(reader: SubmissionReader, builds: string, submissions: string | undefined): void {
    // Members that come twice count once, the last time; different names that end up in one measure count each.
    const lastValues = new Map<string, number>();
    for (const [index, name] of reader.simpleNames.entries()) {
      const sub = reader.simpleSubNames[index];
      // Looked at before anything is made of it.
      if (name.length > MAX_MEASURE || (sub?.length ?? 0) > MAX_MEASURE || name.includes('\0'))
        this.note('bad_measure_name');
      else lastValues.set(sub === undefined ? name : `${name}\0${sub}`, reader.simpleValues[index] ?? 0);
    }
    const seen = new Set<string>();
    for (const [key, value] of lastValues) this.#addSimple(this.#simpleName(key), value, builds, submissions, seen);
  }

  #addSimple(measure: string, value: number, builds: string, submissions: string | undefined, seen: Set<string>): void {
    if (!this.#isMeasureName(measure)) this.note('bad_measure_name');
    else if (!(Math.abs(value) <= MAX_STATISTIC)) this.note('bad_simple_measure');
    else {
      if (seen.has(measure)) this.note('name_collision');
      seen.add(measure);
      if (value < 0) this.note('negative_simple');
      const rows = this.#table.measure(this.#measures, measure);
      this.#addValue(rows, 0, builds, value);
      if (submissions !== undefined) this.#addValue(rows, 1, submissions, value);
    }
  }

  #addValue(rows: MeasureRows, byDate: 0 | 1, datePath: string, value: number): void {
    const length = SIMPLE_MEASURE_BOUNDS.length + TRAILER;
    const row = this.#table.row(rows.byDates[byDate], datePath, length);
    const values = row.values;
    const bucket = simpleMeasureBucket(value);
    const log = Math.log(Math.abs(value) + 1);
    if (bucket >= 0) values[bucket] = (values[bucket] ?? 0) + 1;
    values[length - SUM] = (values[length - SUM] ?? 0) + value;
    values[length - LOG_SUM] = (values[length - LOG_SUM] ?? 0) + log;
    values[length - LOG_SUM_SQUARES] = (values[length - LOG_SUM_SQUARES] ?? 0) + log * log;
    values[length - SUM_SQUARES_LO] = MISSING;
    values[length - SUM_SQUARES_HI] = MISSING;
    values[length - COUNT] = (values[length - COUNT] ?? 0) + 1;
    row.fresh = false;
    noteBuild(row, SIMPLE_MEASURE_BUILD_ID, SIMPLE_MEASURE_REVISION);
  }

  /** @param key name, or name NUL sub-name */
  #simpleName(key: string): string {
    let measure = this.#simpleNames.get(key);
    if (measure === undefined) {
      const [name = '', sub] = key.split('\0');
      measure = simpleMeasureName(name, sub);
      if (this.#simpleNames.size < MAX_REMEMBERED) this.#simpleNames.set(key, measure);
    }
    return measure;
  }

  /** The same text as one object: the table finds a row much faster by it than by a text that was just put together. */
  #interned(path: string): string {
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    if (this.#paths.size < MAX_REMEMBERED) this.#paths.set(path, path);
    return path;
  }

  #isMeasureName(name: string): boolean {
    if (this.#goodNames.has(name)) return true;
    if (!isMeasureName(name)) return false;
    if (this.#goodNames.size < MAX_REMEMBERED) this.#goodNames.add(name);
    return true;
  }

  #part(text: string): string {
    let part = this.#parts.get(text);
    if (part === undefined) {
      part = pathPart(text);
      if (this.#parts.size < MAX_REMEMBERED && text.length <= MAX_REMEMBERED_TEXT) this.#parts.set(text, part);
    }
    if (part !== text) this.note('sanitised_value');
    return part;
  }
}

/** Bounds the memory for verdicts on names; submitters choose them. */
const MAX_REMEMBERED = 20_000;
const MAX_REMEMBERED_TEXT = 128;
