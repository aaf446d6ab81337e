/**
 * `versions.json` and the ledger it names, read and replaced as docs/protocol.md 5 says: the only moment when
 * anything becomes visible. Every commit (of a run, of the adoption, of the set-up) goes through
 * `commitLedger`, which checks the invariants before the compare-and-swap.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pMap from 'p-map';
import { failpoint } from '../failpoints.ts';
import { failureTypeOf } from '../error-classes.ts';
import { failure } from '../failures.ts';
import { type Fault, faultsOf, pointerFaults } from '../pipeline/dataset/invariants.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { MANIFEST_NAME } from '../pipeline/dataset/manifest.ts';
import { newlyNamed, type NewlyNamed } from '../pipeline/dataset/named-objects.ts';
import {
  firstVersions,
  nextVersions,
  parseVersions,
  serialiseVersions,
  type Versions,
} from '../pipeline/dataset/versions.ts';
import type { Metrics } from '../metrics.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { addressOf, getIfPresent, inflatedText, undamaged } from './documents.ts';
import { publishedNames } from './keys.ts';
import { createLedger, ledgerKey, readLedger } from './ledgers.ts';
import { claimState, type DataSetStores } from './owner.ts';

export interface Pointer {
  readonly etag: string;
  readonly versions: Versions;
  readonly ledger: Ledger;
}

export type { DataSetStores } from './owner.ts';

const POINTER_HEADERS = {
  contentType: 'application/json',
  contentEncoding: 'gzip',
  cacheControl: 'no-cache',
} as const;

/** @throws ApplicationFailure PointerMissing, PointerDamaged, StateDamaged: never taken for an empty data set */
export async function readPointer(stores: DataSetStores, signal: AbortSignal): Promise<Pointer> {
  const { published, analysis } = stores;
  const key = pointerKey(stores);
  const stored = await getIfPresent(published, key, signal);
  if (stored === undefined)
    throw pointerGone(stores, 'run the set-up for a new data set, or restore the object from the bucket’s versions');
  const versions = undamaged(
    addressOf(published, key),
    'the pointer of the data set',
    () => parseVersions(inflatedText(stored.body)),
    'PointerDamaged',
    'put its last good version back, then run again',
  );
  return { etag: stored.etag, versions, ledger: await readLedger(analysis, versions.head.ledger, signal) };
}

/** What a commit replaces. */
export interface CurrentPointer {
  readonly etag: string;
  /** Null for the map of the original, which the adoption replaces: it has no commit. */
  readonly versions: Versions | null;
  /** Null for the first commit of a data set. */
  readonly ledger: Ledger | null;
}

export type Swap =
  | 'committed'
  /** Another commit came first, or the answer is lost and the pointer is not as it was. */
  | 'moved';

interface SwapStores extends DataSetStores {
  readonly metrics: Metrics;
}

/**
 * Stores a ledger and makes it the current one, if the pointer is still as it was.
 * @param current null where nothing is published yet: the pointer is then created, never replaced
 * @throws ApplicationFailure CommitRefused, naming the document and the rule, when the ledger would break an invariant;
 *   PointerMissing
 */
export async function commitLedger(
  stores: SwapStores,
  current: CurrentPointer | null,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<Swap> {
  const { analysis, published } = stores;
  const key = ledgerKey(ledger);
  const known = current?.versions ?? null;
  await claimState(stores, current?.ledger ?? null, signal);
  refuseFaults(stores, key, faultsOf(ledger, current?.ledger ?? null));
  const versions =
    known === null ? firstVersions(ledger, key, new Date()) : nextVersions(known, ledger, key, new Date());
  refuseFaults(stores, key, pointerFaults(versions, ledger));
  refuseFaults(stores, key, await absentObjects(stores, newlyNamed(ledger, current?.ledger ?? null), signal));
  await createLedger(analysis, ledger, signal);
  const body = gzipSync(serialiseVersions(versions));
  await failpoint('flip.before', signal);
  const swap = await (current === null
    ? createPointer(published, pointerKey(stores), body, signal)
    : swapPointer(stores, current.etag, body, signal));
  await failpoint('flip.after', signal);
  return swap;
}

function refuseFaults(stores: DataSetStores, key: string, faults: readonly Fault[]): void {
  const [first, ...others] = faults;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw failure(
    'CommitRefused',
    `The commit of ${addressOf(stores.analysis, key)} to ${addressOf(stores.published, pointerKey(stores))} is refused: ${first.what}, which breaks ${first.rule}${more}`,
  );
}

/** What the commit names and is not there: readers, or the next commit, would miss it. */
async function absentObjects(
  { analysis, published, publishedPrefix }: DataSetStores,
  { objects, folders }: NewlyNamed,
  signal: AbortSignal,
): Promise<Fault[]> {
  const named = [
    ...objects.map(({ by, key, rule }) => ({ by, rule, key, store: analysis })),
    ...folders.map(({ by, folder, rule }) => {
      const key = `${publishedPrefix}${folder}/${MANIFEST_NAME}`;
      return { by, rule, key, store: published };
    }),
  ];
  const found = await pMap(
    named,
    async ({ by, rule, key, store }): Promise<Fault[]> => {
      if ((await store.head(key, signal)) !== undefined) return [];
      return [{ rule, kind: 'damaged', what: `${by} names ${addressOf(store, key)}, which does not exist` }];
    },
    { concurrency: LOOKS_AT_ONCE },
  );
  return found.flat();
}

async function createPointer(published: ObjectStore, key: string, body: Buffer, signal: AbortSignal): Promise<Swap> {
  const outcome = await published.createOnce(key, body, POINTER_HEADERS, signal);
  return outcome === 'created' ? 'committed' : 'moved';
}

const LOOKS_AT_ONCE = 32;

const TRIES = 8;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Replaces the pointer if it still has this ETag. An unclear answer is resolved by reading: as long as the pointer is
 * unchanged the PUT did not happen and is tried again.
 */
async function swapPointer(stores: SwapStores, etag: string, body: Buffer, signal: AbortSignal): Promise<Swap> {
  const { published, metrics } = stores;
  const key = pointerKey(stores);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await published.replace(key, etag, body, POINTER_HEADERS, signal);
      return 'committed';
    } catch (error) {
      if (error instanceof ObjectMissingError) throw pointerGone(stores, 'it is never created by a run');
      if (error instanceof PreconditionFailedError) return 'moved';
      metrics.add('telemetry_unknown_flips', 1);
      if (attempt === TRIES || isNoUse(error)) throw error;
    }
    const now = await published.head(key, signal);
    if (now?.etag !== etag) return 'moved';
    await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal });
  }
}

function isNoUse(error: unknown): boolean {
  return (error instanceof Error && error.name === 'AbortError') || failureTypeOf(error) === 'AccessDenied';
}

function pointerKey({ publishedPrefix }: DataSetStores): string {
  return publishedPrefix + publishedNames.versions;
}

function pointerGone(stores: DataSetStores, remedy: string): Error {
  return failure('PointerMissing', `${addressOf(stores.published, pointerKey(stores))} does not exist: ${remedy}`);
}
