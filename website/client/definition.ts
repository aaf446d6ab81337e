/**
 * What `histograms.json` says about a measure, and the buckets that follow from it (docs/formats/published.md 5.4, 5.9;
 * docs/formats/histogram-server.md 6.4).
 */

export type Kind = 'boolean' | 'flag' | 'enumerated' | 'linear' | 'exponential';

export interface Definition {
  readonly kind: Kind;
  /** The kind of the source tree, where the published one stands in for it. */
  readonly originalKind: string;
  readonly description: string;
  /** Lower bounds, ascending. */
  readonly bounds: readonly number[];
  /** Names of buckets of categorical measures, by index; empty for all others. */
  readonly labels: readonly string[];
  /** Whether the real definition could not be had, so that the bounds are bucket numbers only. */
  readonly pending: boolean;
}

const KINDS: ReadonlySet<string> = new Set(['boolean', 'flag', 'enumerated', 'linear', 'exponential']);
const MAX_BUCKETS = 10_000;

/**
 * @param buckets number of buckets that the rows have, when it is known: a definition that gives another number is
 *   replaced by bucket numbers, because wrong bounds are worse than none
 */
export function readDefinition(raw: unknown, buckets?: number): Definition {
  const members = isRecord(raw) ? raw : {};
  const kind = String(members['kind']);
  const description = typeof members['description'] === 'string' ? members['description'] : '';
  const labels = Array.isArray(members['labels']) ? members['labels'].map(String) : [];
  const originalKind = typeof members['original_kind'] === 'string' ? members['original_kind'] : kind;
  const bounds = KINDS.has(kind) ? boundsOf(kind as Kind, members) : undefined;
  if (bounds === undefined || (buckets !== undefined && bounds.length !== buckets))
    return { ...bucketNumbers(buckets ?? 3), originalKind, description, labels };
  const pending = description === 'definition unavailable';
  return { kind: kind as Kind, originalKind, description, bounds, labels, pending };
}

function bucketNumbers(buckets: number): Pick<Definition, 'kind' | 'bounds' | 'pending'> {
  return { kind: 'enumerated', bounds: Array.from({ length: buckets }, (_, index) => index), pending: true };
}

/** Whether the buckets are values of their own and no ranges: answers, reasons, states. */
export function isCategorical({ kind }: Pick<Definition, 'kind'>): boolean {
  return kind === 'boolean' || kind === 'flag' || kind === 'enumerated';
}

/** The name of a bucket for people: its label, its value, or its range. */
export function bucketName(definition: Definition, index: number): string {
  const { kind, bounds, labels } = definition;
  const from = bounds[index] ?? 0;
  const label = labels[index];
  if (label !== undefined) return label;
  if (kind === 'boolean' || kind === 'flag') return ['no', 'yes', 'other'][index] ?? String(from);
  if (kind === 'enumerated') return String(from);
  const to = bounds[index + 1];
  return to === undefined ? `${from} and more` : `${from} to ${to}`;
}

function boundsOf(kind: Kind, members: Readonly<Record<string, unknown>>): number[] | undefined {
  if (kind === 'boolean' || kind === 'flag') return linearBounds(1, 2, 3);
  if (kind === 'enumerated') {
    const values = leadingNumber(members['n_values']);
    return isCount(values, 1) ? linearBounds(1, values, values + 1) : undefined;
  }
  const low = leadingNumber(members['low']) || 1;
  const high = leadingNumber(members['high']);
  const count = leadingNumber(members['n_buckets']);
  if (!isCount(count, 3) || !Number.isFinite(high)) return undefined;
  return kind === 'linear' ? linearBounds(low, high, count) : exponentialBounds(low, high, count);
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= MAX_BUCKETS;
}

/** Older folders write numbers as text. */
function leadingNumber(value: unknown): number {
  return typeof value === 'number' ? value : Number.parseFloat(String(value));
}

function linearBounds(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? 0 : Math.floor((low * (count - 1 - index) + high * (index - 1)) / Math.max(1, count - 2) + 0.5),
  );
}

function exponentialBounds(low: number, high: number, count: number): number[] {
  const bounds = [0, low];
  let last = low;
  for (let index = 2; index < count; index += 1) {
    const logarithm = Math.log(last);
    const next = Math.floor(Math.exp(logarithm + (Math.log(high) - logarithm) / (count - index)) + 0.5);
    last = Math.max(next, last + 1);
    bounds.push(last);
  }
  return bounds;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
