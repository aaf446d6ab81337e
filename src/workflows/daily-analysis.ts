import { log, patched, proxyActivities, upsertSearchAttributes, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { PlanSummary } from '../activities/plan.ts';
import { JOBS } from '../jobs.ts';
import { analysisDayKey, analysisRunKey, scheduledStartKey } from '../names.ts';
import { counted } from '../pipeline/plain-text.ts';
import { analysisDay } from '../pipeline/calendar-day.ts';
import type { RunCounts } from '../pipeline/dataset/run-report.ts';
import { noInputWarning, QUARANTINE_FULL_WARNING, quarantinedWarning } from '../pipeline/dataset/run-warnings.ts';
import { type DailyAnalysisInput, largePlan, parseDailyAnalysisInput } from '../pipeline/run-input.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { dailyRun } from '../state/keys.ts';
import { activityOptions } from './activity-options.ts';
import { alerting, pingDeadMan } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { lookForChanges } from './data-changes.ts';
import { drainAndMerge, type DrainedRun } from './drain-and-merge.ts';
import { QuarantineFullAlert } from './quarantine-full-alert.ts';
import { publish, type PublishedRun } from './publish.ts';
import { listText, megabytes, RunProgress } from './run-progress.ts';

const { renderFilter, productionQueues, writeReport } = proxyActivities<Activities>(activityOptions.quick);
const { planTasks, enqueueTasks, buildContribution, updateProjections } = proxyActivities<Activities>(
  activityOptions.scan,
);

export interface DailyAnalysisResult extends RunCounts {
  readonly day: string;
  readonly runId: string;
  /** `nothing`: the input bucket has no file for the day. */
  readonly decision: PublishedRun['decision'] | 'nothing';
  /** Commit of the data set that holds the day; null when nothing was published. */
  readonly seq: number | null;
  /** Channel/versions that were rendered: the first hundred of `rendered`; the report has all. */
  readonly published: readonly string[];
  readonly rendered: number;
  /** Address of versions.json. */
  readonly versions: string | null;
  readonly report: string;
  readonly warnings: readonly string[];
}

/** One day's analysis, from the input bucket to the published data set. */
export async function dailyAnalysis(raw?: DailyAnalysisInput): Promise<DailyAnalysisResult> {
  const input = checkedInput(() => parseDailyAnalysisInput(raw));
  const { startTime, typedSearchAttributes } = workflowInfo();
  // A backfilled or late run belongs to the day it was scheduled for, not to the day it happens to run.
  const scheduled = typedSearchAttributes.get(scheduledStartKey) ?? startTime;
  const day = input.day ?? analysisDay(scheduled);
  const progress = new RunProgress(day);
  const run = dailyRun(day, uuid4());
  upsertSearchAttributes([
    { key: analysisDayKey, value: day },
    { key: analysisRunKey, value: run.runId },
  ]);
  const theDay = { input, day, run, startTime, progress };
  // Runs that began before alerts existed end without them. replay-tested: 2026-11-25
  if (!patched('alerts')) return analyseDay({ ...theDay, tellsDeadMan: false });
  const work = (): Promise<DailyAnalysisResult> => analyseDay({ ...theDay, tellsDeadMan: true });
  return alerting({ job: JOBS.dailyAnalysis.name, about: day, progress, work, warnings: ({ warnings }) => warnings });
}

interface DayRun {
  readonly input: ReturnType<typeof parseDailyAnalysisInput>;
  readonly day: string;
  readonly run: RunRef;
  readonly startTime: Date;
  readonly progress: RunProgress;
  readonly tellsDeadMan: boolean;
}

async function analyseDay({
  input,
  day,
  run,
  startTime,
  progress,
  tellsDeadMan,
}: DayRun): Promise<DailyAnalysisResult> {
  progress.update('rendering the filter', { run: `\`${run.runId}\`` });
  const filter = await renderFilter({
    day,
    document: input.filter,
    now: startTime.toISOString(),
    allowFuture: input.allowFuture ?? false,
  });
  const queues = await productionQueues();

  progress.update('listing the input bucket');
  const plan = await planTasks({
    run,
    day,
    filter,
    leaveOutAdopted: true,
    ...largePlan(input),
    jobName: `dashboard-${day}`,
    ...queues,
  });
  progress.update('sending analysis tasks', {
    input: `${counted(plan.files, 'file')}, ${megabytes(plan.bytes)}, in ${counted(plan.tasks, 'task')}`,
  });
  if (plan.tasks === 0) return reportNothing(day, run, plan, progress);
  await enqueueTasks.executeWithOptions({ summary: counted(plan.tasks, 'task') }, [
    { run, taskQueue: queues.taskQueue },
  ]);

  progress.update(
    'draining the done queue',
    { tasks: `0 done, 0 failed, ${plan.tasks} open` },
    { done: 0, of: plan.tasks, unit: 'tasks' },
  );
  const flood = new QuarantineFullAlert(queues.doneQueue, { job: JOBS.dailyAnalysis.name, about: day, progress });
  const drained = await drainAndMerge(run, plan, queues, input, progress, flood);

  progress.update('building segments', {
    tasks: `${drained.done} done, ${drained.failed} failed, ${drained.missing} missing`,
  });
  const contribution = await buildContribution({ run, day, tasks: plan.tasks, chunks: drained.chunks });
  const publication = await publish(run, progress, input.replaceAnyway === true ? { replaceAnyway: true } : {});
  const projections = await updateProjections();
  if (tellsDeadMan) await pingDeadMan(projections.seq);
  progress.update('looking for changes');
  const changes = await lookForChanges();

  const { channelVersions, runId, planAt, ...counts } = contribution;
  const { decision, seq, attempt, rendered, named: published } = publication;
  const { report, warnings } = await writeReport({
    ...{ run, day, plan, counts, warnings: changes },
    publication: { decision, seq, attempt },
  });
  progress.update(decision, {
    submissions: String(counts.records),
    published: listText(published, rendered) || 'nothing new',
    commit: String(seq),
    warnings: warnings.join('\n') || 'none',
  });
  log.info('daily analysis ended', { day, runId, decision, seq });
  return {
    ...counts,
    day,
    runId,
    decision,
    seq,
    published,
    rendered,
    versions: projections.versions,
    report,
    warnings: [...warnings, ...quarantineWarnings(drained)],
  };
}

async function reportNothing(
  day: string,
  run: RunRef,
  plan: PlanSummary,
  progress: RunProgress,
): Promise<DailyAnalysisResult> {
  const counts: RunCounts = {
    planned: 0,
    done: 0,
    failed: 0,
    missing: 0,
    files: { processed: 0, missing: 0, partial: 0 },
    records: 0,
    skipped: {},
    dropped: {},
    failedTasks: {},
  };
  const publication = { decision: 'nothing', seq: 0, attempt: null } as const;
  const noInput = noInputWarning({ day, runId: run.runId });
  const { report, warnings } = await writeReport({ run, day, plan, counts, publication, warnings: [noInput] });
  progress.update('nothing to analyse', { warnings: noInput });
  log.warn('no input for the day', { day, runId: run.runId });
  return {
    ...counts,
    day,
    runId: run.runId,
    decision: 'nothing',
    seq: null,
    published: [],
    rendered: 0,
    versions: null,
    report,
    // A worker of an earlier release gives back only what it found itself.
    warnings: warnings.includes(noInput) ? warnings : [noInput, ...warnings],
  };
}

/** Results that were refused are in `failed` already; these are messages that belong to no task. */
function quarantineWarnings({ quarantined, flooded }: DrainedRun): string[] {
  return [
    ...(quarantined === 0 ? [] : [quarantinedWarning(quarantined)]),
    ...(flooded ? [QUARANTINE_FULL_WARNING] : []),
  ];
}
