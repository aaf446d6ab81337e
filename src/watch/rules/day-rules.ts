/** Days that should be in the data set and are not: each is a finding until it is in, or a person acknowledges it. */
import { JOBS } from '../../jobs.ts';
import { analysisDay, MS_PER_DAY } from '../../pipeline/calendar-day.ts';
import { type Finding, findingId } from '../../findings.ts';
import type { Facts, WatchedRun } from './facts.ts';
import { ageText, isOlder } from './limits.ts';
import { lastDue, START_GRACE_MS } from './schedule-rules.ts';

const DAILY_ANALYSIS = JOBS.dailyAnalysis.name;
/** Later a day can no longer be run again (docs/protocol.md 5), so nothing could be done about it. */
export const EXPECTED_DAYS = 35;
/** Older days of the data set do not say that the days between were expected. */
const MS_OF_FIRST_DAY = 14 * MS_PER_DAY;
/** The data set is read at the same time as the list of runs: a commit just now may be in one of them only. */
const COMMIT_GRACE_HOURS = 10 / 60;

export interface MissingDay {
  readonly day: string;
  /** The latest run about it; null when none is known. */
  readonly run: WatchedRun | null;
}

/**
 * Days of the last 35 that a run should have published and none has, ascending; null when that is unknown. Days before the
 * schedule existed, and before the first day of the data set within the last 14, do not count; neither do those that a run
 * is about now, or that wait until it ends.
 */
export function missingDays({ dataSet, runs, schedules, at }: Facts): MissingDay[] | null {
  if ('unknown' in dataSet || 'unknown' in runs || 'unknown' in schedules) return null;
  const schedule = schedules.known.find(({ id }) => id === DAILY_ANALYSIS);
  const due = schedule === undefined ? null : lastDue(schedule.cron, new Date(Date.parse(at) - START_GRACE_MS));
  if (schedule === undefined || due === null) return [];
  const present = new Set(dataSet.known.recentDays.map(({ day }) => day));
  const recent = analysisDay(new Date(Date.parse(at) - MS_OF_FIRST_DAY));
  const firstDay = dataSet.known.recentDays.find(({ day }) => day >= recent)?.day ?? '99999999';
  const since = schedule.createdAt ?? '9999';
  const ofDays = runs.known.runs.filter(({ job }) => job === DAILY_ANALYSIS);
  const atWork = new Set(ofDays.filter(({ running }) => running !== null).map(({ about }) => about));
  // While a run of the schedule is at work, Temporal keeps the next ones back.
  const isKeptBack = (dueAt: Date): boolean =>
    schedule.running > 0 && dueAt.toISOString() > (schedule.lastScheduledAt ?? '9999');
  return Array.from({ length: EXPECTED_DAYS }, (_, index) => Date.parse(due) - (EXPECTED_DAYS - 1 - index) * MS_PER_DAY)
    .map((dueAt) => new Date(dueAt))
    .filter((dueAt) => since <= dueAt.toISOString() || firstDay <= analysisDay(dueAt))
    .filter((dueAt) => !isKeptBack(dueAt))
    .map(analysisDay)
    .filter((day) => !present.has(day) && !atWork.has(day))
    .map((day) => ({ day, run: latestOf(ofDays, day) }))
    .filter(({ run }) => run?.endedAt === null || run === null || isOlder(run.endedAt, at, COMMIT_GRACE_HOURS));
}

function latestOf(runs: readonly WatchedRun[], day: string): WatchedRun | null {
  const newestFirst = runs
    .filter(({ about }) => about === day)
    .toSorted((a, b) => (a.startedAt > b.startedAt ? -1 : 1));
  return newestFirst[0] ?? null;
}

/** @param covered what other findings say already, as `job about` */
export function dayFindings(facts: Facts, covered: ReadonlySet<string>): Finding[] {
  return (missingDays(facts) ?? [])
    .filter(({ day }) => !covered.has(`${DAILY_ANALYSIS} ${day}`))
    .map(({ day, run }) => ({
      severity: 'error',
      where: `${DAILY_ANALYSIS} ${day}`,
      what: whyMissing(run, facts.at),
      action: `Run it: "${JOBS.dailyAnalysis.byHand(day)}"; or, if it shall stay out, "telemetry acknowledge ${findingId(DAILY_ANALYSIS, day)} --reason …".`,
      id: findingId(DAILY_ANALYSIS, day),
      since: run?.startedAt ?? null,
    }));
}

function whyMissing(run: WatchedRun | null, now: string): string {
  if (run === null) return 'no run has analysed it';
  return `its run ${endText(run.status)} ${ageText(run.endedAt ?? run.startedAt, now)} ago (${run.workflowId}), and the day is not in the data set`;
}

/** How a run ended, as a verb: `was canceled`. */
export function endText(status: string): string {
  return ENDS[status] ?? `ended as ${status.toLowerCase()}`;
}

const ENDS: Readonly<Record<string, string>> = {
  CANCELED: 'was canceled',
  TERMINATED: 'was terminated',
  TIMED_OUT: 'timed out',
  FAILED: 'failed',
  COMPLETED: 'ended well',
};
