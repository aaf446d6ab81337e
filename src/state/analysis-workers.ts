/**
 * Signs of life of analysis workers, so that operators see who works through the task queue: nothing else says it, since
 * the workers talk to SQS and S3 only. Outside of the state, because half trusted machines write it; nothing is decided by it.
 */
import pMap from 'p-map';
import { isFailure } from '../failures.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';
import { listAtMost } from './listing.ts';

/** How often a worker writes its sign. */
export const SIGN_INTERVAL_MS = 60_000;

export interface SignOfLife {
  readonly host: string;
  readonly pid: number;
  /** ISO, UTC. */
  readonly startedAt: string;
  /** Since the start. */
  readonly tasksDone: number;
  readonly tasksFailed: number;
  /** Ids of the tasks at hand. */
  readonly atWork: readonly string[];
}

export interface SeenWorker extends SignOfLife {
  /** When the sign was stored, by the store's clock; ISO, UTC. */
  readonly seenAt: string;
}

const MAX_WORKERS = 200;
const MAX_TEXT = 100;
const MAX_AT_WORK = 64;
const AT_ONCE = 8;

const SIGN: Codec<SignOfLife> = {
  what: 'the sign of life of an analysis worker',
  parse: (text) => {
    const root = StoredJson.document(text, 'bad_sign_of_life', 'sign of life');
    return {
      host: plainLine(root.member('host').anyText(), MAX_TEXT),
      pid: root.member('pid').count(),
      startedAt: plainLine(root.member('startedAt').text(), MAX_TEXT),
      tasksDone: root.member('tasksDone').count(),
      tasksFailed: root.member('tasksFailed').count(),
      atWork: root
        .member('atWork')
        .items()
        .slice(0, MAX_AT_WORK)
        .map((task) => plainLine(task.text(), MAX_TEXT)),
    };
  },
};

/** @param id of the process */
export async function writeSign(store: ObjectStore, id: string, sign: SignOfLife): Promise<void> {
  await store.put(stateKeys.signOfLife(id), Buffer.from(JSON.stringify(sign)), { contentType: 'application/json' });
}

/** Of a worker that ends. */
export async function removeSign(store: ObjectStore, id: string): Promise<void> {
  await store.delete([stateKeys.signOfLife(id)]);
}

/** The workers whose sign is not older than `maxAgeMs`, last seen first; unreadable signs are left out. */
export async function seenWorkers(
  store: ObjectStore,
  now: Date,
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<SeenWorker[]> {
  const { objects } = await listAtMost(store, stateKeys.allSignsOfLife, MAX_WORKERS, signal);
  const recent = objects.filter(({ lastModified }) => now.getTime() - lastModified.getTime() <= maxAgeMs);
  const seen = await pMap(
    recent,
    async ({ key, lastModified }) => {
      const sign = await readSign(store, key, signal);
      return sign === undefined ? [] : [{ ...sign, seenAt: lastModified.toISOString() }];
    },
    { concurrency: AT_ONCE },
  );
  return seen.flat().toSorted((a, b) => (a.seenAt > b.seenAt ? -1 : 1));
}

/** Undefined for one that was removed meanwhile, or cannot be read. */
async function readSign(store: ObjectStore, key: string, signal: AbortSignal): Promise<SignOfLife | undefined> {
  try {
    return await readDocumentIfPresent(store, key, SIGN, signal);
  } catch (error) {
    if (isFailure(error, 'StateDamaged')) return undefined;
    throw error;
  }
}

/** Removes signs older than `maxAgeMs`, of workers that were killed. */
export async function removeOldSigns(
  store: ObjectStore,
  now: Date,
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { objects } = await listAtMost(store, stateKeys.allSignsOfLife, MAX_WORKERS, signal);
  const old = objects.filter(({ lastModified }) => now.getTime() - lastModified.getTime() > maxAgeMs);
  if (old.length > 0)
    await store.delete(
      old.map(({ key }) => key),
      signal,
    );
}
