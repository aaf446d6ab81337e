/**
 * Submissions → aggregates: what each record of a submission file adds to which row
 * (docs/formats/submissions.md 3.2–3.7).
 */
import { MAX_ROW } from '../aggregates/row-limits.ts';
import { BadHistogramCounts } from '../bad-histograms.ts';
import { dayNumber } from '../calendar-day.ts';
import { parseInputKey, type SubmissionDimensions } from '../input-bucket/key.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { type LinuxVersion, osVersion, pathPart } from './filter-path.ts';
import { SubmissionReader } from './record.ts';
import type { SubmissionSource, SubmissionSums } from './sums.ts';

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

export class SubmissionAggregator {
  /** Submissions counted. */
  records = 0;
  /** What was left out or changed, by reason. */
  readonly skipped: Record<string, number> = {};
  readonly badHistograms = new BadHistogramCounts();
  readonly #sums: SubmissionSums;
  readonly #rules: SubmissionRules;
  #dimensions: SubmissionDimensions | undefined;
  #buildInFuture = false;
  #source: SubmissionSource | undefined;
  readonly #reader: SubmissionReader;
  readonly #parts = new Map<string, string>();

  constructor(sums: SubmissionSums, rules: SubmissionRules) {
    this.#sums = sums;
    this.#rules = rules;
    this.#reader = new SubmissionReader(sums, rules.maxHistogramLength);
  }

  /**
   * Begins a submission file; its key names the dimensions of all its records.
   * @throws InvalidDataError `bad_key`: nothing of the file can be counted
   */
  openFile(key: string): void {
    const dimensions = parseInputKey(key, this.#rules.strictBuildId);
    const age = (dayNumber(dimensions.submissionDate) ?? 0) - (dayNumber(dimensions.buildDate) ?? 0);
    const { channelVersion, buildDate, submissionDate } = dimensions;
    this.#dimensions = dimensions;
    this.#buildInFuture = age < 0;
    this.#source = {
      channelVersion,
      buildDate,
      submissionDate: age <= MAX_BUILD_AGE_DAYS ? submissionDate : undefined,
    };
    this.openSource();
  }

  /** Once more for the open file, after the sums were cleared. */
  openSource(): void {
    if (this.#source !== undefined) this.#sums.openSource(this.#source);
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
    const path = this.#filterPath(reader, dimensions);
    const revision = reader.revision ?? this.#rules.fallbackRevision ?? '';
    const { names, measures } = this.#sums.addHistograms(path, dimensions.buildId, revision);
    if (names > 0) this.note('bad_measure_name', names);
    for (const measure of measures) {
      this.note('bad_histogram');
      this.badHistograms.note(measure);
    }
    this.#addSimpleMeasurements(path);
    this.records += 1;
    if (this.#buildInFuture) this.note('build_in_future');
  }

  #filterPath(reader: SubmissionReader, { reason, appName }: SubmissionDimensions): string {
    const version = osVersion(reader.os, reader.osVersion, this.#rules.linuxVersion);
    return `${reason}/${appName}/${this.#part(reader.os)}/${this.#part(version)}/${this.#part(reader.arch)}`;
  }

  #addSimpleMeasurements(path: string): void {
    const { names, values, negative, collisions } = this.#sums.addSimple(path);
    if (names > 0) this.note('bad_measure_name', names);
    if (values > 0) this.note('bad_simple_measure', values);
    if (negative > 0) this.note('negative_simple', negative);
    if (collisions > 0) this.note('name_collision', collisions);
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

/** Bounds the memory for parts of paths; submitters choose them. */
const MAX_REMEMBERED = 20_000;
const MAX_REMEMBERED_TEXT = 128;
