/** Which definition belongs to a measure: the look-up order of docs/formats/published.md 5.4. */
import { type RawDefinition, SIMPLE_PREFIX, simpleMeasureDefinition } from './definition.ts';

/** Definitions by measure name. Without a prototype, since the names come from outside. */
export type Definitions = Readonly<Record<string, RawDefinition>>;

/** Where definitions come from: the histogram server, a folder, or a table in a test. */
export interface DefinitionSource {
  /**
   * The content of the revision's Histograms.json.
   * @param revision URL such as `http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4`
   * @returns undefined when it is not available now; a later call may find it
   */
  histograms(revision: string): Promise<Definitions | undefined>;
}

export type LookUp =
  | { readonly from: 'exact' | 'simple' | 'startup'; readonly definition: RawDefinition }
  /** `none`: there is no such definition; `unavailable`: the file that may have it is not available. */
  | { readonly from: 'none' | 'unavailable'; readonly definition?: undefined };

/** What all simple measures carry in place of a revision (docs/formats/submissions.md 3.6). */
const SIMPLE_REVISION = 'simple-measures-hack';
const STARTUP_PREFIX = 'STARTUP_';

/** True when a revision's Histograms.json has to be asked for: the submissions named one. */
export function namesHistogramsFile(revision: string): boolean {
  return revision !== '' && revision !== SIMPLE_REVISION;
}

/**
 * Finds a measure's definition.
 * @param histograms content of the revision's Histograms.json; undefined when it is not available or none is named
 */
export function lookUpDefinition(measure: string, revision: string, histograms: Definitions | undefined): LookUp {
  const named = namesHistogramsFile(revision);
  const exact = named ? own(histograms, measure) : undefined;
  if (exact !== undefined) return { from: 'exact', definition: exact };
  // No Histograms.json defines these names, so there is no need to wait for one.
  if (measure.startsWith(SIMPLE_PREFIX)) return { from: 'simple', definition: simpleMeasureDefinition(measure) };
  if (!named) return { from: 'none' };
  if (histograms === undefined) return { from: 'unavailable' };
  const rest = measure.startsWith(STARTUP_PREFIX) ? measure.slice(STARTUP_PREFIX.length) : undefined;
  const startup = rest === undefined ? undefined : own(histograms, rest);
  return startup === undefined ? { from: 'none' } : { from: 'startup', definition: startup };
}

function own(histograms: Definitions | undefined, name: string): RawDefinition | undefined {
  return histograms !== undefined && Object.hasOwn(histograms, name) ? histograms[name] : undefined;
}
