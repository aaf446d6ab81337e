/** Which run has the queues and the result of an investigation's name: two at once would read each other's messages. */
import { StoredJson } from '../pipeline/stored-json.ts';
import { type ObjectStore, PassingError, PreconditionFailedError, type StoredObject } from '../ports.ts';
import { addressOf, type Codec, createDocument, readObject, undamaged } from './documents.ts';
import { storeTime } from './garbage.ts';
import { stateKeys } from './keys.ts';

interface Owner {
  readonly runId: string;
  /** Its queues are being removed, since the run has ended without doing it. */
  readonly isLeft: boolean;
}

const OWNER: Codec<Owner> = {
  what: 'the owner of an investigation',
  parse: (text) => {
    const root = StoredJson.document(text, 'bad_run_index', 'owner of an investigation');
    return { runId: root.member('runId').text(), isLeft: root.optional('left') !== undefined };
  },
};

/** Longer than it takes Temporal to list a run that has just begun. */
const OLD_ENOUGH_MS = 60 * 60_000;
/** Longer than two queues take to be removed. */
const REMOVAL_MS = 10 * 60_000;

/**
 * Makes a run the owner of a name, unless the run that owns it is still at work. May be repeated.
 * @returns the run that owns it and is at work; undefined when it is `runId` now
 * @throws PassingError when another run took it at the same time; ApplicationFailure StateDamaged
 */
export async function claimInvestigation(
  store: ObjectStore,
  name: string,
  runId: string,
  isAtWork: (owner: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = stateKeys.investigationOwner(name);
  if ((await createDocument(store, key, OWNER, { runId, isLeft: false }, signal)) === 'created') return undefined;
  const stored = await readOwner(store, key, signal);
  const { owner } = stored;
  if (owner.isLeft && (await ageOf(store, key, signal)) < REMOVAL_MS)
    throw new PassingError(`the queues that an earlier run of the investigation ${name} left are being removed`);
  if (owner.runId === runId && !owner.isLeft) return undefined;
  if (await isAtWork(owner.runId)) return owner.runId;
  try {
    await replaceOwner(store, key, stored.etag, { runId }, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    throw new PassingError(`another run takes the investigation ${name} at this moment`);
  }
}

/**
 * Takes a name from a run that has ended, while `remove` removes what it has left. No run can have the name meanwhile.
 * @returns false, and removes nothing, when its run is at work, may have just begun, or is not known
 * @throws ApplicationFailure StateDamaged
 */
export async function removingLeftInvestigation(
  store: ObjectStore,
  name: string,
  isAtWork: (owner: string) => Promise<boolean>,
  remove: () => Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  const key = stateKeys.investigationOwner(name);
  if ((await store.head(key, signal)) === undefined) return false;
  const { owner, etag } = await readOwner(store, key, signal);
  if ((await ageOf(store, key, signal)) < OLD_ENOUGH_MS || (await isAtWork(owner.runId))) return false;
  try {
    // Whoever has taken the name since then keeps it: the object is no longer the one that was read.
    const left = await replaceOwner(store, key, etag, { runId: owner.runId, left: true }, signal);
    await remove();
    await replaceOwner(store, key, left.etag, { runId: owner.runId }, signal);
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

async function readOwner(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly owner: Owner; readonly etag: string }> {
  const { body, etag } = await readObject(store, key, OWNER.what, signal);
  return { owner: undamaged(addressOf(store, key), OWNER.what, () => OWNER.parse(body.toString('utf8'))), etag };
}

async function replaceOwner(
  store: ObjectStore,
  key: string,
  etag: string,
  owner: { readonly runId: string; readonly left?: true },
  signal: AbortSignal,
): Promise<StoredObject> {
  const body = Buffer.from(JSON.stringify(owner));
  return store.replace(key, etag, body, { contentType: 'application/json' }, signal);
}

/** By the store's own clock. */
async function ageOf(store: ObjectStore, key: string, signal: AbortSignal): Promise<number> {
  const now = await storeTime(store, signal);
  const stored = await store.head(key, signal);
  return stored === undefined ? 0 : now.getTime() - stored.lastModified.getTime();
}
