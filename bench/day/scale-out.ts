/**
 * The same day with more processes: 1, 2, 4 … Temporal workers and as many analysis workers, one thread each, on one embedded
 * stack each time. Stages by the history of the run: a stage that is no shorter with more workers is one that a single process,
 * or a service, does alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import pMap from 'p-map';
import { Deployment } from '../../test/system/deployment.ts';
import { generateSubmissions, type GeneratedFile } from '../generators/submissions.ts';
import { BENCH_DAY } from './input-keys.ts';

const FILES = 48;
const PER_FILE = 40;
/** A file is a task, and so many tasks are a chunk. */
const SETTINGS = {
  TELEMETRY_MAX_TASK_BYTES: '1',
  TELEMETRY_CHUNK_TASKS: '6',
  TELEMETRY_THREADS: '1',
  TELEMETRY_ANALYSIS_TASKS_AT_ONCE: '1',
};
const STARTED_MS = 6000;

/** Activities in the order of their table. */
const ACTIVITIES = [
  'planTasks',
  'enqueueTasks',
  'drainDoneQueue',
  'mergeChunk',
  'buildContribution',
  'stageSnapshot',
  'commitDataset',
  'updateProjections',
] as const;

export async function scaleOut(directory: string, processes: readonly number[]): Promise<void> {
  const files = await generateSubmissions(join(directory, 'submissions'), {
    ...{ seed: 'scale-out', files: FILES, perFile: PER_FILE },
  });
  print(`| processes of each kind | whole day, s | ${ACTIVITIES.join(' | ')} | CPU s of workers |\n`);
  print(`|---|---|${ACTIVITIES.map(() => '---|').join('')}---|\n`);
  for (const count of processes) {
    const { whole, stages, cpuSeconds } = await runWith(count, files);
    const cells = ACTIVITIES.map((name) => (stages.get(name) ?? Number.NaN).toFixed(2));
    print(`| ${[count, whole.toFixed(2), ...cells, cpuSeconds.toFixed(1)].join(' | ')} |\n`);
  }
}

async function runWith(count: number, files: readonly GeneratedFile[]) {
  const deployment = await Deployment.start(SETTINGS);
  try {
    await pMap(files, async ({ key, path }) => deployment.input.put(ofTheDay(key), await readFile(path)), {
      concurrency: 8,
    });
    const children = Array.from({ length: count }, () => [
      deployment.startProcess('worker'),
      deployment.startProcess('analysis-worker'),
    ]).flat();
    await delay(STARTED_MS * Math.max(1, count / 2));
    const before = (await Promise.all(children.map(({ pid }) => cpuOf(pid)))).reduce((a, b) => a + b, 0);
    const { code, stderr } = await deployment.telemetry('run-day', '--day', BENCH_DAY);
    if (code !== 0) throw new Error(`run-day with ${count} workers ended with ${code ?? '?'}: ${stderr}`);
    const after = (await Promise.all(children.map(({ pid }) => cpuOf(pid)))).reduce((a, b) => a + b, 0);
    return { ...(await stagesOf(deployment)), cpuSeconds: after - before };
  } finally {
    await deployment.stop();
  }
}

/** A file of the day, whatever day it was generated for. */
function ofTheDay(key: string): string {
  return key.replace(/\.\d{8}\.v2\./, `.${BENCH_DAY}.v2.`);
}

/** From the first time that an activity of a kind was scheduled to the last time that one completed. */
async function stagesOf(deployment: Deployment): Promise<{ whole: number; stages: Map<string, number> }> {
  const connection = await Connection.connect({ address: deployment.stack.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    const handle = new Client({ connection }).workflow.getHandle(`daily-analysis-${BENCH_DAY}`);
    const events = await eventsOf(handle);
    const scheduled = new Map<string, string>();
    const [first, last] = [new Map<string, number>(), new Map<string, number>()];
    for (const { eventId, eventTime, ...event } of events) {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (typeof name === 'string') {
        scheduled.set(String(eventId), name);
        first.set(name, first.get(name) ?? secondsOf(eventTime));
      }
      const ended = scheduled.get(String(event.activityTaskCompletedEventAttributes?.scheduledEventId));
      if (ended !== undefined) last.set(ended, secondsOf(eventTime));
    }
    const [begin = Number.NaN] = events.map(({ eventTime }) => secondsOf(eventTime));
    const end = Math.max(...events.map(({ eventTime }) => secondsOf(eventTime)));
    const stages = new Map([...first].map(([name, at]) => [name, (last.get(name) ?? Number.NaN) - at]));
    return { whole: end - begin, stages };
  } finally {
    await connection.close();
  }
}

async function eventsOf(handle: WorkflowHandle) {
  return (await handle.fetchHistory()).events ?? [];
}

function secondsOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9;
}

/** CPU seconds of a process so far; 0 where /proc does not tell. */
async function cpuOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => '');
  const fields = text.split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / 100 : 0;
}

function print(text: string): void {
  process.stdout.write(text);
}
