/** What people have said about findings that would stay open otherwise: why each is no news any more. */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';
import { listAtMost } from './listing.ts';

export type Acknowledgement = ReturnType<typeof readAcknowledgement>;

function readAcknowledgement(root: StoredJson) {
  return {
    /** Of the finding: `daily-analysis/20131029`. */
    id: root.member('id').anyText(),
    reason: root.member('reason').anyText(),
    /** Who said it. */
    by: root.member('by').anyText(),
    /** ISO, UTC; it covers what began before. */
    at: root.member('at').text(),
  };
}

const ACKNOWLEDGEMENT: Codec<Acknowledgement> = {
  what: 'an acknowledgement',
  parse: (text) => readAcknowledgement(StoredJson.document(text, 'bad_decision', 'acknowledgement')),
};

const MAX_READ = 500;
const AT_ONCE = 8;

/** Replaces an earlier one of the same finding. */
export async function acknowledge(store: ObjectStore, given: Acknowledgement): Promise<void> {
  await store.put(keyOf(given.id), Buffer.from(JSON.stringify(given)), { contentType: 'application/json' });
}

/** @returns whether there was one */
export async function withdraw(store: ObjectStore, id: string): Promise<boolean> {
  const known = (await store.head(keyOf(id))) !== undefined;
  if (known) await store.delete([keyOf(id)]);
  return known;
}

/** The newest 500. @throws ApplicationFailure StateDamaged */
export async function readAcknowledgements(store: ObjectStore, signal: AbortSignal): Promise<Acknowledgement[]> {
  const { objects } = await listAtMost(store, stateKeys.allAcknowledged, 10 * MAX_READ, signal);
  const newest = objects.toSorted((a, b) => b.lastModified.getTime() - a.lastModified.getTime()).slice(0, MAX_READ);
  const read = await pMap(newest, ({ key }) => readDocumentIfPresent(store, key, ACKNOWLEDGEMENT, signal), {
    concurrency: AT_ONCE,
  });
  return read.filter((given) => given !== undefined);
}

/** Ids hold whatever a run is about. */
function keyOf(id: string): string {
  return stateKeys.acknowledged(createHash('sha256').update(id).digest('hex'));
}
