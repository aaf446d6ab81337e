/** Which run has the queues and the result of an investigation's name: two at once would read each other's messages. */
import { StoredJson } from '../pipeline/stored-json.ts';
import { type ObjectStore, PassingError, PreconditionFailedError } from '../ports.ts';
import { addressOf, type Codec, createDocument, readObject, undamaged } from './documents.ts';
import { stateKeys } from './keys.ts';

interface Owner {
  readonly runId: string;
}

const OWNER: Codec<Owner> = {
  what: 'the owner of an investigation',
  parse: (text) => ({
    runId: StoredJson.document(text, 'bad_run_index', 'owner of an investigation').member('runId').text(),
  }),
};

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
  if ((await createDocument(store, key, OWNER, { runId }, signal)) === 'created') return undefined;
  const stored = await readObject(store, key, OWNER.what, signal);
  const owner = undamaged(addressOf(store, key), OWNER.what, () => OWNER.parse(stored.body.toString('utf8')));
  if (owner.runId === runId) return undefined;
  if (await isAtWork(owner.runId)) return owner.runId;
  try {
    await store.replace(
      key,
      stored.etag,
      Buffer.from(JSON.stringify({ runId })),
      { contentType: 'application/json' },
      signal,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    throw new PassingError(`another run takes the investigation ${name} at this moment`);
  }
}
