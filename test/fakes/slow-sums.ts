/**
 * The sums of submissions in plain TypeScript: the reference that the kernel must equal, byte for byte. Reads no histograms
 * itself, so that the reader of JSON does.
 */
import { isSubmittedRow, MAX_STATISTIC } from '../../src/pipeline/aggregates/row-limits.ts';
import { addRow, noteBuild } from '../../src/pipeline/aggregates/merge-rule.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import {
  BY_DATES,
  SIMPLE_MEASURE_BUILD_ID,
  SIMPLE_MEASURE_PREFIX,
  SIMPLE_MEASURE_REVISION,
} from '../../src/pipeline/aggregates/slot.ts';
import { isMeasureName } from '../../src/pipeline/safe-segment.ts';
import {
  isSimpleMeasure,
  SIMPLE_MEASURE_BOUNDS,
  simpleMeasureName,
} from '../../src/pipeline/submissions/simple-measures.ts';
import type {
  BadHistograms,
  BadSimple,
  SubmissionSource,
  SubmissionSums,
} from '../../src/pipeline/submissions/sums.ts';
import { SlotTable } from './slot-table.ts';

interface Sum {
  readonly source: SubmissionSource;
  readonly measure: string;
  readonly path: string;
  readonly values: Float64Array;
  buildId: string;
  revision: string;
}

const MIN_LENGTH = 8;

export class SlowSums implements SubmissionSums {
  readonly #sums = new Map<string, Sum>();
  #source: SubmissionSource | undefined;
  /** Files that were opened: the sums of each are put together, so that log sums are added in that order. */
  #files = 0;
  #noted: { readonly name: string; readonly numbers: Float64Array }[] = [];
  /** By name: the measure, when it is one's, and the last value. */
  readonly #simple = new Map<string, { readonly measure: string | undefined; readonly value: number }>();
  mixedStatistics = 0;

  openSource(source: SubmissionSource): void {
    this.#source = source;
    this.#files += 1;
  }

  readSubmission(): number {
    return 0;
  }

  readInfo(): number {
    return 0;
  }

  valueAt(): undefined {
    return undefined;
  }

  beginHistograms(): void {
    this.#noted = [];
  }

  readHistograms(): number {
    return 0;
  }

  noteHistogram(name: string, numbers: Float64Array, length: number): void {
    this.#noted.push({ name, numbers: numbers.slice(0, length) });
  }

  addHistograms(path: string, buildId: string, revision: string): BadHistograms {
    const seen = new Set<string>();
    const measures: string[] = [];
    let names = 0;
    for (const { name, numbers } of this.#noted.toReversed()) {
      if (!isMeasureName(name)) names += 1;
      else if (!seen.has(name)) {
        seen.add(name);
        const isGood = numbers.length >= MIN_LENGTH && isSubmittedRow(numbers, 0, numbers.length);
        if (isGood) this.#add(name, path, [...numbers, 1], buildId, revision);
        else measures.push(name);
      }
    }
    return { names, measures };
  }

  beginSimple(): void {
    this.#simple.clear();
  }

  readSimple(): number {
    return 0;
  }

  noteSimple(name: string, sub: string | undefined, value: number): void {
    const measure = isSimpleMeasure(name, sub) ? simpleMeasureName(name, sub) : undefined;
    this.#simple.set(JSON.stringify([name, sub]), { measure, value });
  }

  addSimple(path: string): BadSimple {
    const seen = new Set<string>();
    const bad = { names: 0, values: 0, negative: 0, collisions: 0 };
    for (const { measure, value } of this.#simple.values()) {
      if (measure === undefined) bad.names += 1;
      else if (!(Math.abs(value) <= MAX_STATISTIC)) bad.values += 1;
      else {
        if (seen.has(measure)) bad.collisions += 1;
        seen.add(measure);
        if (value < 0) bad.negative += 1;
        this.#addSimple(measure, path, value);
      }
    }
    return bad;
  }

  #addSimple(measure: string, path: string, value: number): void {
    const bucket = SIMPLE_MEASURE_BOUNDS.findLastIndex((bound) => bound <= value);
    const log = Math.log(Math.abs(value) + 1);
    const buckets = SIMPLE_MEASURE_BOUNDS.map((_, index) => (index === bucket ? 1 : 0));
    const row = [...buckets, value, log, log * log, -1, -1, 1];
    this.#add(measure, path, row, SIMPLE_MEASURE_BUILD_ID, SIMPLE_MEASURE_REVISION);
  }

  #add(measure: string, path: string, row: readonly number[], buildId: string, revision: string): void {
    const source = this.#source!;
    const key = [this.#files, measure, path, row.length].join('\n');
    const known = this.#sums.get(key);
    if (known === undefined) {
      // Minus zero is 0.
      const values = Float64Array.from(row, (number) => number + 0);
      this.#sums.set(key, { source, measure, path, values, buildId, revision });
      return;
    }
    const weight = source.submissionDate === undefined ? 1 : 2;
    this.mixedStatistics += weight * addRow(known.values, row, 0, measure.startsWith(SIMPLE_MEASURE_PREFIX));
    noteBuild(known, buildId, revision);
  }

  /** Folded into the rows of both by-dates. */
  table(table = new SlotTable()): SlotTable {
    for (const { source, measure, path, values, buildId, revision } of this.#sums.values()) {
      const rows = table.measure(table.measuresOf(source.channelVersion), measure);
      for (const index of [0, 1] as const) {
        const date = BY_DATES[index] === 'by-build-date' ? source.buildDate : source.submissionDate;
        if (date === undefined) continue;
        table.add(rows, index, `${date}/${path}`, values, 0, values.length, buildId, revision);
      }
    }
    return table;
  }

  text(): string {
    return [...resultLines(this.table().sorted())].map((line) => `${line}\n`).join('');
  }
}
