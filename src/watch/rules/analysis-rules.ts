/** When analysis tasks need attention: nobody takes them, or nothing comes of them. */
import type { Finding } from '../../findings.ts';
import type { SeenWorker } from '../../state/analysis-workers.ts';
import type { Facts, RunningFacts, WatchedRun } from './facts.ts';
import { ageText, isOlder } from './limits.ts';

/** Four signs of life, and what S3 and the clocks may take. */
const ALIVE_HOURS = 90 / 3600;
/** Spot workers are started when there are tasks. */
const START_HOURS = 0.25;
/** The largest tasks take minutes. */
const STALL_HOURS = 2;

export function analysisFindings(facts: Facts): Finding[] {
  if ('unknown' in facts.runs) return [];
  const atWork = facts.runs.known.runs.flatMap((run) => (run.running === null ? [] : [{ run, running: run.running }]));
  const withoutWorker = unattended(facts, atWork);
  if (withoutWorker.length > 0) return withoutWorker;
  return atWork.flatMap((each) => {
    const found = lostAtWork(facts, each) ?? stalled(facts, each) ?? waitingForNobody(facts, each);
    return found === undefined ? [] : [found];
  });
}

interface AtWork {
  readonly run: WatchedRun;
  readonly running: RunningFacts;
}

const START_WORKER = 'Start "telemetry analysis-worker" on any machine, or see in its log why it ended.';

/**
 * Workers of other programs show no sign of life, so results are one as well, and the begin of a run gives workers time to
 * start; but not where a worker was seen after that, and is lost.
 */
function unattended({ queues, analysisWorkers, at }: Facts, atWork: readonly AtWork[]): Finding[] {
  const queue = queues.find(({ role }) => role === 'tasks');
  if (queue === undefined || 'unknown' in queue.depth || 'unknown' in analysisWorkers) return [];
  const waiting = queue.depth.known.visible;
  const alive = aliveWorkers(analysisWorkers.known, at);
  const last = analysisWorkers.known[0];
  if (waiting === 0 || alive.length > 0 || atWork.some((each) => hasNews(each, last, at))) return [];
  return [
    {
      severity: 'error',
      where: `task queue ${queue.queue}`,
      what: `${waiting} ${waiting === 1 ? 'analysis task waits' : 'analysis tasks wait'}, and ${nobodyText(last, at)}`,
      action: START_WORKER,
    },
  ];
}

/** Whether the run began or had a result a short while ago, and after the last worker was seen. */
function hasNews({ run, running }: AtWork, last: SeenWorker | undefined, at: string): boolean {
  const news = running.tasks?.lastResultAt ?? run.startedAt;
  return !isOlder(news, at, START_HOURS) && (last === undefined || last.seenAt < news);
}

function nobodyText(last: SeenWorker | undefined, at: string): string {
  const seen = last === undefined ? '' : `; the last one was seen ${ageText(last.seenAt, at)} ago on ${last.host}`;
  return `no analysis worker is alive${seen}`;
}

/**
 * The task of a worker that was killed stays hidden in SQS, up to half an hour for workers of others, so that nothing seems
 * to wait.
 */
function lostAtWork({ analysisWorkers, at }: Facts, each: AtWork): Finding | undefined {
  const { run, running } = each;
  if ('unknown' in analysisWorkers || run.analysisRun === null || running.tasks?.open === 0) return undefined;
  const workers = analysisWorkers.known;
  if (aliveWorkers(workers, at).length > 0 || hasNews(each, workers[0], at)) return undefined;
  const prefix = `${run.analysisRun}/`;
  const tasks = new Set(workers.flatMap(({ atWork }) => atWork.filter((task) => task.startsWith(prefix))));
  if (tasks.size === 0) return undefined;
  return {
    severity: 'error',
    where: `${run.job} ${run.about}`,
    what: `an analysis worker was lost at work on ${taskNames([...tasks])}, and ${nobodyText(workers[0], at)}`,
    action: START_WORKER,
  };
}

const MAX_NAMES = 3;

function taskNames(tasks: readonly string[]): string {
  const more = tasks.length > MAX_NAMES ? ` and ${tasks.length - MAX_NAMES} more` : '';
  return `${tasks.length === 1 ? 'task' : 'tasks'} ${tasks.slice(0, MAX_NAMES).join(', ')}${more}`;
}

/** A note only: workers of other programs may be at work, or new ones may be starting. */
function waitingForNobody({ analysisWorkers, at }: Facts, each: AtWork): Finding | undefined {
  const { run, running } = each;
  if ('unknown' in analysisWorkers || running.tasks === null || running.tasks.open === 0) return undefined;
  const [last] = analysisWorkers.known;
  if (last === undefined || aliveWorkers(analysisWorkers.known, at).length > 0 || hasNews(each, last, at))
    return undefined;
  const { open, planned } = running.tasks;
  return {
    severity: 'note',
    where: `${run.job} ${run.about}`,
    what: `${open} of ${planned} analysis tasks are open, and ${nobodyText(last, at)}`,
    action: START_WORKER,
  };
}

/** @param workers as `seenAt` says, whoever they are */
export function aliveWorkers<T extends { readonly seenAt: string }>(workers: readonly T[], now: string): T[] {
  return workers.filter(({ seenAt }) => !isOlder(seenAt, now, ALIVE_HOURS));
}

function stalled({ at }: Facts, { run, running }: AtWork): Finding | undefined {
  const { tasks } = running;
  if (tasks === null || tasks.open === 0) return undefined;
  const since = tasks.lastResultAt ?? run.startedAt;
  if (!isOlder(since, at, STALL_HOURS)) return undefined;
  return {
    severity: 'error',
    where: `${run.job} ${run.about}`,
    what: `no result for ${ageText(since, at)}, with ${tasks.open} of ${tasks.planned} analysis tasks open`,
    action:
      'See in the analysis workers’ log what they do ("telemetry status" lists them), and whether the queue’s dead letters have the tasks.',
  };
}
