/**
 * A snapshot: the published folder of one channel/version, rendered from all its slots
 * (docs/formats/published.md 5.2, 5.3).
 */
import { type ByDate, BY_DATES, SIMPLE_MEASURE_PREFIX, type Slot } from '../aggregates/slot.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { isMeasureName } from '../safe-segment.ts';
import { compareText } from '../text-order.ts';
import { Builds, BUILDS_NAME } from './builds.ts';
import { type ChosenLength, chooseLength } from './choose-length.ts';
import { FilterTree, isFilterPath } from './filter-tree.ts';
import type { DefineMeasure, DefinitionState } from './measure-definition.ts';
import { type MeasureFile, measureFile } from './measure-file.ts';
import { MeasureIndex, type SnapshotFile } from './measure-index.ts';
import { type RowTaker, takeRows } from './measure-rows.ts';
import type { PreviousSnapshot } from './previous-snapshot.ts';
import { type FileSummary, type Summarise, summarise as plainly } from './summary.ts';
import { UnknownMeasures } from './unknown-measures.ts';

export interface SnapshotInput {
  /** Ascending by measure, by-date, path, date (all by UTF-8 bytes) and row length, without repeats; in batches, as they come. */
  readonly slots: Iterable<readonly Slot[]> | AsyncIterable<readonly Slot[]>;
  /** What the channel/version's folder holds now; undefined for its first one. */
  readonly previous: PreviousSnapshot | undefined;
  readonly define: DefineMeasure;
  /** Measures that are not shown. */
  readonly isLeftOut?: (measure: string) => boolean;
  /** `summary.ts` by default. */
  readonly summarise?: Summarise;
  /** Takes the rows of each measure that is shown, in order. */
  readonly table?: RowTaker | undefined;
}

/** Why a slot cannot be shown. Earlier stages refuse such data, so any count here is worth an alert. */
type SlotFault = 'bad_measure_name' | 'bad_filter_path' | 'bad_date' | 'bad_row_length';

/** Submissions of the newest day whose rows have another length than the one that is shown. */
export interface HiddenSubmissions {
  readonly measure: string;
  readonly submissions: number;
}

const MAX_HIDDEN_NAMED = 10;

/** Counts for the run report. Submissions are not among them: no measure is in every submission. */
export interface SnapshotSummary {
  readonly measures: number;
  /** Measures that were not shown because they were left out. */
  readonly measuresLeftOut: number;
  /** Slots read, and rows written of them. */
  readonly slots: number;
  readonly rows: number;
  /** Slots of row lengths that are not shown, and the submissions in them, summed over measures. */
  readonly lengthMismatch: { readonly slots: number; readonly submissions: number };
  /** Measures that hide submissions of the newest day, the worst first, and how many. */
  readonly hidden: readonly HiddenSubmissions[];
  /** Measures whose row length differs from the previous folder's: their older rows are no longer shown. */
  readonly lengthChanges: readonly { readonly measure: string; readonly from: number; readonly to: number }[];
  readonly dropped: Readonly<Record<SlotFault, number>>;
  readonly clamped: number;
  /** Measures by what is wrong with their definition, ascending. */
  readonly definitions: Readonly<Record<Exclude<DefinitionState, 'found'>, readonly string[]>>;
}

export interface RenderEnd {
  readonly summary: SnapshotSummary;
  readonly unknown: UnknownMeasures;
}

const DATE = /^\d{8}$/;
/** The minimum: two buckets of an enumerated histogram and six numbers. */
const MIN_ROW_LENGTH = 8;

/**
 * Renders the folder file by file: both by-date files of every measure (`{}` without rows), with summaries in between,
 * then `filter-tree.json`, `histograms.json`, `revisions.json`, `builds.json` and the index. One measure is in memory at a time. Equal input gives equal text: new filter
 * ids are given in the order of the slots, and only to paths of rows that are written.
 * @returns the counts, after the last file, and the measures that no definition knows; when some of these must be left out,
 *   render again without them
 * @throws InvalidDataError `unsorted_slots` for slots out of order, `bad_filter_tree` for a damaged previous tree
 */
export async function* renderSnapshot(input: SnapshotInput): AsyncGenerator<SnapshotFile, RenderEnd, undefined> {
  const tree = input.previous === undefined ? FilterTree.empty() : FilterTree.parse(input.previous.filterTree);
  const idOf = (path: string): number => tree.idOf(path);
  const summary = emptySummary();
  const definitions: string[] = [];
  const revisions: string[] = [];
  const unknown = new UnknownMeasures();
  const index = new MeasureIndex();
  const builds = new Builds();
  const summarise = input.summarise ?? plainly;
  for await (const { measure, slots } of measuresOf(input.slots, summary)) {
    if (input.isLeftOut?.(measure) === true) {
      summary.measuresLeftOut += 1;
      continue;
    }
    const chosen = chooseLength(slots);
    const { definition, state, known } = await input.define(measure, chosen.definitionRevisions, chosen.length);
    if (known !== 'yes' && !unknown.note({ measure, known, submissions: chosen.submissions })) continue;
    const shown = shownRows(slots, chosen.length);
    const simple = measure.startsWith(SIMPLE_MEASURE_PREFIX);
    const summaryOf = ({ json }: MeasureFile): FileSummary => summarise(json, chosen.length, simple);
    const files = {
      'by-build-date': measureFile(shown['by-build-date'], idOf),
      'by-submission-date': measureFile(shown['by-submission-date'], idOf),
    };
    for (const byDate of BY_DATES) {
      const { json, rows, clamped } = files[byDate];
      summary.rows += rows;
      summary.clamped += clamped;
      yield { name: `${measure}-${byDate}.json`, json };
    }
    const summaries = {
      'by-build-date': summaryOf(files['by-build-date']),
      'by-submission-date': summaryOf(files['by-submission-date']),
    };
    builds.add({ slots: shown });
    takeRows({ measure, definition, slots: shown }, input.table);
    yield* index.add({ measure, definition, summaries });
    const { revision, buildId, length } = chosen;
    definitions.push(`${JSON.stringify(measure)}:${JSON.stringify(definition)}`);
    revisions.push(`${JSON.stringify(measure)}:${JSON.stringify({ revision, buildId, length })}`);
    if (state !== 'found') summary.definitions[state].push(measure);
    noteLengths(summary, measure, chosen, input.previous?.measures.get(measure)?.length);
  }
  yield { name: 'filter-tree.json', json: tree.toJson() };
  yield { name: 'histograms.json', json: `{${definitions.join(',')}}` };
  yield { name: 'revisions.json', json: `{${revisions.join(',')}}` };
  yield { name: BUILDS_NAME, json: builds.toJson() };
  yield* index.end();
  return { summary, unknown };
}

