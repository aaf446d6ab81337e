/** `status` for people: the verdict, what to do, then a table for each part. */
import { JOBS } from '../jobs.ts';
import { counted, plainLine } from '../pipeline/plain-text.ts';
import { compareText } from '../pipeline/text-order.ts';
import { reasons } from '../pipeline/dataset/run-report.ts';
import type {
  ChangesFacts,
  DataSetFacts,
  Facts,
  LeftoverFacts,
  Part,
  QueueFacts,
  ScheduleFacts,
  WatchedRun,
  WorkerFacts,
} from '../watch/rules/facts.ts';
import type { SeenWorker } from '../state/analysis-workers.ts';
import type { Counted } from '../state/listing.ts';
import { type Finding, findingLine } from '../findings.ts';
import { ageText } from '../watch/rules/limits.ts';
import { verdictLine } from '../watch/rules/judge.ts';
import { aliveWorkers } from '../watch/rules/analysis-rules.ts';
import { EXPECTED_DAYS, missingDays } from '../watch/rules/day-rules.ts';
import { table } from './terminal.ts';

const DAYS_SHOWN = 14;
/** Of each job. */
const RUNS_SHOWN = { dailyAnalysis: 10, others: 3 } as const;

export function statusText(facts: Facts, findings: readonly Finding[]): string {
  const { at } = facts;
  const sections = [
    [verdictLine(facts, findings), ...findings.map((finding) => `  ${findingLine(finding)}`)].join('\n'),
    section('DATA SET', facts.dataSet, (dataSet) => dataSetText(dataSet, at)),
    section('RECENT DAYS', facts.dataSet, (dataSet) => recentDaysText(dataSet, facts)),
    section('CHANGES', facts.changes, changesText),
    section('RUNS', facts.runs, ({ runs }) => runsText(runs, at)),
    section('SCHEDULES', facts.schedules, schedulesText),
    section('WORKERS', facts.workers, workersText),
    section('ANALYSIS WORKERS', facts.analysisWorkers, (workers) => analysisWorkersText(workers, at)),
    `SQS QUEUES\n${queuesText(facts.queues, at)}`,
    section('STATE', facts.leftovers, (leftovers) => leftoversText(leftovers, facts)),
  ];
  return sections.join('\n\n');
}

function section<T>(title: string, part: Part<T>, text: (known: T) => string): string {
  return `${title}\n${'unknown' in part ? `not known: ${plainLine(part.unknown)}` : text(part.known)}`;
}

function dataSetText(dataSet: DataSetFacts, now: string): string {
  const { versions, seq, at, days, rounds, firstDay, channelVersions } = dataSet;
  if (seq === 0) return `${versions}: set up ${ageText(at, now)} ago, nothing is published yet`;
  const head = [
    `${versions}: commit ${seq} of ${at} (${ageText(at, now)} old)`,
    `${counted(days, 'day')}${firstDay === null ? '' : ` since ${firstDay}`}, ${counted(rounds, 'round')} of continuous aggregation`,
  ];
  if (channelVersions.length === 0) return head.join('\n');
  const rows = channelVersions.map((entry) => [
    entry.channelVersion,
    entry.newestDay ?? 'rounds only',
    String(entry.days),
    `${entry.renderedAt} (${ageText(entry.renderedAt, now)} ago)`,
    String(entry.definitionsPending),
    entry.folder + (entry.hasManifest ? '' : ' INCOMPLETE'),
  ]);
  const titles = ['CHANNEL/VERSION', 'NEWEST DAY', 'DAYS', 'RENDERED', 'DEFINITIONS PENDING', 'FOLDER'];
  return [...head, table([titles, ...rows])].join('\n');
}

function recentDaysText({ recentDays, channelVersions }: DataSetFacts, facts: Facts): string {
  const rows = recentDays
    .slice(-DAYS_SHOWN)
    .map(({ day, planned, done, failed, missing, filesMissing }) =>
      [day, planned, done, failed, missing, filesMissing].map(String),
    );
  if (rows.length > 0) {
    const titles = ['DAY', 'TASKS', 'DONE', 'FAILED', 'MISSING', 'FILES MISSING'];
    return `${table([titles, ...rows])}\n${missingText(facts, true)}`;
  }
  const newest = channelVersions
    .flatMap(({ newestDay }) => newestDay ?? [])
    .toSorted()
    .at(-1);
  const older = newest === undefined ? '' : `; the newest is ${newest}`;
  return `the data set has no day of the last ${EXPECTED_DAYS}${older}\n${missingText(facts, false)}`;
}

