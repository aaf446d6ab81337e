/**
 * Submissions → aggregates: what each record of a submission file adds to which row
 * (docs/formats/submissions.md 3.2–3.7).
 */
import { MAX_ROW, MAX_STATISTIC } from '../aggregates/row-limits.ts';
import { BadHistogramCounts } from '../bad-histograms.ts';
import { dayNumber } from '../calendar-day.ts';
import { parseInputKey, type SubmissionDimensions } from '../input-bucket/key.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { isMeasureName, MAX_MEASURE } from '../safe-segment.ts';
import { type LinuxVersion, osVersion, pathPart } from './filter-path.ts';
import { SubmissionReader } from './record.ts';
import { simpleMeasureBucket, simpleMeasureName } from './simple-measures.ts';
import type { MemberName, SubmissionSource, SubmissionSums } from './sums.ts';

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

/** A simple measurement's name, and where it stands in the record that had it last. */
interface SimpleName {
  readonly measure: string;
  readonly isMeasure: boolean;
  /** Of all names that end up in this measure: the record that had one of them last. */
  readonly last: { record: number };
  record: number;
  place: number;
}

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
  /** By name and sub-name. */
  readonly #simpleNames = new Map<string, Map<string | undefined, SimpleName>>();
  readonly #simpleMeasures = new Map<string, SimpleName['last']>();
  /** Names by the object that stands for them: most are those of the submission before. */
  readonly #recentNames = new Map<MemberName, SimpleName>();
  #simpleCount = 0;
  /** Those of a record, which the next one overwrites. */
  readonly #simpleOfRecord: SimpleName[] = [];
  readonly #simpleValues: number[] = [];
  /** Number of the record, by which a name that comes twice in it is recognised. */
  #record = 0;
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
    this.#addSimpleMeasurements(reader, path);
    this.records += 1;
    if (this.#buildInFuture) this.note('build_in_future');
  }

  #filterPath(reader: SubmissionReader, { reason, appName }: SubmissionDimensions): string {
    const version = osVersion(reader.os, reader.osVersion, this.#rules.linuxVersion);
    return `${reason}/${appName}/${this.#part(reader.os)}/${this.#part(version)}/${this.#part(reader.arch)}`;
  }

  #addSimpleMeasurements(reader: SubmissionReader, path: string): void {
    if (this.#simpleCount > MAX_REMEMBERED || this.#recentNames.size > MAX_REMEMBERED) this.#forgetSimpleNames();
    this.#record += 1;
    // Members that come twice count once, the last time; different names that end up in one measure count each.
    const [names, values] = [this.#simpleOfRecord, this.#simpleValues];
    let count = 0;
    for (let index = 0; index < reader.simpleCount; index += 1) {
      const name = reader.simpleNames[index] as MemberName;
      const known = this.#recentNames.get(name) ?? this.#simpleName(name);
      if (known === undefined) {
        this.note('bad_measure_name');
        continue;
      }
      if (known.record !== this.#record) {
        known.record = this.#record;
        known.place = count;
        names[count] = known;
        count += 1;
      }
      values[known.place] = reader.simpleValues[index] as number;
    }
    for (let index = 0; index < count; index += 1)
      this.#addSimple(names[index] as SimpleName, values[index] as number, path);
  }

  #addSimple({ measure, isMeasure, last }: SimpleName, value: number, path: string): void {
    if (!isMeasure) this.note('bad_measure_name');
    else if (!(Math.abs(value) <= MAX_STATISTIC)) this.note('bad_simple_measure');
    else {
      if (last.record === this.#record) this.note('name_collision');
      last.record = this.#record;
      if (value < 0) this.note('negative_simple');
      this.#sums.addSimple(measure, path, value, simpleMeasureBucket(value), Math.log(Math.abs(value) + 1));
    }
  }

  /** @returns undefined for a name that is too long for any measure */
  #simpleName(member: MemberName): SimpleName | undefined {
    const { name, sub } = member;
    // Looked at before anything is made of it.
    if (name.length > MAX_MEASURE || (sub !== undefined && sub.length > MAX_MEASURE)) return undefined;
    let subs = this.#simpleNames.get(name);
    if (subs === undefined) {
      subs = new Map();
      this.#simpleNames.set(name, subs);
    }
    let known = subs.get(sub);
    if (known === undefined) {
      const measure = simpleMeasureName(name, sub);
      let last = this.#simpleMeasures.get(measure);
      if (last === undefined) {
        last = { record: 0 };
        this.#simpleMeasures.set(measure, last);
      }
      known = { measure, isMeasure: isMeasureName(measure), last, record: 0, place: 0 };
      subs.set(sub, known);
      this.#simpleCount += 1;
    }
    this.#recentNames.set(member, known);
    return known;
  }

  #forgetSimpleNames(): void {
    this.#simpleNames.clear();
    this.#simpleMeasures.clear();
    this.#recentNames.clear();
    this.#simpleOfRecord.length = 0;
    this.#simpleCount = 0;
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
