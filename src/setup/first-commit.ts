/** `versions.json` and its first ledger: made here and nowhere else, and only where nothing is (PROTOCOL I12). */
import { createHash, randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseFolderName } from '../pipeline/dataset/folder-name.ts';
import { emptyLedger, serialiseLedger } from '../pipeline/dataset/ledger.ts';
import { firstVersions, parseVersions, serialiseVersions } from '../pipeline/dataset/versions.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { publishedNames, stateKeys } from '../state/keys.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
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

/** Whatever is there is never overwritten, so there is no `fix`. */
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
  const stored = await readPointer(stores, signal);
  if (stored === null) return lookAtMissingPointer(stores, signal);
  try {
    const { head, folders } = parseVersions(textOf(stored));
    const facts = `commit ${head.seq} of ${head.at}, ${folders.size} channel/versions`;
    if ((await stores.analysis.head(head.ledger, signal)) !== undefined) return ok(facts);
    const lost = `its ledger ${head.ledger} is not in s3://${stores.analysis.bucket}`;
    return differs(facts, lost, 'correct TELEMETRY_ANALYSIS_BUCKET, or restore the ledger');
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return differs(`not a file of this application: ${error.message}`, NOT_OURS);
  }
}

const NOT_OURS =
  'left as it is, also by --fix: restore its last good version if it was damaged (docs/operating.md), take an existing data set over with "telemetry adopt", or choose another TELEMETRY_PUBLISHED_PREFIX';

function differs(...facts: readonly string[]): Look {
  return { state: 'differs', facts, blocks: true };
}

/** A pointer that is gone must not become an empty data set: the folders would be lost to every reader (PROTOCOL 5, 404). */
async function lookAtMissingPointer({ published, prefix }: DataSetStores, signal: AbortSignal): Promise<Look> {
  for await (const entry of published.list(prefix, '/', signal)) {
    const folder = entry.kind === 'folder' ? entry.name.slice(prefix.length, -1) : '';
    if (parseFolderName(folder) === undefined) continue;
    return differs(
      `is gone, but folders such as ${folder} are there`,
      'restore it from an older version of the object, or choose another TELEMETRY_PUBLISHED_PREFIX',
    );
  }
  return { state: 'missing', facts: ['does not exist'] };
}

/** @throws InvalidDataError */
function textOf(stored: Buffer): string {
  if (stored[0] !== 0x1f || stored[1] !== 0x8b) return stored.toString('utf8');
  try {
    return gunzipSync(stored, { maxOutputLength: MAX_POINTER_BYTES }).toString('utf8');
  } catch (error) {
    throw new InvalidDataError('bad_versions', `damaged gzip data (${(error as Error).message})`);
  }
}

/** Thousands of times what a pointer has. */
const MAX_POINTER_BYTES = 64 << 20;

async function readPointer({ published, prefix }: DataSetStores, signal: AbortSignal): Promise<Buffer | null> {
  try {
    return (await published.get(prefix + publishedNames.versions, { signal })).body;
  } catch (error) {
    if (error instanceof ObjectMissingError) return null;
    throw error;
  }
}

async function createDataSet({ analysis, published, prefix }: DataSetStores, signal: AbortSignal): Promise<void> {
  const ledger = emptyLedger(randomUUID());
  const text = serialiseLedger(ledger);
  const ledgerKey = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
  await analysis.createOnce(ledgerKey, gzipSync(text), { contentType: 'application/gzip' }, signal);
  const pointer = gzipSync(serialiseVersions(firstVersions(ledger, ledgerKey, new Date())));
  await published.createOnce(
    prefix + publishedNames.versions,
    pointer,
    { contentType: 'application/json', contentEncoding: 'gzip', cacheControl: 'no-cache' },
    signal,
  );
}
