/**
 * Signs of life of analysis workers, so that operators see who works through the task queue: nothing else says it, since
 * the workers talk to SQS and S3 only. Outside of the state, because half trusted machines write it; nothing is decided by it.
 */
import pMap from 'p-map';
import { plainLine } from '../pipeline/plain-text.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { isContentError } from '../threads/content-error.ts';
import { getIfPresent, inflatedText } from './documents.ts';
import { stateKeys } from './keys.ts';
import { listAtMost } from './listing.ts';

/** How often a worker writes its sign: 4,320 small objects a day, in place of one another. `ALIVE_HOURS` is some of these. */
export const SIGN_INTERVAL_MS = 20_000;

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
/** Of a sign, as stored and inflated: those of real workers have a twentieth. */
const MAX_SIGN_BYTES = 64 << 10;
/** Names that are looked at, and signs that are read: others than workers may write there. */
const MAX_NAMES = 10_000;
const MAX_READ = 2000;
/** Old signs that are removed at a time. */
const MAX_REMOVED = 1000;
const MAX_TEXT = 100;
const MAX_AT_WORK = 64;
const AT_ONCE = 8;

function parseSign(text: string): SignOfLife {
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
}

/** @param id of the process */
export async function writeSign(store: ObjectStore, id: string, sign: SignOfLife): Promise<void> {
  await store.put(stateKeys.signOfLife(id), Buffer.from(JSON.stringify(sign)), { contentType: 'application/json' });
}

/** Of a worker that ends. */
export async function removeSign(store: ObjectStore, id: string): Promise<void> {
  await store.delete([stateKeys.signOfLife(id)]);
}

/**
 * The workers whose sign is not older than `maxAgeMs`, last seen first. Signs that are unreadable or too large are left out,
 * and take no place of others.
 */
export async function seenWorkers(
  store: ObjectStore,
  now: Date,
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<SeenWorker[]> {
  const { objects } = await listAtMost(store, stateKeys.allSignsOfLife, MAX_NAMES, signal);
  const recent = objects
    .filter(({ lastModified, size }) => now.getTime() - lastModified.getTime() <= maxAgeMs && size <= MAX_SIGN_BYTES)
    .toSorted((a, b) => b.lastModified.getTime() - a.lastModified.getTime())
    .slice(0, MAX_READ);
  const seen: SeenWorker[] = [];
  for (let start = 0; start < recent.length && seen.length < MAX_WORKERS; start += MAX_WORKERS) {
    const signs = await pMap(
      recent.slice(start, start + MAX_WORKERS),
      async ({ key, lastModified }) => {
        const sign = await readSign(store, key, signal);
        return sign === undefined ? [] : [{ ...sign, seenAt: lastModified.toISOString() }];
      },
      { concurrency: AT_ONCE },
    );
    seen.push(...signs.flat());
  }
  return seen.slice(0, MAX_WORKERS);
}

/** Undefined for one that was removed meanwhile, or cannot be read. */
async function readSign(store: ObjectStore, key: string, signal: AbortSignal): Promise<SignOfLife | undefined> {
  const stored = await getIfPresent(store, key, signal);
  // It may have been replaced since it was listed.
  if (stored === undefined || stored.body.length > MAX_SIGN_BYTES) return undefined;
  try {
    return parseSign(inflatedText(stored.body, MAX_SIGN_BYTES));
  } catch (error) {
    if (isContentError(error)) return undefined;
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
  const { objects } = await listAtMost(store, stateKeys.allSignsOfLife, MAX_NAMES, signal);
  const old = objects.filter(({ lastModified }) => now.getTime() - lastModified.getTime() > maxAgeMs);
  if (old.length > 0)
    await store.delete(
      old.slice(0, MAX_REMOVED).map(({ key }) => key),
      signal,
    );
}
