/** Everything at once, for a long time: days that overlap, services that fail, workers and the server killed again and again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { Crew } from './harness/crew.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge, publishedSpace } from './harness/oracle.ts';
import type { Scene, StartedDay } from './harness/scene.ts';
import { seededChance } from '../fakes/seeded-chance.ts';
import { faultStage } from './harness/stage.ts';
import { Weather } from './harness/weather.ts';

/** Of each of the two soaks, which the shares below are shares of; `TELEMETRY_SOAK_MINUTES=10` for the whole one. */
const MINUTES = Number(process.env['TELEMETRY_SOAK_MINUTES'] ?? 1);
const SEED = Number(process.env['TELEMETRY_FAULT_SEED'] ?? 25);

const DAYS = ['20131028', '20131029', '20131030', '20131031', '20131101'] as const;
/**
 * Fewer when the soak is shorter, but so many that each day has every path of every channel/version: otherwise the numbers of
 * the paths would depend on which of two days is committed first.
 */
const TASKS_PER_DAY = Math.min(400, Math.max(120, Math.round(40 * MINUTES)));
const CHANNEL_VERSIONS = ['nightly', 'aurora', 'beta', 'release'].flatMap((channel) =>
  [24, 25, 26, 27, 28].map((version) => `${channel}/${version}`),
);
const WORKERS = 3;
const SOAK_SECONDS = MINUTES * 60;
/** The last day begins when so much of the soak is over. */
const LAST_START = 0.45;
/** So quickly are tasks answered that each day's are before the next one begins, also on a slow machine. */
const ANSWERED = 0.3;
/** After a day's start; the last one ends about when the faults do. */
const STRAGGLERS = 0.25;
const GIVEN_UP = 0.45;
const RESTART_SECONDS = 20;
const WEATHER_SECONDS = 5;
const OUTAGE_SECONDS = 5;
/** A worker's resident memory, which grows no more when it has worked for so long. */
const MOST_MIB = 512;
const WARM_MINUTES = 5;
/** Events of one run, and bytes of one payload, beyond which histories become slow. */
const MOST_EVENTS = 2000;
const MOST_BYTES = 256 << 10;

/** What becomes of a task depends on the seed alone, not on who asks when. */
function fate(task: TaskMessage): 'good' | 'failed' | 'lost once' | 'lost' {
  const digest = createHash('sha256')
    .update(`${SEED} ${task.files[0] ?? ''}`)
    .digest();
  const number = digest.readUInt16BE(0) % 1000;
  if (number < 10) return 'failed';
  if (number < 30) return 'lost once';
  return number < 35 ? 'lost' : 'good';
}

describe('F25: soak', () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F25',
    title: `${DAYS.length * TASKS_PER_DAY} tasks, ${CHANNEL_VERSIONS.length} channel/versions, ${DAYS.length} days, ${MINUTES} min of faults, seed ${SEED}`,
    injected: `faults of S3, SQS, the server and ${WORKERS} workers for ${MINUTES} min, seed ${SEED}`,
    timeoutMs: (SOAK_SECONDS + 600) * 1000,
    scene: { settings: { TELEMETRY_CHUNK_TASKS: '25', TELEMETRY_DONE_VISIBILITY_SECONDS: '5' } },
    story: soak,
    twin: { without: 'blindRecommit', fails: /the number of commits/ },
  });

  faultTest(stage, {
    id: 'F25',
    title: 'the same seed again: the same bytes',
    injected: `the same, seed ${SEED} again`,
    timeoutMs: (SOAK_SECONDS + 600) * 1000,
    scene: { settings: { TELEMETRY_CHUNK_TASKS: '25', TELEMETRY_DONE_VISIBILITY_SECONDS: '5' } },
    story: async (scene) => {
      const first = digests[0];
      const account = await soak(scene);
      assert.equal(digests.at(-1), first, 'the published bytes of two soaks with the same seed');
      return account;
    },
  });
});

const digests: string[] = [];

