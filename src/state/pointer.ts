/** `versions.json` and the ledger it names, read and replaced as PROTOCOL.md 5 says: the only moment at which anything becomes visible. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../failures.ts';
import { type Ledger, parseLedger } from '../pipeline/dataset/ledger.ts';
import { parseVersions, type Versions } from '../pipeline/dataset/versions.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { publishedNames } from './keys.ts';
import type { Metrics } from '../metrics.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { inflatedText } from './documents.ts';

export interface Pointer {
  readonly etag: string;
  readonly versions: Versions;
  readonly ledger: Ledger;
}

const POINTER_HEADERS = {
  contentType: 'application/json',
  contentEncoding: 'gzip',
  cacheControl: 'no-cache',
} as const;

/** Where the data set and its state lie. */
export interface DataSetStores {
  readonly published: ObjectStore;
  readonly analysis: ObjectStore;
  readonly publishedPrefix: string;
}

interface SwapStores extends DataSetStores {
  readonly metrics: Metrics;
}

/** @throws ApplicationFailure PointerMissing, PointerDamaged, StateDamaged: never taken for an empty data set */
export async function readPointer(
  { published, analysis, publishedPrefix }: DataSetStores,
  signal: AbortSignal,
): Promise<Pointer> {
  const key = publishedPrefix + publishedNames.versions;
  const { etag, body } = await getOr(
    published,
    key,
    FailureType.PointerMissing,
    'run the set-up for a new data set, or restore the object',
    signal,
  );
  const versions = parsed(`s3://${published.bucket}/${key}`, FailureType.PointerDamaged, () =>
    parseVersions(inflatedText(body)),
  );
  return { etag, versions, ledger: await readLedger(analysis, versions.head.ledger, signal) };
}

export async function readLedger(analysis: ObjectStore, key: string, signal: AbortSignal): Promise<Ledger> {
  const { body } = await getOr(
    analysis,
    key,
    FailureType.StateDamaged,
    'restore it from the bucket’s versions',
    signal,
  );
  return parsed(`s3://${analysis.bucket}/${key}`, FailureType.StateDamaged, () => parseLedger(inflatedText(body)));
}

export type Flip =
  | 'committed'
  /** Another commit came first, or the answer is lost and the pointer is not as it was. */
  | 'moved';

const TRIES = 8;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Replaces the pointer if it still has this ETag. An unclear answer is resolved by reading: as long as the pointer is
 * unchanged the PUT did not happen and is tried again.
 */
export async function swapPointer(
  { published, publishedPrefix, metrics }: SwapStores,
  etag: string,
  body: Buffer,
  signal: AbortSignal,
): Promise<Flip> {
  const key = publishedPrefix + publishedNames.versions;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await published.replace(key, etag, body, POINTER_HEADERS, signal);
      return 'committed';
    } catch (error) {
      if (error instanceof ObjectMissingError)
        throw gone(published, key, FailureType.PointerMissing, 'it is never created by a run');
      if (error instanceof PreconditionFailedError) return 'moved';
      metrics.add('telemetry_unknown_flips', 1);
      if (attempt === TRIES || isFinal(error)) throw error;
    }
    const now = await published.head(key, signal);
    if (now?.etag !== etag) return 'moved';
    await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal });
  }
}

function isFinal(error: unknown): boolean {
  return (
    error instanceof Error &&
    ['AbortError', 'AccessDenied', 'SignatureDoesNotMatch', 'InvalidAccessKeyId'].includes(error.name)
  );
}

async function getOr(
  store: ObjectStore,
  key: string,
  type: FailureType,
  remedy: string,
  signal: AbortSignal,
): Promise<{ etag: string; body: Buffer }> {
  try {
    return await store.get(key, { signal });
  } catch (error) {
    if (error instanceof ObjectMissingError) throw gone(store, key, type, remedy);
    throw error;
  }
}

function gone(store: ObjectStore, key: string, type: FailureType, remedy: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`s3://${store.bucket}/${key} does not exist: ${remedy}`, type);
}

function parsed<T>(name: string, type: FailureType, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof InvalidDataError) && !(error instanceof Error && 'code' in error)) throw error;
    throw ApplicationFailure.nonRetryable(
      `${name} is damaged: ${error.message}; put its last good version back, then run again`,
      type,
    );
  }
}
