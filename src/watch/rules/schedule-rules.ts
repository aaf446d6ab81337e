/** When schedules and workers need attention: paused, missing, late, not as the code says, no worker. */
import { jobNamed } from '../../jobs.ts';
import { analysisDay, MS_PER_DAY } from '../../pipeline/calendar-day.ts';
import type { Facts, ScheduleFacts, WorkerFacts } from './facts.ts';
import type { Finding } from '../../findings.ts';

const MINUTE_MS = 60_000;
/** From the due time until the run must have begun. */
export const START_GRACE_MS = 15 * MINUTE_MS;

export function scheduleFindings(facts: Facts): Finding[] {
  const schedules = 'known' in facts.schedules ? facts.schedules.known : [];
  const workers = 'known' in facts.workers ? facts.workers.known : [];
  return [...schedules.flatMap((schedule) => oneSchedule(schedule, facts.at)), ...workerFindings(workers)];
}

function oneSchedule(schedule: ScheduleFacts, now: string): Finding[] {
  const { id, exists, paused, note, differences } = schedule;
  const where = `schedule ${id}`;
  const problem = (what: string, action: string): Finding => ({ severity: 'error', where, what, action });
  if (!exists) return [problem('does not exist', 'Create it: "telemetry schedules apply".')];
  const findings = differences.map((difference) =>
    problem(difference, 'Bring it up to date: "telemetry schedules apply"; a pause is kept.'),
  );
  if (paused) {
    const why = note === null || note === '' ? 'without a note' : `note: ${note}`;
    const action = `Once the reason is gone, run "temporal schedule toggle --schedule-id ${id} --unpause", then run the missed days ("telemetry status" lists them).`;
    return [...findings, problem(`is paused, ${why}`, action)];
  }
  return [...findings, ...missed(schedule, now).map(({ what, action }) => problem(what, action))];
}

function missed(schedule: ScheduleFacts, now: string): { what: string; action: string }[] {
  const { id, cron, createdAt, lastScheduledAt, running, catchupSeconds } = schedule;
  const due = lastDue(cron, new Date(Date.parse(now) - START_GRACE_MS));
  // A run that is still at work delays the next one, and is judged by itself.
  if (due === null || running > 0 || createdAt === null || createdAt > due) return [];
  if (lastScheduledAt !== null && Date.parse(lastScheduledAt) >= Date.parse(due)) return [];
  const what = `the run due at ${due} was not started; the last one was due ${lastScheduledAt ?? 'never'}`;
  const caughtUp = Date.parse(now) - Date.parse(due) < catchupSeconds * 1000;
  const byHand = jobNamed(id)?.byHand(analysisDay(new Date(due))) ?? id;
  const action = caughtUp
    ? `See whether the Temporal server is healthy: it starts missed runs by itself. If it does not, run "${byHand}".`
    : `It is too late for Temporal to start it: run "${byHand}".`;
  return [{ what, action }];
}

/**
 * The last instant, not after `now`, for which a daily cron expression `minute hour * * *` is due (UTC, ISO); null for
 * any other expression.
 */
export function lastDue(cron: string, now: Date): string | null {
  const [, minute, hour] = /^(\d+) (\d+) \* \* \*$/.exec(cron) ?? [];
  if (minute === undefined || hour === undefined) return null;
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), Number(hour), Number(minute));
  return new Date(today <= now.getTime() ? today : today - MS_PER_DAY).toISOString();
}

/** One process serves them all, so it is one finding. */
function workerFindings(workers: readonly WorkerFacts[]): Finding[] {
  const alone = workers.filter(({ pollers }) => pollers.length === 0).map(({ workerTaskQueue }) => workerTaskQueue);
  if (alone.length === 0) return [];
  return [
    {
      severity: 'error',
      where: `workers of ${alone.join(', ')}`,
      what: `no worker polls ${alone.length === 1 ? 'it' : 'them'}, so no run makes progress`,
      action: 'Start "telemetry worker", or see in its log why it ended.',
    },
  ];
}
