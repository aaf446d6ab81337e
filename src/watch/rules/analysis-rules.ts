/** When analysis tasks need attention: nobody takes them, or nothing comes of them. */
import type { Finding } from '../../findings.ts';
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
  return atWork.flatMap(({ run, running }) => stalled(facts, run, running));
}

interface AtWork {
  readonly run: WatchedRun;
  readonly running: RunningFacts;
}

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
  const hasNews = atWork.some(({ run, running }) => {
    const news = running.tasks?.lastResultAt ?? run.startedAt;
    return !isOlder(news, at, START_HOURS) && (last === undefined || last.seenAt < news);
  });
  if (waiting === 0 || alive.length > 0 || hasNews) return [];
  const seen = last === undefined ? '' : `; the last one was seen ${ageText(last.seenAt, at)} ago on ${last.host}`;
  return [
    {
      severity: 'error',
      where: `task queue ${queue.queue}`,
      what: `${waiting} ${waiting === 1 ? 'analysis task waits' : 'analysis tasks wait'}, and no analysis worker is alive${seen}`,
      action: 'Start "telemetry analysis-worker" on any machine, or see in its log why it ended.',
    },
  ];
}

/** @param workers as `seenAt` says, whoever they are */
export function aliveWorkers<T extends { readonly seenAt: string }>(workers: readonly T[], now: string): T[] {
  return workers.filter(({ seenAt }) => !isOlder(seenAt, now, ALIVE_HOURS));
}

function stalled({ at }: Facts, { job, about, startedAt }: WatchedRun, { tasks }: RunningFacts): Finding[] {
  if (tasks === null || tasks.open === 0) return [];
  const since = tasks.lastResultAt ?? startedAt;
  if (!isOlder(since, at, STALL_HOURS)) return [];
  return [
    {
      severity: 'error',
      where: `${job} ${about}`,
      what: `no result for ${ageText(since, at)}, with ${tasks.open} of ${tasks.planned} analysis tasks open`,
      action:
        'See in the analysis workers’ log what they do ("telemetry status" lists them), and whether the queue’s dead letters have the tasks.',
    },
  ];
}
