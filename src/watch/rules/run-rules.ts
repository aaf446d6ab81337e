/** When runs need attention: failed and not fixed since, stuck, or missing. */
import { isOfStarterOnly } from '../../failures.ts';
import { againOf, JOBS, jobNamed } from '../../jobs.ts';
import { isCalendarDay } from '../../pipeline/calendar-day.ts';
import type { Facts, OpenFailureFacts, PendingActivity, RunningFacts, StrandedRun, WatchedRun } from './facts.ts';
import { failureFinding, type Finding, findingId } from '../../findings.ts';
import { dayFindings, endText, EXPECTED_DAYS } from './day-rules.ts';
import { ageText, isOlder, type WatchLimits } from './limits.ts';

const BAD_ENDS: readonly string[] = ['FAILED', 'TERMINATED', 'TIMED_OUT'];
/** Attempts of an activity or a workflow task after which trouble is not passing: about four minutes, half a minute. */
const MANY_ACTIVITY_ATTEMPTS = 8;
const MANY_WORKFLOW_TASK_ATTEMPTS = 3;
const SILENCE_HOURS = 0.25;
/** As long as a day could be run again. */
const OPEN_FAILURE_HOURS = EXPECTED_DAYS * 24;

export function runFindings(facts: Facts, limits: WatchLimits): Finding[] {
  const stored = 'known' in facts.leftovers ? facts.leftovers.known.openFailures : [];
  // Earlier releases kept those of wrong inputs, which no later run settles.
  const open = stored.filter(({ type }) => !isOfStarterOnly(type));
  if ('unknown' in facts.runs) return open.map(openFailureFinding);
  const { runs } = facts.runs.known;
  const bad = stillBad(runs, facts).filter((run) => !isOlder(run.startedAt, facts.at, limits.runDays * 24));
  const covered = new Set(bad.map(subject));
  return [
    ...bad.map((run) => badEnd(run, facts.at)),
    ...open
      .filter((failure) => !covered.has(subject(failure)) && !isOlder(failure.failedAt, facts.at, OPEN_FAILURE_HOURS))
      .map(openFailureFinding),
    ...dayFindings(facts, new Set([...covered, ...open.map(subject)])),
    ...strandedFindings(facts.runs.known.stranded, facts.at),
    ...runs.flatMap((run) => (run.running === null ? [] : stuck(run, run.running, facts.at))),
    ...silence(facts, runs),
  ];
}

function subject({ job, about }: { readonly job: string; readonly about: string }): string {
  return `${job} ${about}`;
}

/** The latest bad end of each subject, unless a later run about it, or a commit with the day, has fixed it. */
function stillBad(runs: readonly WatchedRun[], { dataSet }: Facts): WatchedRun[] {
  const plans = new Map('known' in dataSet ? dataSet.known.recentDays.map(({ day, planAt }) => [day, planAt]) : []);
  const settled = new Set<string>();
  const bad: WatchedRun[] = [];
  for (const run of runs.toSorted((a, b) => (a.startedAt > b.startedAt ? -1 : 1))) {
    if (settled.has(subject(run))) continue;
    if (run.status === 'COMPLETED') settled.add(subject(run));
    // Whoever started it has seen the error, and nothing was begun.
    if (!BAD_ENDS.includes(run.status) || isOfStarterOnly(run.failure?.type) || !hasBegun(run)) continue;
    settled.add(subject(run));
    const plan = run.job === JOBS.dailyAnalysis.name ? plans.get(run.about) : undefined;
    if (typeof plan !== 'string' || plan < run.startedAt) bad.push(run);
  }
  return bad;
}

/** A daily run that ended before any worker took it says nothing of its day. */
function hasBegun({ job, about }: WatchedRun): boolean {
  return job !== JOBS.dailyAnalysis.name || isCalendarDay(about);
}

function badEnd(run: WatchedRun, now: string): Finding {
  const { status, failure, endedAt, startedAt } = run;
  const when = `${ageText(endedAt ?? startedAt, now)} ago`;
  const where = `${run.job} ${run.about}`;
  if (status === 'FAILED' && failure !== null) {
    const finding = failureFinding(run.job, run.about, failure);
    return { ...finding, what: `failed ${when} (${run.workflowId}): ${finding.what}`, since: startedAt };
  }
  return {
    severity: 'error',
    where,
    what: `${endText(status)} ${when}${failure === null ? '' : ` ${failure.message}`} (${run.workflowId}), and no later run about it ended well`,
    action: againAction(run),
    id: findingId(run.job, run.about),
    since: startedAt,
  };
}

