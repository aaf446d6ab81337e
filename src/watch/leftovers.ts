/** What needs attention in the state: quarantine, waiting results, open failures, undelivered alerts. */
import { MS_PER_DAY } from '../pipeline/calendar-day.ts';
import pMap from 'p-map';
import { isFailure } from '../failures.ts';
import { readAcknowledgements } from '../state/acknowledgements.ts';
import { ALERT_SUBJECT, OPEN_FAILURE } from '../state/alerts.ts';
import { type Codec, readDocumentIfPresent } from '../state/documents.ts';
import { QUARANTINE_ENTRY, shaOfKey, shasBelow } from '../state/quarantine.ts';
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

export async function leftoverFacts(analysis: ObjectStore, now: Date, signal: AbortSignal): Promise<LeftoverFacts> {
  const [quarantine, waiting, openFailures, undelivered, acknowledged] = await Promise.all([
    quarantineFacts(analysis, now, signal),
    listAtMost(analysis, stateKeys.allWaiting, MAX_LISTED, signal),
    failures(analysis, signal),
    undeliveredFacts(analysis, signal),
    readAcknowledgements(analysis, signal),
  ]);
  return { quarantine, waiting: waiting.counted, openFailures, undelivered, acknowledged };
}

async function quarantineFacts(
  analysis: ObjectStore,
  now: Date,
  signal: AbortSignal,
): Promise<LeftoverFacts['quarantine']> {
  const { objects, counted } = await listAtMost(analysis, stateKeys.allQuarantined, MAX_LISTED, signal);
  const acknowledged = await shasBelow(analysis, stateKeys.allQuarantineAcknowledged, signal);
  const open = objects.filter(({ key }) => !acknowledged.has(shaOfKey(key) ?? ''));
  const newestFirst = open.toSorted((a, b) => b.lastModified.getTime() - a.lastModified.getTime());
  const since = now.getTime() - MS_PER_DAY;
  const reasons: Record<string, number> = {};
  const toRead = newestFirst.slice(0, MAX_READ);
  for (const entry of await readAll(analysis, toRead, QUARANTINE_ENTRY, signal)) {
    const reason = plainLine(entry?.reason ?? 'unreadable', 60);
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const recent = open.filter(({ lastModified }) => lastModified.getTime() >= since).length;
  return { total: counted, recent, acknowledged: objects.length - open.length, reasons, read: toRead.length };
}

async function failures(analysis: ObjectStore, signal: AbortSignal): Promise<OpenFailureFacts[]> {
  const { objects } = await listAtMost(analysis, stateKeys.openFailures, MAX_FAILURES, signal);
  const stored = await readAll(analysis, objects, OPEN_FAILURE, signal);
  return stored.map((open) => {
    if (open === null) return { job: '?', about: '?', failedAt: '?', type: null, message: 'not readable' };
    const { job, about, failedAt, type, message } = open;
    return { job, about, failedAt, type, message: plainLine(message, 500) };
  });
}

async function undeliveredFacts(analysis: ObjectStore, signal: AbortSignal): Promise<LeftoverFacts['undelivered']> {
  const { objects, counted } = await listAtMost(analysis, stateKeys.allUndelivered, MAX_LISTED, signal);
  const stored = await readAll(analysis, objects.slice(0, MAX_SUBJECTS), ALERT_SUBJECT, signal);
  return { ...counted, subjects: stored.map((mark) => plainLine(mark?.subject ?? 'not readable')) };
}

/** Objects deleted in the meantime are left out; damaged ones are null. */
async function readAll<T>(
  analysis: ObjectStore,
  objects: readonly ListedObject[],
  codec: Codec<T>,
  signal: AbortSignal,
): Promise<(T | null)[]> {
  const read = await pMap(
    objects,
    async ({ key }) => {
      try {
        return await readDocumentIfPresent(analysis, key, codec, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isFailure(error, 'StateDamaged')) return null;
        throw error;
      }
    },
    { concurrency: AT_ONCE },
  );
  return read.filter((value) => value !== undefined);
}
