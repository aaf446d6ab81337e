/** When schedules and workers need attention: paused, missing, late, not as the code says, no worker. */
import { JOBS, jobNamed } from '../../jobs.ts';
import { analysisDay, MS_PER_DAY } from '../../pipeline/calendar-day.ts';
import type { DataSetFacts, Facts, RunFacts, ScheduleFacts, WorkerFacts } from './facts.ts';
import type { Finding } from '../../findings.ts';

const DAILY_ANALYSIS = JOBS.dailyAnalysis.name;
const MINUTE_MS = 60_000;
/** From the due time until the run must have begun. */
const START_GRACE_MS = 15 * MINUTE_MS;
const RECENT_DAYS = 14;

export function scheduleFindings(facts: Facts): Finding[] {
  const schedules = 'known' in facts.schedules ? facts.schedules.known : [];
  const workers = 'known' in facts.workers ? facts.workers.known : [];
  return [
    ...schedules.flatMap((schedule) => oneSchedule(schedule, facts.at)),
    ...daysFinding(facts),
    ...workers.flatMap(workerFinding),
  ];
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

/**
 * Days of the last 14 that a run should have analysed and none has: neither is the day in the data set, nor has any run
 * about it begun. Null when that is unknown. Days before the schedule existed, and before the first day of the data
 * set within these 14, do not count.
 */
export function daysWithoutLaunch({ dataSet, runs, schedules, at }: Facts): string[] | null {
  if ('unknown' in dataSet || 'unknown' in runs || 'unknown' in schedules) return null;
  const schedule = schedules.known.find(({ id }) => id === DAILY_ANALYSIS);
  const due = schedule === undefined ? null : lastDue(schedule.cron, new Date(Date.parse(at) - START_GRACE_MS));
  if (schedule === undefined || due === null) return [];
  const launched = launchedDays(dataSet.known, runs.known);
  const firstDay = dataSet.known.recentDays[0]?.day ?? '99999999';
  const since = schedule.createdAt ?? '9999';
  return Array.from({ length: RECENT_DAYS }, (_, index) => Date.parse(due) - (RECENT_DAYS - 1 - index) * MS_PER_DAY)
    .map((dueAt) => new Date(dueAt))
    .filter((dueAt) => since <= dueAt.toISOString() || firstDay <= analysisDay(dueAt))
    .map(analysisDay)
    .filter((day) => !launched.has(day));
}

function launchedDays({ recentDays }: DataSetFacts, { runs }: RunFacts): ReadonlySet<string> {
  const ran = runs.filter(({ job }) => job === DAILY_ANALYSIS).map(({ about }) => about);
  return new Set([...recentDays.map(({ day }) => day), ...ran]);
}

function daysFinding(facts: Facts): Finding[] {
  const days = daysWithoutLaunch(facts) ?? [];
  if (days.length === 0) return [];
  return [
    {
      severity: 'error',
      where: 'days without launch',
      what: `${days.join(', ')}: no run has analysed ${days.length === 1 ? 'it' : 'them'}`,
      action: `Run ${days.length === 1 ? 'it' : 'each'} by hand: "telemetry run-day --day ${days[0] ?? ''}".`,
    },
  ];
}

function workerFinding({ workerTaskQueue, pollers }: WorkerFacts): Finding[] {
  if (pollers.length > 0) return [];
  return [
    {
      severity: 'error',
      where: `workers of ${workerTaskQueue}`,
      what: 'no worker polls it, so no run makes progress',
      action: 'Start "telemetry worker", or see in its log why it ended.',
    },
  ];
}
