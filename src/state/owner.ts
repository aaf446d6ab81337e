/**
 * Which data set the state belongs to. All of it is under one prefix of the analysis bucket, so a second data set there
 * would have its objects removed as garbage of the first (docs/protocol.md I13).
 */
import pMap from 'p-map';
import { failure, isFailure } from '../failures.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { addressOf, type Codec, createDocumentOnce, readDocumentIfPresent } from './documents.ts';
import { publishedNames, stateKeys } from './keys.ts';
import { readLedger, storedLedgers } from './ledgers.ts';

/** Where the data set and its state are. */
export interface DataSetStores {
  readonly published: ObjectStore;
  readonly analysis: ObjectStore;
  readonly publishedPrefix: string;
}

export function dataSetStores(ports: {
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly settings: { readonly publishedPrefix: string };
}): DataSetStores {
  const { analysis, published, settings } = ports;
  return { analysis, published, publishedPrefix: settings.publishedPrefix };
}

/** The place that a data set is published at. */
interface Owner {
  readonly publishedBucket: string;
  readonly publishedPrefix: string;
}

const READS_AT_ONCE = 8;

const OWNER: Codec<Owner> = {
  what: 'the name of the data set that the state belongs to',
  parse: (text) => {
    const root = StoredJson.document(text, 'bad_owner', 'data-set.json');
    return {
      publishedBucket: root.member('publishedBucket').text(),
      publishedPrefix: root.member('publishedPrefix').anyText(),
    };
  },
};

/**
 * @returns whether the state is claimed for this data set; false when it is for none
 * @throws ApplicationFailure WrongDataSet when it is another one's
 */
export async function isOwnState(stores: DataSetStores, signal: AbortSignal): Promise<boolean> {
  const owner = await readDocumentIfPresent(stores.analysis, stateKeys.owner, OWNER, signal);
  if (owner === undefined) return false;
  refuseOther(stores, owner);
  return true;
}

/**
 * Claims the state for this data set unless that is done; called before anything is committed or removed. A state that
 * nobody has claimed yet is that of a deployment of an earlier release, or empty.
 * @param ledger the current one of this data set; null when it is only beginning
 * @throws ApplicationFailure WrongDataSet
 */
export async function claimState(stores: DataSetStores, ledger: Ledger | null, signal: AbortSignal): Promise<void> {
  if (await isOwnState(stores, signal)) return;
  await (ledger === null ? refuseAnyHistory(stores, signal) : refuseOtherHistory(stores, ledger, signal));
  const own = ownerOf(stores);
  refuseOther(stores, await createDocumentOnce(stores.analysis, stateKeys.owner, OWNER, own, signal));
}

function ownerOf({ published, publishedPrefix }: DataSetStores): Owner {
  return { publishedBucket: published.bucket, publishedPrefix };
}

/** A data set that begins must not begin in the state of another. @throws ApplicationFailure WrongDataSet */
export async function refuseAnyHistory(stores: DataSetStores, signal: AbortSignal): Promise<void> {
  for await (const { key } of storedLedgers(stores.analysis, signal)) {
    const ledger = await ledgerUnlessDamaged(stores.analysis, key, signal);
    // An empty one is left by a set-up whose pointer was never written, or was replaced by the original's.
    if (ledger === undefined || ledger.entries.size === 0) continue;
    throw wrongDataSet(stores, `there are commits of another data set, such as ${key}`);
  }
}

/**
 * Two data sets of an earlier release may be at work in one state. Only commits tell: a first commit that others
 * follow, and from which the current one does not come.
 */
async function refuseOtherHistory(stores: DataSetStores, current: Ledger, signal: AbortSignal): Promise<void> {
  const keys = (await Array.fromAsync(storedLedgers(stores.analysis, signal))).map(({ key }) => key);
  const ledgers = await pMap(keys, (key) => ledgerUnlessDamaged(stores.analysis, key, signal), {
    concurrency: READS_AT_ONCE,
  });
  const parents = new Map(
    ledgers.flatMap((ledger) => (ledger === undefined ? [] : [[ledger.commit, ledger.parent] as const])),
  );
  let own: string = current.commit;
  for (let next = current.parent; next !== null; next = parents.get(next) ?? null) own = next;
  const followed = new Set(parents.values());
  const others = [...parents].filter(([commit, parent]) => parent === null && commit !== own && followed.has(commit));
  // A history with a gap does not show where it began.
  if (parents.get(own) !== null || others.length === 0) return;
  const marker = `${JSON.stringify(ownerOf(stores))} as ${stateKeys.owner}`;
  throw wrongDataSet(
    stores,
    `there are the commits of another data set as well, the first being ${others[0]?.[0] ?? ''} (once that one is no longer used here, store ${marker})`,
  );
}

/** Undefined for a damaged ledger, which is for `verify` to tell. */
async function ledgerUnlessDamaged(
  analysis: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<Ledger | undefined> {
  try {
    return await readLedger(analysis, key, signal);
  } catch (error) {
    if (isFailure(error, 'StateDamaged')) return undefined;
    throw error;
  }
}

function refuseOther(stores: DataSetStores, { publishedBucket, publishedPrefix }: Owner): void {
  if (publishedBucket === stores.published.bucket && publishedPrefix === stores.publishedPrefix) return;
  const other = `s3://${publishedBucket}/${publishedPrefix}`;
  throw wrongDataSet(stores, `it is that of ${other} (${addressOf(stores.analysis, stateKeys.owner)})`);
}

export function isWrongDataSet(error: unknown): error is Error {
  return isFailure(error, 'WrongDataSet');
}

function wrongDataSet(stores: DataSetStores, why: string): Error {
  const { analysis, published, publishedPrefix } = stores;
  const pointer = addressOf(published, publishedPrefix + publishedNames.versions);
  return failure(
    'WrongDataSet',
    `The state in s3://${analysis.bucket} cannot be used for ${pointer}: ${why}; give each data set an analysis bucket of its own`,
  );
}
