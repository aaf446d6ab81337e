/**
 * The lower bounds of a histogram's buckets, as browser, server and published dashboards all compute them
 * (docs/formats/histogram-server.md 6.4).
 */
import { evaluateNumber } from './expression.ts';

/** The members of a definition that decide its buckets; numbers may still be texts. */
export interface BucketParameters {
  readonly kind: string;
  readonly low?: unknown;
  readonly high?: unknown;
  readonly n_buckets?: unknown;
  readonly n_values?: unknown;
  readonly labels?: unknown;
  /** Browsers demand it since Firefox 55, which tells the age of a definition. */
  readonly record_in_processes?: unknown;
}

/** Why a definition yields no buckets. */
type BucketFault = 'unknown_kind' | 'not_a_number' | 'out_of_range';

export type Buckets =
  | { readonly bounds: readonly number[]; readonly fault?: undefined }
  | { readonly bounds?: undefined; readonly fault: BucketFault };

const MIN_BUCKETS = 3;
/** Documented limit (docs/formats/results.md 4.8); `DEVTOOLS_HEAP_SNAPSHOT_*` have 10,000 and are the longest that are known. */
export const MAX_BUCKETS = 10_000;
/** Categorical histograms of later browsers reserve at least this many labels. */
const RESERVED_LABELS = 50;

interface Shape {
  readonly scale: 'linear' | 'exponential';
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/**
 * Lower bounds of the buckets, ascending; the first is 0, the second the definition's `low` (a `low` of 0 counts as 1).
 * @param maxBuckets definitions with more buckets are out of range
 */
export function bucketsOf(definition: BucketParameters, maxBuckets = MAX_BUCKETS): Buckets {
  const shape = shapeOf(definition, maxBuckets);
  if (typeof shape === 'string') return { fault: shape };
  return { bounds: shape.scale === 'linear' ? linearBounds(shape) : exponentialBounds(shape) };
}

/** Number of buckets the definition yields; undefined where `bucketsOf` finds a fault. */
export function bucketCount(definition: BucketParameters): number | undefined {
  const shape = shapeOf(definition, MAX_BUCKETS);
  return typeof shape === 'string' ? undefined : shape.count;
}

function shapeOf(definition: BucketParameters, maxBuckets: number): Shape | BucketFault {
  switch (definition.kind) {
    case 'boolean':
    case 'flag':
    case 'count':
      return { scale: 'linear', low: 1, high: 2, count: 3 };
    case 'enumerated':
      return valuesShape(evaluateNumber(definition.n_values), maxBuckets);
    case 'categorical':
      return valuesShape(categories(definition), maxBuckets);
    case 'linear':
    case 'exponential':
      return rangeShape(definition, definition.kind, maxBuckets);
    default:
      return 'unknown_kind';
  }
}

function valuesShape(values: number | undefined, maxBuckets: number): Shape | BucketFault {
  if (values === undefined) return 'not_a_number';
  if (values < 1 || values + 1 > maxBuckets) return 'out_of_range';
  return { scale: 'linear', low: 1, high: values, count: values + 1 };
}

// Browsers counted the labels only until Firefox 55, which reserves room for more. Its definitions name the processes that
// record them; those that name n_values are of that time as well.
function categories({ labels, n_values: reserved, record_in_processes }: BucketParameters): number | undefined {
  if (!Array.isArray(labels)) return undefined;
  if (reserved === undefined) {
    return record_in_processes === undefined ? labels.length : Math.max(labels.length, RESERVED_LABELS);
  }
  const values = evaluateNumber(reserved);
  return values === undefined ? undefined : Math.max(labels.length, values, RESERVED_LABELS);
}

function rangeShape(definition: BucketParameters, scale: Shape['scale'], maxBuckets: number): Shape | BucketFault {
  const low = definition.low === undefined ? 1 : evaluateNumber(definition.low);
  const high = evaluateNumber(definition.high);
  const count = evaluateNumber(definition.n_buckets);
  if (low === undefined || high === undefined || count === undefined) return 'not_a_number';
  const shape = { scale, low: low === 0 ? 1 : low, high, count };
  if (shape.low >= high || count < MIN_BUCKETS || count > maxBuckets) return 'out_of_range';
  return shape;
}

function linearBounds({ low, high, count }: Shape): number[] {
  if (count === 2) return [0, low]; // n_values 1: the formula would divide by zero
  const bounds = [0];
  for (let i = 1; i < count; i += 1) {
    bounds.push(Math.trunc((low * (count - 1 - i) + high * (i - 1)) / (count - 2) + 0.5));
  }
  return bounds;
}

function exponentialBounds({ low, high, count }: Shape): number[] {
  const bounds = [0, low];
  let current = low;
  for (let i = 2; i < count; i += 1) {
    const step = (Math.log(high) - Math.log(current)) / (count - i);
    const next = Math.floor(Math.exp(Math.log(current) + step) + 0.5);
    current = next > current ? next : current + 1;
    bounds.push(current);
  }
  return bounds;
}