/** Days that a run should have published. */
function missingText(facts: Facts, hasDays: boolean): string {
  const missing = missingDays(facts)?.map(({ day }) => day);
  if (missing === undefined) return 'whether a day is missing is not known: see what could not be checked';
  if (missing.length === 0) return hasDays ? 'no day is missing' : 'no day is missing, since none was due yet';
  return `${missing.length === 1 ? '1 day is' : `${missing.length} days are`} missing: ${missing.join(', ')}`;
}

function changesText({ seq, changes, newest, skipped }: ChangesFacts): string {
  if (seq === null) return 'not looked for yet';
  const head = `${changes === 0 ? 'no change' : counted(changes, 'change')} as of commit ${seq}${skipped > 0 ? `; ${counted(skipped, 'folder')} could not be compared` : ''}`;
  return [head, ...newest.map((text) => `  ${plainLine(text, 300)}`)].join('\n');
}

function runsText(runs: readonly WatchedRun[], now: string): string {
  if (runs.length === 0) return 'none in the last 14 days';
  const shown = [...Map.groupBy(runs, ({ job }) => job)].flatMap(([job, ofJob]) =>
    ofJob.slice(0, job === JOBS.dailyAnalysis.name ? RUNS_SHOWN.dailyAnalysis : RUNS_SHOWN.others),
  );
  const rows = shown
    .toSorted(atWorkThenNewest)
    .map((run) => [
      run.job,
      run.about,
      run.status.toLowerCase().replaceAll('_', ' '),
      `${shortInstant(run.startedAt)} (${ageText(run.startedAt, now)} ago)`,
      run.endedAt === null ? '-' : ageText(run.startedAt, run.endedAt),
      runDetail(run),
    ]);
  return table([['JOB', 'ABOUT', 'STATUS', 'STARTED', 'TOOK', 'DETAIL'], ...rows]);
}

function atWorkThenNewest(a: WatchedRun, b: WatchedRun): number {
  const ended = Number(a.running === null) - Number(b.running === null);
  return ended || compareText(b.startedAt, a.startedAt);
}

function runDetail({ running, failure }: WatchedRun): string {
  if (failure !== null) return plainLine(`${failure.type ?? failure.timeout ?? 'Error'}: ${failure.message}`, 100);
  if (running === null) return '';
  const { phase, tasks, activities } = running;
  const tried = activities
    .filter(({ attempt }) => attempt > 1)
    .map(({ name, attempt, lastFailure }) => `${name} at attempt ${attempt}: ${lastFailure?.message ?? ''}`);
  const open =
    tasks === null
      ? []
      : [`${counted(tasks.planned, 'task')}: ${tasks.done} done, ${tasks.failed} failed, ${tasks.open} open`];
  return plainLine([phase ?? 'phase unknown, no worker answers', ...open, ...tried].join('; '), 160);
}

function schedulesText(schedules: readonly ScheduleFacts[]): string {
  const rows = schedules.map((schedule) => [
    schedule.id,
    timeOf(schedule.cron),
    stateOf(schedule),
    schedule.nextAt === null ? '-' : shortInstant(schedule.nextAt),
    schedule.lastScheduledAt === null ? 'no run yet' : shortInstant(schedule.lastScheduledAt),
  ]);
  return table([['SCHEDULE', 'TIME', 'STATE', 'NEXT', 'LAST RUN WAS DUE'], ...rows]);
}

/** `daily at 13:31 UTC` */
function timeOf(cron: string): string {
  const [, minute, hour] = /^(\d+) (\d+) \* \* \*$/.exec(cron) ?? [];
  return minute === undefined || hour === undefined
    ? `${cron} UTC`
    : `daily at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')} UTC`;
}

/** To the second. */
function shortInstant(iso: string): string {
  return `${iso.slice(0, 19)}Z`;
}

function stateOf({ exists, paused, note, differences }: ScheduleFacts): string {
  if (!exists) return 'does not exist';
  if (paused) return `paused: ${note ?? 'without a note'}`;
  return differences.length > 0 ? 'differs from the code' : 'active';
}