async function soak(scene: Scene): Promise<{ times: number; seen: string }> {
  const random = seededChance(SEED);
  for (const day of DAYS) await scene.storeDay(day, 2 * TASKS_PER_DAY, CHANNEL_VERSIONS);
  const lost: TaskMessage[] = [];
  const seconds = (ANSWERED * SOAK_SECONDS) / (DAYS.length * TASKS_PER_DAY);
  scene.analysts.script = {
    secondsPerTask: seconds,
    answer: (task, attempt) => {
      const is = fate(task);
      if (is === 'failed') return 'failed';
      if (is === 'good' || (is === 'lost once' && attempt > 1)) return 'done';
      if (attempt === 1 && is === 'lost') lost.push(task);
      return 'silent';
    },
  };
  scene.watchPublished();
  const crew = new Crew(scene, WORKERS, random);
  const weather = new Weather(scene.s3, scene.sqs, scene.names.doneQueue, random);
  const over = AbortSignal.timeout(SOAK_SECONDS * 1000);
  const ended = new AbortController();
  const troubled = trouble(scene, crew, weather, AbortSignal.any([over, ended.signal]));
  const results = await analyseDays(scene).finally(() => {
    crew.stop();
    ended.abort();
  });
  const outages = await troubled;

  const counted = new Map([...scene.days.values()].flat().map((key) => [key, '']));
  for (const task of scene.analysts.tasks.values())
    if (['failed', 'lost'].includes(fate(task))) for (const key of task.files) counted.delete(key);
  const tasks = sum(results, ({ planned }) => planned);
  const missing = results.map(({ day, missing: count }) => [day, count]);
  assert.deepEqual(missing, perDay(lost), 'what is missing was lost, and nothing else');
  const { observations, files } = await judge(scene, { seq: DAYS.length, results, counted });
  const { events, bytes } = await largestHistory(scene);
  assert.ok(events < MOST_EVENTS, `a run has ${events} events`);
  assert.ok(bytes < MOST_BYTES, `a payload has ${bytes} bytes`);
  const { early, late } = memory(crew.weights);
  assert.ok(late < MOST_MIB, `a worker holds ${late} MiB`);
  if (MINUTES >= WARM_MINUTES) assert.ok(late < 1.2 * early, `resident memory grew from ${early} MiB to ${late} MiB`);
  digests.push(await digestOf(scene));
  const injected = [...weather.injected].map(([name, count]) => `${name} ${count}`).join(', ');
  return {
    times: sum([...weather.injected.values()], (count) => count) + outages + crew.restarts,
    seen: `${tasks} tasks = ${sum(results, ({ done }) => done)} done + ${sum(results, ({ failed }) => failed)} failed + ${lost.length} missing; ${injected}; ${crew.restarts} workers ended, the server ${outages} times; ${observations} looks, none mixed; ${files} files, ${digests.at(-1)}; ${events} events, largest payload ${bytes} bytes; memory ${early} → ${late} MiB`,
  };
}

/** How many tasks each day has in the list. */
function perDay(tasks: readonly TaskMessage[]): [day: string, tasks: number][] {
  return DAYS.map((day) => [day, tasks.filter(({ files }) => files[0]?.includes(`.${day}.`)).length]);
}

/** One after the other is started, and they overlap. */
async function analyseDays(scene: Scene): Promise<DailyAnalysisResult[]> {
  const runs: Promise<DailyAnalysisResult>[] = [];
  for (const [index, day] of DAYS.entries()) {
    const run = await startedDay(scene, day);
    runs.push(scene.settled(run, (SOAK_SECONDS + 400) * 1000));
    // The pace of the days.
    if (index < DAYS.length - 1) await delay((LAST_START * SOAK_SECONDS * 1000) / (DAYS.length - 1));
  }
  return Promise.all(runs);
}

/** Also while the server is away. */
function startedDay(scene: Scene, day: string): Promise<StartedDay> {
  return scene.until(`the start of ${day}`, () =>
    scene
      .startDay(
        day,
        {
          stragglerSeconds: Math.ceil(STRAGGLERS * SOAK_SECONDS),
          giveUpSeconds: Math.ceil(GIVEN_UP * SOAK_SECONDS) + 45,
          maxResends: 2,
        },
        '1 hour',
      )
      .catch(() => undefined),
  );
}

/** @returns how often the Temporal server was killed */
async function trouble(scene: Scene, crew: Crew, weather: Weather, over: AbortSignal): Promise<number> {
  let outages = 0;
  for (let second = 1; !over.aborted; second += 1) {
    await delay(1000);
    await crew.weigh();
    if (second % WEATHER_SECONDS === 0) weather.change();
    if (second % RESTART_SECONDS === 0) crew.restartOne();
    if (second % Math.round(SOAK_SECONDS / 4) === 0) {
      await scene.stage.killTemporal();
      await delay(OUTAGE_SECONDS * 1000);
      await scene.stage.restartTemporal();
      outages += 1;
    }
  }
  weather.clear();
  return outages;
}

/** Medians of the second quarter of the time, when all caches are full, and of the last one, in MiB. */
function memory(weights: readonly number[]): { early: number; late: number } {
  const quarter = (number: number): number => {
    const part = weights
      .slice((weights.length * (number - 1)) / 4, (weights.length * number) / 4)
      .sort((a, b) => a - b);
    return Math.round(part[Math.floor(part.length / 2)] ?? NaN);
  };
  return { early: quarter(2), late: quarter(4) };
}

async function largestHistory(scene: Scene): Promise<{ events: number; bytes: number }> {
  let [events, bytes] = [0, 0];
  for (const { workflowId } of scene.started) {
    const history = await scene.stage.client.workflow.getHandle(workflowId).fetchHistory();
    events = Math.max(events, history.events?.length ?? 0);
    for (const size of payloadSizes(history)) bytes = Math.max(bytes, size);
  }
  return { events, bytes };
}

/** Of every payload anywhere in it. */
function payloadSizes(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value.data.length];
  return Object.values(value).flatMap(payloadSizes);
}

/** Of all that browsers read. Folder names, and so manifests, have the time in them. */
async function digestOf(scene: Scene): Promise<string> {
  const { files } = await publishedSpace(scene);
  const hash = createHash('sha256');
  for (const [name, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.endsWith('/_manifest.json')) hash.update(`${name}\n${text}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}