function emptySummary() {
  return {
    measures: 0,
    measuresLeftOut: 0,
    slots: 0,
    rows: 0,
    lengthMismatch: { slots: 0, submissions: 0 },
    hidden: [] as HiddenSubmissions[],
    lengthChanges: [] as { measure: string; from: number; to: number }[],
    dropped: { bad_measure_name: 0, bad_filter_path: 0, bad_date: 0, bad_row_length: 0 },
    clamped: 0,
    definitions: { pending: [] as string[], missing: [] as string[], mismatch: [] as string[] },
  };
}

function noteLengths(
  summary: ReturnType<typeof emptySummary>,
  measure: string,
  { length, leftOut }: ChosenLength,
  before: number | undefined,
): void {
  summary.measures += 1;
  summary.lengthMismatch.slots += leftOut.slots;
  summary.lengthMismatch.submissions += leftOut.submissions;
  if (leftOut.newest > 0) noteHidden(summary.hidden, { measure, submissions: leftOut.newest });
  if (before !== undefined && before !== length) summary.lengthChanges.push({ measure, from: before, to: length });
}

function noteHidden(worst: HiddenSubmissions[], hidden: HiddenSubmissions): void {
  worst.push(hidden);
  worst.sort((a, b) => b.submissions - a.submissions || compareText(a.measure, b.measure));
  worst.length = Math.min(worst.length, MAX_HIDDEN_NAMED);
}

function shownRows(slots: readonly Slot[], length: number): Record<ByDate, Slot[]> {
  const [build, submission]: [Slot[], Slot[]] = [[], []];
  for (const slot of slots)
    if (slot.values.length === length) (slot.byDate === 'by-build-date' ? build : submission).push(slot);
  return { 'by-build-date': build, 'by-submission-date': submission };
}

async function* measuresOf(
  slots: SnapshotInput['slots'],
  summary: ReturnType<typeof emptySummary>,
): AsyncGenerator<{ measure: string; slots: Slot[] }> {
  const faults = new SlotFaults();
  let group: Slot[] = [];
  let last: Slot | undefined;
  for await (const batch of slots) {
    for (const slot of batch) {
      if (last !== undefined && compareSlots(last, slot) >= 0) {
        throw new InvalidDataError('unsorted_slots', `slots out of order: ${nameOf(slot)} after ${nameOf(last)}`);
      }
      last = slot;
      summary.slots += 1;
      const fault = faults.of(slot);
      if (fault !== undefined) {
        summary.dropped[fault] += 1;
        continue;
      }
      const measure = group[0]?.measure;
      if (measure !== undefined && measure !== slot.measure) {
        yield { measure, slots: group };
        group = [];
      }
      group.push(slot);
    }
  }
  if (group[0] !== undefined) yield { measure: group[0].measure, slots: group };
}

function compareSlots(a: Slot, b: Slot): number {
  return (
    compareText(a.measure, b.measure) ||
    compareText(a.byDate, b.byDate) ||
    compareText(a.path, b.path) ||
    compareText(a.date, b.date) ||
    a.values.length - b.values.length
  );
}

function nameOf(slot: Slot): string {
  return JSON.stringify([slot.measure, slot.byDate, slot.path, slot.date, slot.values.length]);
}

/** Slots have what earlier ones had, most of the time, and it is looked at once. */
class SlotFaults {
  #measure: string | undefined;
  readonly #paths = new Set<string>();
  readonly #dates = new Set<string>();

  of({ measure, path, date, values }: Slot): SlotFault | undefined {
    if (measure !== this.#measure) {
      if (!isMeasureName(measure)) return 'bad_measure_name';
      this.#measure = measure;
    }
    if (!this.#paths.has(path)) {
      if (!isFilterPath(path)) return 'bad_filter_path';
      keep(this.#paths, path);
    }
    if (!this.#dates.has(date)) {
      if (!DATE.test(date)) return 'bad_date';
      keep(this.#dates, date);
    }
    return values.length < MIN_ROW_LENGTH ? 'bad_row_length' : undefined;
  }
}

const MAX_KEPT = 1 << 12;

function keep(texts: Set<string>, text: string): void {
  if (texts.size === MAX_KEPT) texts.clear();
  texts.add(text);
}
