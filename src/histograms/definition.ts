/**
 * Histogram definitions: as a revision's Histograms.json has them, and as the data set publishes them
 * (docs/formats/published.md 5.3, 5.4).
 */
import { bucketCount, type BucketParameters } from './buckets.ts';
import { evaluateNumber } from './expression.ts';

/** One member of Histograms.json. Everything but `kind` is unchecked and passed on. */
export interface RawDefinition extends BucketParameters {
  readonly [member: string]: unknown;
}

/** A definition whose kind the published dashboards know and whose bucket numbers are JSON numbers. */
export interface PublishedDefinition extends RawDefinition {
  readonly kind: 'boolean' | 'flag' | 'enumerated' | 'linear' | 'exponential';
}

/** Prefix of every measure that stems from `simpleMeasurements`. */
export const SIMPLE_PREFIX = 'SIMPLE_MEASURES_';

/** Numbers behind the buckets in a row without its filter id: five statistics and the count of submissions. */
const ROW_TRAILER = 6;
const NUMBERS = ['low', 'high', 'n_buckets', 'n_values'] as const;

/**
 * What histograms.json says about a measure: numbers evaluated, and kinds the dashboards do not know turned into an
 * equal one they know (the real one is kept in `original_kind`). Dashboards cut rows by the number of buckets they
 * compute from it, so a definition that does not fit the rows is replaced by one that does.
 * @param rowLength numbers in a row without the filter id: buckets + 6
 * @returns `mismatch`: the fallback replaces a definition that yields another number of buckets, or none
 */
export function publishedDefinition(
  raw: RawDefinition,
  rowLength: number,
): { readonly definition: PublishedDefinition; readonly mismatch: boolean } {
  const definition = evaluated(inKnownKind(raw, rowLength));
  if (bucketCount(definition) !== rowLength - ROW_TRAILER || !hasPublishedKind(definition)) {
    return { definition: fallbackDefinition(rowLength), mismatch: true };
  }
  return { definition, mismatch: false };
}

/** The definition of a simple measure: no Histograms.json has it. The original left an underscore before the name. */
export function simpleMeasureDefinition(measure: string): PublishedDefinition {
  return {
    kind: 'exponential',
    low: 1,
    high: 30000,
    n_buckets: 50,
    extended_statistics_ok: true,
    description: `Histogram aggregation for simple measure: ${measure.slice(SIMPLE_PREFIX.length)}`,
  };
}

/** The fallback without a definition, so that the rows can at least be read: as many buckets as they have. */
export function fallbackDefinition(rowLength: number): PublishedDefinition {
  return { kind: 'enumerated', n_values: rowLength - ROW_TRAILER - 1, description: 'definition unavailable' };
}

function inKnownKind(raw: RawDefinition, rowLength: number): RawDefinition {
  if (raw.kind === 'count') return { ...raw, kind: 'boolean', original_kind: raw.kind };
  if (raw.kind !== 'categorical') return raw;
  return { ...raw, kind: 'enumerated', n_values: rowLength - ROW_TRAILER - 1, original_kind: raw.kind };
}

// A number the kind does not need may be anything: it stays as it is.
function evaluated(raw: RawDefinition): RawDefinition {
  const numbers: Record<string, number> = {};
  for (const name of NUMBERS) {
    const value = evaluateNumber(raw[name]);
    if (value !== undefined) numbers[name] = value;
  }
  return { ...raw, ...numbers };
}

function hasPublishedKind(definition: RawDefinition): definition is PublishedDefinition {
  return ['boolean', 'flag', 'enumerated', 'linear', 'exponential'].includes(definition.kind);
}
