/** What garbage collection keeps of itself: the stored list of what may go, and the store's own clock. */
import type { Candidate, Garbage } from '../pipeline/garbage/decide.ts';
import { failure } from '../failures.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { addressOf, type Codec, createDocument, readDocument } from './documents.ts';
import { RUN_ROOTS, stateKeys } from './keys.ts';

const PLAN: Codec<Garbage> = {
  what: 'the plan of a garbage collection',
  parse: (text) => {
    const root = StoredJson.document(text, 'bad_garbage_plan', 'plan of a garbage collection');
    return {
      folders: root.member('folders').list(readCandidate),
      objects: root.member('objects').list(readCandidate),
      left: root.member('left').count(),
    };
  },
};

function readCandidate(stored: StoredJson): Candidate {
  return {
    name: stored.member('name').text(),
    objects: stored.member('objects').count(),
    bytes: stored.member('bytes').count(),
    lastModified: new Date(stored.member('lastModified').instant()),
  };
}

export async function createGarbagePlan(
  store: ObjectStore,
  id: string,
  garbage: Garbage,
  signal: AbortSignal,
): Promise<void> {
  await createDocument(store, stateKeys.garbagePlan(id), PLAN, garbage, signal);
}

/** @throws ApplicationFailure StateDamaged */
export async function readGarbagePlan(store: ObjectStore, id: string, signal: AbortSignal): Promise<Garbage> {
  return readDocument(store, stateKeys.garbagePlan(id), PLAN, signal);
}

/** The time by the store's clock, which dates the objects: this machine's clock may be days off. */
export async function storeTime(store: ObjectStore, signal: AbortSignal): Promise<Date> {
  await store.put(stateKeys.garbageClock, Buffer.from('what time is it'), {}, signal);
  const stored = await store.head(stateKeys.garbageClock, signal);
  if (stored !== undefined) return stored.lastModified;
  throw failure('ServiceUnavailable', `${addressOf(store, stateKeys.garbageClock)} was removed at once`);
}

const COMPACTED = /^state\/segments\/[^/]+\/[^/]+\/sealed-/;

const CHUNK_PART = new RegExp(`^(?:${RUN_ROOTS.join('|')})[^/]+/[^/]+/chunks/.+\\.zst$`);

/** Whether garbage collection may remove such an object at all, whatever a stored plan says. */
export function isCollectable(key: string): boolean {
  return COMPACTED.test(key) || CHUNK_PART.test(key);
}

/** Compacted days of all channel/versions; everything else below the segments is kept for good. */
export async function* compactedObjects(store: ObjectStore, signal: AbortSignal): AsyncGenerator<Candidate> {
  for await (const { key, size, lastModified } of store.objects(stateKeys.allSegments, signal))
    if (COMPACTED.test(key)) yield { name: key, objects: 1, bytes: size, lastModified };
}

/** Parts of the merged chunks of all runs. */
export async function* chunkParts(store: ObjectStore, signal: AbortSignal): AsyncGenerator<Candidate> {
  for (const root of RUN_ROOTS) {
    for await (const group of store.folders(root, signal)) {
      for await (const runId of store.folders(`${root}${group}/`, signal)) {
        const chunks = stateKeys.chunks({ runId, prefix: `${root}${group}/${runId}/` });
        for await (const { key, size, lastModified } of store.objects(chunks, signal))
          if (key.endsWith('.zst')) yield { name: key, objects: 1, bytes: size, lastModified };
      }
    }
  }
}
