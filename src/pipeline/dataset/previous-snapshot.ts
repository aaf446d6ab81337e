/**
 * What a new snapshot takes over from the published folder before it: filter ids, and definitions where there are no
 * new ones.
 */
import { type PublishedDefinition, publishedDefinition, type RawDefinition } from '../../histograms/definition.ts';
import { StoredJson } from '../stored-json.ts';

interface PreviousMeasure {
  /** Numbers in a row without the filter id. */
  readonly length: number;
  /** Absent when the folder has none that fits the rows: the original published some measures without. */
  readonly definition?: PublishedDefinition;
}

export interface PreviousSnapshot {
  /** Text of filter-tree.json. */
  readonly filterTree: string;
  readonly measures: ReadonlyMap<string, PreviousMeasure>;
}

/** The texts of a folder's three fixed files. */
export interface PreviousFiles {
  readonly filterTree: string;
  readonly histograms: string;
  readonly revisions: string;
}

/**
 * Reads the fixed files of a published folder. The filter tree is checked when it is used. A measure without a row length
 * is skipped: adopted folders of the original may have some, and the only cost is a derived definition.
 * @throws InvalidDataError `bad_histograms` or `bad_revisions` when a file is damaged
 */
export function parsePreviousSnapshot(files: PreviousFiles): PreviousSnapshot {
  const definitions = new Map(StoredJson.parse(files.histograms, 'bad_histograms', 'histograms.json').entries());
  const measures = new Map<string, PreviousMeasure>();
  for (const [measure, entry] of StoredJson.parse(files.revisions, 'bad_revisions', 'revisions.json').entries()) {
    const length = lengthOf(entry);
    if (length === undefined) continue;
    const definition = fitting(definitions.get(measure), length);
    measures.set(measure, definition === undefined ? { length } : { length, definition });
  }
  return { filterTree: files.filterTree, measures };
}

function lengthOf(entry: StoredJson): number | undefined {
  const { value } = entry;
  const length = typeof value === 'object' && value !== null ? (value as { length?: unknown }).length : undefined;
  return Number.isSafeInteger(length) && (length as number) > 0 ? (length as number) : undefined;
}

function fitting(stored: StoredJson | undefined, length: number): PublishedDefinition | undefined {
  const value = stored?.value;
  const raw = typeof value === 'object' && value !== null ? (value as RawDefinition) : undefined;
  if (typeof raw?.kind !== 'string') return undefined;
  const { definition, mismatch } = publishedDefinition(raw, length);
  return mismatch ? undefined : definition;
}