function workersText(workers: readonly WorkerFacts[]): string {
  const rows = workers.map(({ workerTaskQueue, pollers }) => [
    workerTaskQueue,
    pollers.length === 0 ? 'nobody' : pollers.join(', '),
  ]);
  return table([['WORKER TASK QUEUE', 'POLLED BY'], ...rows]);
}

const MAX_WORKERS_SHOWN = 20;

/** Those that ended cleanly have taken their sign away. */
function analysisWorkersText(workers: readonly SeenWorker[], now: string): string {
  const alive = aliveWorkers(workers, now);
  const lost = workers.length - alive.length;
  if (workers.length === 0) return 'none is alive; none was lost in the last 24 h';
  const head = `${alive.length === 0 ? 'none' : alive.length} alive${lost === 0 ? '' : `; ${lost} lost in the last 24 h: killed, or out of touch with S3`}`;
  const rows = workers
    .slice(0, MAX_WORKERS_SHOWN)
    .map((worker) => [
      `${worker.host} (pid ${worker.pid})`,
      `${ageText(worker.seenAt, now)} ago`,
      String(worker.tasksDone),
      String(worker.tasksFailed),
      alive.includes(worker)
        ? worker.atWork.join(', ') || 'nothing, it waits'
        : `lost${worker.atWork.length === 0 ? '' : `, was at work on ${worker.atWork.join(', ')}`}`,
    ]);
  return `${head}\n${table([['HOST', 'LAST SEEN', 'DONE', 'FAILED', 'AT WORK ON'], ...rows])}`;
}

function queuesText(queues: readonly QueueFacts[], now: string): string {
  const rows = queues.map(({ queue, role, depth, oldestAt }) => {
    if ('unknown' in depth) return [queue, role, '?', '?', '?', plainLine(depth.unknown, 100)];
    const { visible, inFlight, delayed } = depth.known;
    const oldest = oldestAt === null ? '' : `${ageText(oldestAt, now)} old`;
    return [queue, role, String(visible), String(inFlight), String(delayed), oldest];
  });
  return table([['QUEUE', 'HOLDS', 'VISIBLE', 'IN FLIGHT', 'DELAYED', 'OLDEST'], ...rows]);
}

function leftoversText({ quarantine, waiting, openFailures, undelivered }: LeftoverFacts, facts: Facts): string {
  const { at } = facts;
  const rows = [
    ['quarantine', quarantineText(quarantine, at), reasons(quarantine.reasons)],
    ['foreign results waiting', countText(waiting, at), facts.adoptsForeignResults ? '' : 'not taken in here'],
    [
      'open failures',
      openFailures.length === 0 ? 'none' : String(openFailures.length),
      openFailures.map(({ job, about }) => `${job} ${about}`).join('; '),
    ],
    ['undelivered alerts', countText(undelivered, at), undelivered.subjects.join('; ')],
    ...projectionRows(facts),
    ...unreferencedRows(facts),
  ];
  return table(rows.map((row) => row.map((cell) => plainLine(cell, 160))));
}

function projectionRows({ projections }: Facts): string[][] {
  if ('unknown' in projections) return [];
  const { differing, behind } = projections.known;
  if (differing.length === 0) return [['projections', 'as the ledger says']];
  return [['projections', behind ? 'of an earlier commit' : 'differ from the ledger', differing.join(', ')]];
}

function unreferencedRows({ dataSet, at }: Facts): string[][] {
  if ('unknown' in dataSet) return [];
  const { unreferencedFolders, unreferencedRounds } = dataSet.known;
  const names = unreferencedFolders.names.slice(0, 3).join(', ') + (unreferencedFolders.count > 3 ? ' …' : '');
  return [
    ['unreferenced folders', countText(unreferencedFolders, at), names],
    ['rounds outside the data set', countText(unreferencedRounds, at)],
  ];
}

function quarantineText({ total, recent, acknowledged }: LeftoverFacts['quarantine'], now: string): string {
  if (total.count === 0) return 'empty';
  return `${countText(total, now)}, ${recent === 0 ? 'none' : recent} new in the last 24 h${acknowledged > 0 ? `, ${acknowledged} acknowledged` : ''}`;
}

function countText({ count, more, oldest }: Counted, now: string): string {
  if (count === 0) return 'none';
  const counted = more ? `more than ${count}` : String(count);
  return oldest === null ? counted : `${counted}, oldest ${ageText(oldest, now)} old`;
}
