/**
 * The quarantine for operators: listing it, and sending things back to where they came from. Called by the command,
 * not by a workflow. A release takes nothing out of the quarantine; a second object says when something was released.
 */
import pMap from 'p-map';
import type { QuarantineEntry } from '../pipeline/quarantine/entry.ts';
import type { MessageQueues, ObjectStore } from '../ports.ts';
import { dayOfRun, stateKeys } from './keys.ts';
import { findRun } from './plan.ts';
import { findQuarantined, readQuarantined, shasBelow } from './quarantine.ts';
import { type QuarantineDecision, readAcknowledged } from './quarantine-decisions.ts';
import { hasForeignReceipt } from './receipts.ts';
import { type ReleaseStep, releaseStep } from './release-step.ts';
import { letWait } from './waiting-results.ts';

interface Ports {
  readonly analysis: ObjectStore;
  readonly queues: MessageQueues;
  readonly settings: { readonly doneQueue: string };
}

export interface Quarantined extends QuarantineEntry {
  readonly sha: string;
  /** ISO 8601. */
  readonly since: string;
  /** When it was last released; null: never. */
  readonly released: string | null;
  /** Why a person has said that it is no problem; null: nobody has. */
  readonly acknowledged: QuarantineDecision | null;
}

export interface QuarantineList {
  /** Everything that is in the quarantine, newest first; `listed` has the first ones of it. */
  readonly total: number;
  readonly listed: readonly Quarantined[];
}

export interface Release {
  readonly sha: string;
  readonly outcome: 'released' | 'refused';
  /** Shown to people: where it went, or why it cannot go and what to do. */
  readonly message: string;
}

type Outcome = Omit<Release, 'sha'>;

const READS_AT_ONCE = 32;

/** The newest `limit` of the quarantine; an object that is damaged shows as `bad_entry`. */
export async function listQuarantine(
  { analysis }: Pick<Ports, 'analysis'>,
  limit: number,
  signal: AbortSignal,
): Promise<QuarantineList> {
  const found = await shasBelow(analysis, stateKeys.allQuarantined, signal);
  const released = await shasBelow(analysis, stateKeys.allQuarantineReleased, signal);
  const acknowledged = await shasBelow(analysis, stateKeys.allQuarantineAcknowledged, signal);
  const newest = [...found].sort(([a, at], [b, bt]) => bt.getTime() - at.getTime() || (a < b ? -1 : 1)).slice(0, limit);
  const listed = await pMap(
    newest,
    async ([sha, since]): Promise<Quarantined> => ({
      sha,
      since: since.toISOString(),
      released: released.get(sha)?.toISOString() ?? null,
      acknowledged: acknowledged.has(sha) ? await readAcknowledged(analysis, sha, signal) : null,
      ...(await readQuarantined(analysis, sha, signal)),
    }),
    { concurrency: READS_AT_ONCE },
  );
  return { total: found.size, listed };
}

/** @throws InvalidDataError `bad_sha`, `unknown_sha`, `ambiguous_sha` */
export async function showQuarantined(
  { analysis }: Pick<Ports, 'analysis'>,
  given: string,
  signal: AbortSignal,
): Promise<Quarantined> {
  const [sha, since] = await findQuarantined(analysis, given, signal);
  const marker = await analysis.head(stateKeys.quarantineReleased(sha), signal);
  return {
    sha,
    since: since.toISOString(),
    released: marker?.lastModified.toISOString() ?? null,
    acknowledged: await readAcknowledged(analysis, sha, signal),
    ...(await readQuarantined(analysis, sha, signal)),
  };
}

/**
 * Sends each back, in the order given. A wrong name stops everything before anything is done. Releasing twice is
 * harmless: receipts and rounds count each result once.
 * @throws InvalidDataError `bad_sha`, `unknown_sha`, `ambiguous_sha`
 */
export async function releaseQuarantined(
  ports: Ports,
  given: readonly string[],
  signal: AbortSignal,
): Promise<Release[]> {
  const found = new Set<string>();
  for (const each of given) found.add((await findQuarantined(ports.analysis, each, signal))[0]);
  const releases: Release[] = [];
  for (const sha of found) releases.push({ sha, ...(await releaseOne(ports, sha, signal)) });
  return releases;
}

async function releaseOne(ports: Ports, sha: string, signal: AbortSignal): Promise<Outcome> {
  const step = releaseStep(await readQuarantined(ports.analysis, sha, signal));
  if (step.kind === 'refuse') return { outcome: 'refused', message: step.why };
  if (step.kind === 'analyse') return { outcome: 'refused', message: await analyseAgain(ports, step, signal) };
  const outcome = step.kind === 'send' ? await send(ports, step.body, signal) : await wait(ports, step.taskId, signal);
  if (outcome.outcome === 'refused') return outcome;
  const marker = Buffer.from(JSON.stringify({ at: new Date().toISOString() }));
  await ports.analysis.put(stateKeys.quarantineReleased(sha), marker, { contentType: 'application/json' }, signal);
  return outcome;
}

async function send({ queues, settings }: Ports, body: string, signal: AbortSignal): Promise<Outcome> {
  const { doneQueue } = settings;
  const refused = await queues.send(doneQueue, [body], signal);
  if (refused.length > 0)
    return { outcome: 'refused', message: `SQS did not take the message for ${doneQueue}; release it again` };
  return { outcome: 'released', message: `sent to ${doneQueue} again; the next drain of it judges it again` };
}

/** Only with its receipt: a round that met a result without one would fail. */
async function wait({ analysis }: Ports, taskId: string, signal: AbortSignal): Promise<Outcome> {
  if (!(await hasForeignReceipt(analysis, taskId, 'done', signal)))
    return { outcome: 'refused', message: `the receipt of ${taskId} is gone, so that no round could take its result` };
  await letWait(analysis, { taskId, outcome: 'done' }, signal);
  const message = `the result of ${taskId} waits again; the next round of "telemetry aggregate" judges it again`;
  return { outcome: 'released', message };
}

async function analyseAgain(
  { analysis }: Ports,
  { taskId, runId }: Extract<ReleaseStep, { kind: 'analyse' }>,
  signal: AbortSignal,
): Promise<string> {
  const day = dayOfRun((await findRun(analysis, runId, signal))?.prefix ?? '');
  const again =
    day === undefined
      ? 'have its files analysed again by whoever sent the task'
      : `analyse its day again: telemetry run-day --day ${day}`;
  return `the result of task ${taskId} is broken and cannot be used; ${again}`;
}
