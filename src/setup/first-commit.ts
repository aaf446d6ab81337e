/**
 * `versions.json` and its first ledger: created here and nowhere else, and only where there is nothing
 * (docs/protocol.md I12).
 */
import { randomUUID } from 'node:crypto';
import { emptyLedger } from '../pipeline/dataset/ledger.ts';
import { parseVersions } from '../pipeline/dataset/versions.ts';
import { NO_METRICS } from '../metrics.ts';
import type { ObjectStore } from '../ports.ts';
import { getIfPresent, inflatedText } from '../state/documents.ts';
import { isContentError } from '../threads/content-error.ts';
import { publishedNames } from '../state/keys.ts';
import { publishedFolders } from '../state/listing.ts';
import { isOwnState, isWrongDataSet, refuseAnyHistory } from '../state/owner.ts';
import { commitLedger } from '../state/pointer.ts';
import { type Look, ok, type SetupItem } from './item.ts';

export interface DataSetStores {
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  /** Ends with `/`, or is empty. */
  readonly prefix: string;
}

export function dataSetItemName({ published, prefix }: Pick<DataSetStores, 'published' | 'prefix'>): string {
  return `data set s3://${published.bucket}/${prefix}${publishedNames.versions}`;
}

/** An existing pointer is never overwritten, so there is no `fix`. */
export function dataSetItem(stores: DataSetStores, needs: readonly string[]): SetupItem {
  return {
    name: dataSetItemName(stores),
    needs,
    look: (signal) => lookAtDataSet(stores, signal),
    create: (signal) => createDataSet(stores, signal),
  };
}

/** Whether the pointer is there, readable, and fits the state. */
export async function lookAtDataSet(stores: DataSetStores, signal: AbortSignal): Promise<Look> {
  try {
    const isOwn = await isOwnState(placeOf(stores), signal);
    return await lookAtPointer(stores, isOwn, signal);
  } catch (error) {
    if (isWrongDataSet(error)) return differs(error.message);
    throw error;
  }
}

async function lookAtPointer(stores: DataSetStores, isOwn: boolean, signal: AbortSignal): Promise<Look> {
  const stored = await getIfPresent(stores.published, stores.prefix + publishedNames.versions, signal);
  if (stored === undefined) {
    if (!isOwn) await refuseAnyHistory(placeOf(stores), signal);
    return lookAtMissingPointer(stores, signal);
  }
  try {
    const { head, folders } = parseVersions(inflatedText(stored.body));
    const facts = `commit ${head.seq} of ${head.at}, ${folders.size} channel/versions`;
    if ((await stores.analysis.head(head.ledger, signal)) !== undefined) return ok(facts);
    const lost = `its ledger ${head.ledger} is not in s3://${stores.analysis.bucket}`;
    return differs(facts, lost, 'correct TELEMETRY_ANALYSIS_BUCKET, or restore the ledger');
  } catch (error) {
    if (!isContentError(error)) throw error;
    return differs(`not a file of this application: ${error.message}`, NOT_OURS);
  }
}

const NOT_OURS =
  'left as it is, also by --fix: restore its last good version if it was damaged (docs/operating.md), take an existing data set over with "telemetry adopt", or choose another TELEMETRY_PUBLISHED_PREFIX';

function differs(...facts: readonly string[]): Look {
  return { state: 'differs', facts, blocks: true };
}

/**
 * A pointer that is gone must not become an empty data set: the folders would be lost to every reader
 * (docs/protocol.md 5).
 */
async function lookAtMissingPointer({ published, prefix }: DataSetStores, signal: AbortSignal): Promise<Look> {
  for await (const { folder } of publishedFolders(published, prefix, signal)) {
    return differs(
      `is gone, but folders such as ${folder} are there`,
      'restore it from an older version of the object, or choose another TELEMETRY_PUBLISHED_PREFIX',
    );
  }
  return { state: 'missing', facts: ['does not exist'] };
}

async function createDataSet(stores: DataSetStores, signal: AbortSignal): Promise<void> {
  await commitLedger({ ...placeOf(stores), metrics: NO_METRICS }, null, emptyLedger(randomUUID()), signal);
}

function placeOf({ analysis, published, prefix }: DataSetStores) {
  return { analysis, published, publishedPrefix: prefix };
}
