/** What lies about in the state and wants a look: quarantine, results that wait, failures and alerts that are not settled. */
import pMap from 'p-map';
import type { OpenFailure } from '../activities/alerts.ts';
import { readJsonIfPresent } from '../state/documents.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { stateKeys } from '../state/keys.ts';
import type { LeftoverFacts, OpenFailureFacts } from './rules/facts.ts';
import type { ListedObject, ObjectStore } from '../ports.ts';
import { listAtMost } from '../state/listing.ts';

const MAX_LISTED = 5_000;
const MAX_READ = 200;
const MAX_FAILURES = 50;
const MAX_SUBJECTS = 5;
const AT_ONCE = 8;
const DAY_MS = 86_400_000;

export async function leftoverFacts(analysis: ObjectStore, now: Date, signal: AbortSignal): Promise<LeftoverFacts> {
  const [quarantine, waiting, openFailures, undelivered] = await Promise.all([
    quarantineFacts(analysis, now, signal),
    listAtMost(analysis, stateKeys.allWaiting, MAX_LISTED, signal),
    failures(analysis, signal),
    undeliveredFacts(analysis, signal),
  ]);
  return { quarantine, waiting: waiting.counted, openFailures, undelivered };
}

async function quarantineFacts(
  analysis: ObjectStore,
  now: Date,
  signal: AbortSignal,
): Promise<LeftoverFacts['quarantine']> {
  const { objects, counted } = await listAtMost(analysis, stateKeys.allQuarantined, MAX_LISTED, signal);
  const newestFirst = objects.toSorted((a, b) => b.lastModified.getTime() - a.lastModified.getTime());
  const since = now.getTime() - DAY_MS;
  const reasons: Record<string, number> = {};
  const toRead = newestFirst.slice(0, MAX_READ);
  for (const entry of await readAll<{ reason?: unknown }>(analysis, toRead, signal)) {
    const reason = plainLine(typeof entry.reason === 'string' ? entry.reason : 'unreadable', 60);
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const recent = objects.filter(({ lastModified }) => lastModified.getTime() >= since).length;
  return { total: counted, recent, reasons, read: toRead.length };
}

async function failures(analysis: ObjectStore, signal: AbortSignal): Promise<OpenFailureFacts[]> {
  const { objects } = await listAtMost(analysis, stateKeys.openFailures, MAX_FAILURES, signal);
  const stored = await readAll<OpenFailure>(analysis, objects, signal);
  return stored.map(({ job = '?', about = '?', failedAt = '?', type = null, message = 'not readable' }) => ({
    job,
    about,
    failedAt,
    type,
    message: plainLine(message, 500),
  }));
}

async function undeliveredFacts(analysis: ObjectStore, signal: AbortSignal): Promise<LeftoverFacts['undelivered']> {
  const { objects, counted } = await listAtMost(analysis, stateKeys.allUndelivered, MAX_LISTED, signal);
  const stored = await readAll<{ subject?: unknown }>(analysis, objects.slice(0, MAX_SUBJECTS), signal);
  return { ...counted, subjects: stored.map(({ subject }) => plainLine(String(subject))) };
}

/** Objects that have gone meanwhile are left out; damaged ones are empty. */
async function readAll<T>(
  analysis: ObjectStore,
  objects: readonly ListedObject[],
  signal: AbortSignal,
): Promise<Partial<T>[]> {
  const read = await pMap(
    objects,
    async ({ key }) => {
      try {
        return (await readJsonIfPresent(analysis, key, signal)) as T | undefined;
      } catch (error) {
        signal.throwIfAborted();
        if ((error as { type?: unknown }).type === 'StateDamaged') return {};
        throw error;
      }
    },
    { concurrency: AT_ONCE },
  );
  return read.filter((value) => value !== undefined);
}
