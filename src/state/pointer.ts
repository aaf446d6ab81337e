/**
 * `versions.json` and the ledger it names, read and replaced as docs/protocol.md 5 says: the only moment when
 * anything becomes visible. Every commit (of a run, of the adoption, of the set-up) goes through
 * `commitLedger`, which checks the invariants before the compare-and-swap.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { failpoint } from '../failpoints.ts';
import { failureTypeOf } from '../error-classes.ts';
import { failure } from '../failures.ts';
import { type Fault, faultsOf, pointerFaults } from '../pipeline/dataset/invariants.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { parseLedger, serialiseLedger } from '../pipeline/dataset/ledger-document.ts';
import {
  firstVersions,
  nextVersions,
  parseVersions,
  serialiseVersions,
  type Versions,
} from '../pipeline/dataset/versions.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { Metrics } from '../metrics.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { addressOf, bodyOf, type Codec, getIfPresent, inflatedText, readObject, undamaged } from './documents.ts';
import { publishedNames, stateKeys } from './keys.ts';

export interface Pointer {
  readonly etag: string;
  readonly versions: Versions;
  readonly ledger: Ledger;
}

/** Where the data set and its state are. */
export interface DataSetStores {
  readonly published: ObjectStore;
  readonly analysis: ObjectStore;
  readonly publishedPrefix: string;
}

const POINTER_HEADERS = {
  contentType: 'application/json',
  contentEncoding: 'gzip',
  cacheControl: 'no-cache',
} as const;

const LEDGER: Codec<Ledger> = {
  what: 'a ledger of the data set',
  parse: parseLedger,
  serialise: serialiseLedger,
  compressed: true,
};

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

/** @throws ApplicationFailure StateDamaged */
export async function readLedger(analysis: ObjectStore, key: string, signal: AbortSignal): Promise<Ledger> {
  const { body } = await readObject(analysis, key, LEDGER.what, signal);
  return undamaged(addressOf(analysis, key), LEDGER.what, () => {
    const text = inflatedText(body);
    if (hashedKey(text) !== key) throw new InvalidDataError('bad_ledger', 'its content is not what its name says');
    return parseLedger(text);
  });
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
  refuseFaults(stores, key, faultsOf(ledger, current?.ledger ?? null));
  const versions =
    known === null ? firstVersions(ledger, key, new Date()) : nextVersions(known, ledger, key, new Date());
  refuseFaults(stores, key, pointerFaults(versions, ledger));
  await analysis.createOnce(key, bodyOf(LEDGER, ledger), { contentType: 'application/gzip' }, signal);
  const body = gzipSync(serialiseVersions(versions));
  await failpoint('flip.before', signal);
  const swap = await (current === null
    ? createPointer(published, pointerKey(stores), body, signal)
    : swapPointer(stores, current.etag, body, signal));
  await failpoint('flip.after', signal);
  return swap;
}

function ledgerKey(ledger: Ledger): string {
  return hashedKey(serialiseLedger(ledger));
}

function hashedKey(text: string): string {
  return stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
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

async function createPointer(published: ObjectStore, key: string, body: Buffer, signal: AbortSignal): Promise<Swap> {
  const outcome = await published.createOnce(key, body, POINTER_HEADERS, signal);
  return outcome === 'created' ? 'committed' : 'moved';
}

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

/** Every ledger that is stored, in the order of its key; the current one and all before it. */
export async function* storedLedgers(
  analysis: ObjectStore,
  signal: AbortSignal,
): AsyncGenerator<{ readonly key: string; readonly storedAt: Date }> {
  for await (const { key, lastModified } of analysis.objects(stateKeys.allLedgers, signal))
    yield { key, storedAt: lastModified };
}