function againAction({ job, about, workflowId }: WatchedRun): string {
  const note = jobNamed(job)?.note ?? '';
  return `See why in the Web UI (${workflowId}), then ${againOf(job, about)}.${note === '' ? '' : ` ${note}`}`;
}

function openFailureFinding({ job, about, failedAt, type, message }: OpenFailureFacts): Finding {
  const finding = failureFinding(job, about, { type, message, activity: null, timeout: null });
  return { ...finding, what: `failed at ${failedAt} and is not fixed: ${finding.what}`, since: failedAt };
}

function strandedFindings(runs: readonly StrandedRun[], now: string): Finding[] {
  return runs.map(({ workflowId, workflowType, workerTaskQueue, startedAt, why }) => ({
    severity: 'error',
    where: `workflow ${workflowId}`,
    what:
      why === 'unknown type'
        ? `no worker has a workflow of type ${workflowType}, so it waits since ${ageText(startedAt, now)}`
        : `it is on the worker task queue ${workerTaskQueue}, which no worker of this deployment polls, since ${ageText(startedAt, now)}`,
    action: `Terminate it: "temporal workflow terminate --workflow-id ${workflowId}"; then start what was meant (README, Operating).`,
  }));
}

function stuck(run: WatchedRun, running: RunningFacts, now: string): Finding[] {
  const { workflowId, job, about, startedAt } = run;
  const where = `${job} ${about}`;
  const hours = jobNamed(job)?.longestHours ?? null;
  const findings: Finding[] = running.activities
    .filter(({ attempt }) => attempt >= MANY_ACTIVITY_ATTEMPTS)
    .map((activity) => failingActivity(run, activity));
  if (running.workflowTaskAttempt >= MANY_WORKFLOW_TASK_ATTEMPTS) {
    findings.push({
      severity: 'error',
      where,
      what: `its workflow task fails again and again, attempt ${running.workflowTaskAttempt} (${workflowId})`,
      action:
        'Read the error in the Web UI; after an update of the workers go back to the release before: the run goes on by itself.',
    });
  }
  if (hours !== null && isOlder(startedAt, now, hours)) {
    findings.push({
      severity: 'error',
      where,
      what: `has run for ${ageText(startedAt, now)}, longer than the normal ${hours} h; phase: ${running.phase ?? 'unknown, no worker answers'}`,
      action: `See whether workers run; "temporal workflow update execute --workflow-id ${workflowId} --name finishWithMissing" ends its wait for tasks.`,
    });
  }
  return findings;
}

function failingActivity({ job, about }: WatchedRun, { name, attempt, lastFailure }: PendingActivity): Finding {
  const failure = { type: null, message: 'no failure reported', timeout: null, ...lastFailure, activity: name };
  const finding = failureFinding(job, about, failure);
  return {
    ...finding,
    what: `${name} is at attempt ${attempt}: ${finding.what}`,
    action: `${finding.action} Meanwhile it is retried automatically.`,
  };
}

/** Continuous aggregation, where results of other launchers are taken in at all. */
function silence({ adoptsForeignResults, at }: Facts, runs: readonly WatchedRun[]): Finding[] {
  if (!adoptsForeignResults) return [];
  const run = runs.find(({ job, running }) => job === JOBS.continuousAggregation.name && running !== null);
  const where = 'continuous aggregation';
  if (run === undefined) {
    return [
      {
        severity: 'error',
        where,
        what: 'does not run, so results of other launchers wait',
        action: 'Start it: "telemetry aggregate --detach".',
      },
    ];
  }
  const heardAt = run.running?.heardAt ?? run.startedAt;
  if (!isOlder(heardAt, at, SILENCE_HOURS)) return [];
  return [
    {
      severity: 'error',
      where,
      what: `not heard from for ${ageText(heardAt, at)}`,
      action: 'See whether a "telemetry worker" runs and what its log says.',
    },
  ];
}
