/**
 * Which definition a snapshot publishes for a measure, and what is reported about it
 * (docs/formats/published.md 5.3, 5.4).
 */
import { fallbackDefinition, publishedDefinition, type PublishedDefinition } from '../../histograms/definition.ts';
import { type DefinitionSource, lookUpDefinition, namesHistogramsFile } from '../../histograms/look-up.ts';
import { isKnownSimpleMeasure } from './known-simple-measures.ts';
import type { Known } from './unknown-measures.ts';
import type { PreviousSnapshot } from './previous-snapshot.ts';

/**
 * - `pending`: not available; the previous definition or a derived one takes its place until the next publish
 * - `missing`: the revision has no such definition, or no submission named a revision; the same takes its place, such
 *   as one that the original published
 * - `mismatch`: does not fit the rows; derived
 */
export type DefinitionState = 'found' | 'pending' | 'missing' | 'mismatch';

interface MeasureDefinition {
  readonly definition: PublishedDefinition;
  readonly state: DefinitionState;
  readonly known: Known;
}

/**
 * @param revisions the first one that has a definition which fits the rows decides
 * @param rowLength numbers in a row without the filter id
 */
export type DefineMeasure = (
  measure: string,
  revisions: readonly string[],
  rowLength: number,
) => Promise<MeasureDefinition>;

/**
 * The rule for all measures of a channel/version. It asks `source` for each measure, so a source should remember files.
 * A derived definition always fits the rows: data is never held back because its definition is missing.
 */
export function defineFrom(source: DefinitionSource, previous: PreviousSnapshot | undefined): DefineMeasure {
  return async (measure, revisions, rowLength) => {
    const [newest = '', ...others] = revisions;
    const first = await define(source, previous, measure, newest, rowLength);
    if (first.state === 'found') return first;
    for (const revision of others) {
      const defined = await define(source, previous, measure, revision, rowLength);
      if (defined.state === 'found') return defined;
    }
    return first;
  };
}

async function define(
  source: DefinitionSource,
  previous: PreviousSnapshot | undefined,
  measure: string,
  revision: string,
  rowLength: number,
): Promise<MeasureDefinition> {
  const histograms = namesHistogramsFile(revision) ? await source.histograms(revision) : undefined;
  const found = lookUpDefinition(measure, revision, histograms);
  if (found.definition !== undefined) {
    const { definition, mismatch } = publishedDefinition(found.definition, rowLength);
    // Any name can stand among the simple measurements.
    const known = found.from !== 'simple' || isKnownSimpleMeasure(measure) ? 'yes' : 'no';
    return { definition, state: mismatch ? 'mismatch' : 'found', known };
  }
  const derived = fallbackDefinition(rowLength);
  const kept = keptDefinition(previous, measure, rowLength);
  const isDefined = kept !== undefined && kept['description'] !== derived['description'];
  const [state, unknown] = found.from === 'none' ? (['missing', 'no'] as const) : (['pending', 'later'] as const);
  return { definition: kept ?? derived, state, known: isDefined ? 'yes' : unknown };
}

function keptDefinition(
  previous: PreviousSnapshot | undefined,
  measure: string,
  rowLength: number,
): PublishedDefinition | undefined {
  const before = previous?.measures.get(measure);
  return before?.length === rowLength ? before.definition : undefined;
}
