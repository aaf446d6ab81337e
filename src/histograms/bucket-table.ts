/**
 * What `/histogram_buckets` answers: the buckets of every definition of a revision
 * (docs/formats/histogram-server.md 6.5).
 */
import { bucketsOf } from './buckets.ts';
import type { Definitions } from './look-up.ts';

interface BucketEntry {
  /** The browser's number of the kind, as text. */
  readonly kind: string;
  readonly min: number;
  readonly buckets: readonly number[];
  readonly max: number;
  readonly bucket_count: number;
}

export interface BucketTable {
  readonly histograms: Readonly<Record<string, BucketEntry>>;
  /** Names of the definitions that yield no buckets, in file order. */
  readonly skipped: readonly string[];
}

const KIND_CODES: ReadonlyMap<string, string> = new Map([
  ['exponential', '0'],
  ['linear', '1'],
  ['enumerated', '1'],
  ['boolean', '2'],
  ['flag', '3'],
  ['count', '4'],
  ['categorical', '5'],
]);
/** Browsers measured these twice, the other time during start-up; those histograms have no definition of their own. */
const ALSO_AT_STARTUP = /SQLITE|HTTP|SPDY|CACHE|DNS/;

/** All definitions in file order, each followed by its `STARTUP_` variant where the browser has one and the file does not. */
export function bucketTable(definitions: Definitions): BucketTable {
  const histograms = Object.create(null) as Record<string, BucketEntry>;
  const skipped: string[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const kind = KIND_CODES.get(definition.kind);
    const { bounds } = bucketsOf(definition);
    if (kind === undefined || bounds === undefined) {
      skipped.push(name);
      continue;
    }
    const entry: BucketEntry = {
      kind,
      min: bounds[1] ?? 1,
      buckets: bounds,
      max: bounds.at(-1) ?? 0,
      bucket_count: bounds.length,
    };
    histograms[name] = entry;
    const startup = `STARTUP_${name}`;
    if (ALSO_AT_STARTUP.test(name) && !Object.hasOwn(definitions, startup)) histograms[startup] = entry;
  }
  return { histograms, skipped };
}
