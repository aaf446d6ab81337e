/**
 * What a folder of the original says about its measures (docs/formats/published.md 5.2): build, revision and row length
 * are per measure, in revisions.json; the rows are in two files named after the measure.
 */
import { BY_DATES, type ByDate } from '../../aggregates/slot.ts';
import { InvalidDataError } from '../../invalid-data.ts';
import { compareText } from '../../text-order.ts';
import { FilterTree } from '../filter-tree.ts';
import { parsePreviousSnapshot, type PreviousFiles } from '../previous-snapshot.ts';
import { MAX_REVISION } from '../../aggregates/row-limits.ts';
import { isMeasureName } from '../../safe-segment.ts';
import { StoredJson } from '../../stored-json.ts';
import type { FaultCounts } from './faults.ts';

/** A measure of the original's folder. */
export interface OriginalMeasure {
  readonly measure: string;
  /** Newest build id that the original saw; empty when it did not say. */
  readonly buildId: string;
  /** Revision of that build; empty when it did not say. */
  readonly revision: string;
  /** Numbers in a row without the filter id; undefined when it did not say. */
  readonly length: number | undefined;
}

interface OriginalFolder {
  /** Ascending. */
  readonly measures: readonly OriginalMeasure[];
  /** Filter path of each leaf's id. */
  readonly paths: ReadonlyMap<number, string>;
}

const BUILD_ID = /^(?:0|[0-9]{8,14})$/;

/** The measure and by-date that a file of a folder is about; undefined for any other file. */
export function measureFileName(name: string): { readonly measure: string; readonly byDate: ByDate } | undefined {
  for (const byDate of BY_DATES) {
    const end = `-${byDate}.json`;
    if (name.endsWith(end)) return { measure: name.slice(0, -end.length), byDate };
  }
  return undefined;
}

/**
 * Reads the fixed files. A measure whose name the data set cannot hold, or whose entry in revisions.json is not understood,
 * is counted in `faults`; only the first kind is kept out.
 * @param names of all files in the folder
 * @throws InvalidDataError `bad_filter_tree`, `bad_histograms`, `bad_revisions`: without them the folder says nothing
 */
export function readOriginalFolder(names: Iterable<string>, fixed: PreviousFiles, faults: FaultCounts): OriginalFolder {
  const paths = FilterTree.parse(fixed.filterTree).paths();
  // The next snapshot takes ids and definitions over with this same reader.
  parsePreviousSnapshot(fixed);
  const revisions = new Map(StoredJson.parse(fixed.revisions, 'bad_revisions', 'revisions.json').entries());
  const found = new Set(revisions.keys());
  for (const name of names) {
    const file = measureFileName(name);
    if (file !== undefined) found.add(file.measure);
  }
  const measures: OriginalMeasure[] = [];
  for (const measure of [...found].sort(compareText)) {
    if (isMeasureName(measure)) measures.push(readMeasure(measure, revisions.get(measure), faults));
    else faults.add('bad_measure_name', measure);
  }
  return { measures, paths };
}

function readMeasure(measure: string, stored: StoredJson | undefined, faults: FaultCounts): OriginalMeasure {
  const unknown = { measure, buildId: '', revision: '', length: undefined };
  if (stored === undefined) {
    faults.add('no_revision', measure);
    return unknown;
  }
  try {
    // JSON null where the submissions named no revision.
    const revision = stored.optional('revision')?.value ?? '';
    if (typeof revision !== 'string' || revision.length > MAX_REVISION) stored.fail('an entry with a revision');
    return {
      measure,
      buildId: stored.member('buildId').text(BUILD_ID),
      revision: revision as string,
      length: stored.member('length').count(),
    };
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    faults.add('bad_revision', measure);
    return unknown;
  }
}
