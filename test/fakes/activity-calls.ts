/** What each activity asks of S3 and SQS: all of them run over traced fakes, through the branches that make calls of their own. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import pino from 'pino';
import type { MockActivityEnvironment } from '@temporalio/testing';
import type { Activities } from '../../src/activities/index.ts';
import { createAlertActivities, type NotifyInput } from '../../src/activities/alerts.ts';
import { Presence } from '../../src/analysis-worker/presence.ts';
import { runTask } from '../../src/analysis-worker/task-runner.ts';
import { loadConfig } from '../../src/config.ts';
import { submissionRules } from '../../src/submission-rules.ts';
import { SUBMISSION_LIMITS } from '../../src/limits.ts';
import { deadLetterQueue, investigationQueuePrefix } from '../../src/names.ts';
import type { AlertedRun } from '../../src/alerts/alert.ts';
import { roundName } from '../../src/pipeline/dataset/entry-name.ts';
import { investigationRun, roundRun, stateKeys } from '../../src/state/keys.ts';
import { acknowledge, readAcknowledgements, withdraw } from '../../src/state/acknowledgements.ts';
import { writeProjections } from '../../src/state/projections.ts';
import { verifyDataSet } from '../../src/verify/verify.ts';
import { startGauges } from '../../src/watch/gauges.ts';
import { localFolder } from '../../src/website/local-folder.ts';
import { collectFacts } from '../../src/watch/collect-facts.ts';
import { Application, environment, PREFIX } from './application.ts';
import type { Call } from './call-trace.ts';
import { DAY, DayRun, inputKey, runId } from './day-run.ts';
import { eventually } from './eventually.ts';
import { answerForeign } from './foreign-launcher.ts';
import { inProcessThreads } from './in-process-threads.ts';
import { DONE_QUEUE, TASK_QUEUE } from './names.ts';
import { writeWebsite } from './website.ts';

/** By name of the activity; `runTask` is the analysis worker, `gauges` every Temporal worker, the three of `watch` those of the watching commands. */
export type ActivityCalls = ReadonlyMap<string, readonly Call[]>;

class TracedApplication extends Application {
  readonly byActivity = new Map<string, Call[]>();

  override async runIn<Name extends keyof Activities>(
    env: MockActivityEnvironment,
    name: Name,
    input: Parameters<Activities[Name]>[0],
  ): Promise<Awaited<ReturnType<Activities[Name]>>> {
    return this.tracing(name, () => super.runIn(env, name, input));
  }

  async tracing<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = this.trace.calls.length;
    try {
      return await work();
    } finally {
      this.byActivity.set(name, [...(this.byActivity.get(name) ?? []), ...this.trace.calls.slice(from)]);
    }
  }
}

/** Runs everything once; bucket names are those of the fakes. */
export async function traceActivities(): Promise<ActivityCalls> {
  const workDirectory = mkdtempSync(join(tmpdir(), 'telemetry-roles-'));
  try {
    const app = new TracedApplication(workDirectory, {
      pack: { maxFiles: 0, maxBytes: 1000 },
      adoptForeignResults: true,
    });
    await twoDays(app);
    await oldDays(app);
    await rounds(app);
    await investigate(app);
    await website(app, join(workDirectory, 'site'));
    await alerts(app);
    await watch(app);
    await analysisTask(app);
    await garbage(app);
    return app.byActivity;
  } finally {
    mock.timers.reset();
    rmSync(workDirectory, { recursive: true, force: true });
  }
}

const QUEUE = { visibilitySeconds: 30, delaySeconds: 0, retentionSeconds: 60 };
const NIGHTLY = ['a', 'b', 'c', 'd', 'e'].map((file) => inputKey('nightly/28', file));

/** A day with a given-up, a lost, a late and a bad result and with junk on the queue, then the same day again. */
async function twoDays(app: TracedApplication): Promise<void> {
  for (const number of [1, 2]) {
    app.clock.advance(60);
    const day = new DayRun(app, number);
    day.storeInput(NIGHTLY);
    await day.planTasks();
    await day.planTasks();
    await app.run('productionQueues', undefined);
    await day.enqueue();
    const [first, second, third, fifth] = [1, 2, 3, 5].map((task) => `${day.run.runId}/${task}`);
    day.answerTasks(({ id }) => {
      if (id === first) return { aborted: true };
      if (id === second) return { silent: true };
      if (id === fifth) return { silent: true, result: null };
      return id === third ? { result: 'nonsense\n' } : {};
    });
    app.queues.put(DONE_QUEUE, `junk ${number}`);
    await day.drain({ maxSeconds: 5 });
    await app.run('recoverStragglers', { run: day.run, taskQueue: TASK_QUEUE, tasks: day.tasks, resend: true });
    app.queues.drain(TASK_QUEUE);
    const { runId: _, planAt, channelVersions, ...counts } = await day.contribute();
    await day.publish();
    await app.run('updateProjections', undefined);
    await app.run('findChanges', undefined);
    const publication = { decision: 'published', seq: number, attempt: 1 } as const;
    await app.run('writeReport', { run: day.run, day: DAY, plan: day.plan!, counts, publication });
  }
}

/** Days that were published so long before the next one that they are sealed with it. */
async function oldDays(app: TracedApplication): Promise<void> {
  for (const [index, day] of ['20131005', '20131010', '20131012'].entries()) {
    const old = new DayRun(app, 300 + index, day);
    await old.analyse([inputKey('nightly/28', 'old', day)]);
    await old.publish();
    app.clock.advance(12 * 86_400);
  }
}

const SIGN = { host: 'h', pid: 1, startedAt: '2013-10-30T13:31:00.000Z', tasksDone: 1, tasksFailed: 0, atWork: [] };
const MONTH_MS = 30 * 86_400_000;

/** A month later: most of what was made before is garbage. */
async function garbage(app: TracedApplication): Promise<void> {
  app.analysis.store(stateKeys.signOfLife('killed'), JSON.stringify(SIGN));
  for (const store of [app.analysis, app.published]) {
    for (const [key, object] of store.contents) {
      store.contents.set(key, { ...object, lastModified: new Date(object.lastModified.getTime() - MONTH_MS) });
    }
  }
  const input = { id: 'gc', force: true, maxDeletions: 10_000 };
  await app.run('planGarbage', input);
  await app.run('removeGarbage', input);
  await app.run('createInvestigationQueues', { name: 'left', runId: runId(800) });
  const owner = stateKeys.investigationOwner('left');
  const stored = app.analysis.contents.get(owner) ?? assert.fail();
  app.analysis.contents.set(owner, { ...stored, lastModified: new Date(app.clock.now - MONTH_MS) });
  assert.notEqual((await app.run('removeLeftInvestigationQueues', undefined)).investigations, 0);
}

/** A round, and one whose result counts twice. */
async function rounds(app: TracedApplication): Promise<void> {
  await app.run('aggregationSettings', undefined);
  for (const number of [1, 2]) {
    app.clock.advance(60);
    answerForeign(app, { number, files: [inputKey('nightly/28', 'foreign')] });
    await app.run('collectWaiting', { doneQueue: DONE_QUEUE, results: 1, maxSeconds: 5 });
    const instant = `20131030T00000${number}.000Z`;
    const run = roundRun(instant, runId(900 + number));
    const { plan } = await app.run('planRound', { run, instant, results: 10 });
    if (plan.tasks === 0) continue;
    const { tasks, chunkTasks } = plan;
    const { ref } = await app.run('mergeChunk', { run, chunk: 1, tasks, chunkTasks });
    await app.run('buildContribution', { run, day: roundName(instant), tasks, chunks: [ref] });
    const publication = { run, attempt: 1, commit: `round-${number}` };
    const { snapshots } = await app.run('planPublication', publication);
    for (let index = 0; index < snapshots; index += 1) await app.run('stageSnapshot', { ...publication, index });
    await app.run('commitDataset', publication);
    await app.run('settleRound', { run });
  }
}

async function investigate(app: TracedApplication): Promise<void> {
  const queues = await app.run('createInvestigationQueues', { name: 'gc', runId: 'r1' });
  await app.run('createInvestigationQueues', { name: 'gc', runId: 'r2' });
  const run = investigationRun('gc', runId(500));
  const plan = { run, day: null, keys: NIGHTLY.slice(0, 2), jobName: 'investigation-gc', ...queues };
  app.analysis.store('key-lists/gc.txt', NIGHTLY.join('\n'));
  await app.run('planTasks', { ...plan, run: investigationRun('gc', runId(501)), keyList: 'key-lists/gc.txt' });
  const { tasks } = await app.run('planTasks', plan);
  await app.run('enqueueTasks', { run, taskQueue: queues.taskQueue });
  const day = new DayRun(app, 500);
  for (const body of app.queues.drain(queues.taskQueue)) app.queues.put(TASK_QUEUE, body);
  day.answerTasks(({ id }) => ({ silent: id.endsWith('/2') }));
  const { chunkTasks } = app.settings;
  const drain = { run, doneQueue: queues.doneQueue, tasks, chunkTasks, merged: [-1], maxSeconds: 5 };
  await app.run('drainDoneQueue', drain);
  await app.run('recoverStragglers', { run, taskQueue: queues.taskQueue, tasks, resend: false });
  const { ref } = await app.run('mergeChunk', { run, chunk: 1, tasks, chunkTasks });
  await app.run('collectInvestigation', { run, name: 'gc', tasks, chunks: [ref] });
  await app.run('removeInvestigationQueues', queues);
}

async function website(app: TracedApplication, folder: string): Promise<void> {
  mkdirSync(folder);
  app.websiteSource = localFolder(folder);
  await app.run('describeWebsite', undefined);
  writeWebsite(folder, { 'index.html': 'home', 'old.html': 'old', 'more.html': 'more' });
  await app.run('publishWebsite', { force: false, dryRun: false });
  writeWebsite(folder, { 'index.html': 'new home' }, { 'old.html': '' });
  await app.run('publishWebsite', { force: true, dryRun: false });
}

/** A failure, and the recovery from it. */
async function alerts(app: TracedApplication): Promise<void> {
  const activities = createAlertActivities({
    analysis: app.analysis,
    metrics: app.metrics,
    channels: [{ name: 'smtp', send: async () => undefined, verify: async () => undefined, close: () => undefined }],
    recentLog: () => [],
    secrets: [],
    webUi: null,
    deadManUrl: null,
  });
  const times = { startedAt: '2013-10-30T13:31:00.000Z', endedAt: '2013-10-30T13:31:05.000Z' };
  const run: AlertedRun = {
    ...{
      job: 'daily-analysis',
      about: DAY,
      alertId: 'r1',
      workflowId: 'w',
      runId: 'r1',
      workflowType: 'dailyAnalysis',
    },
    ...{ attempt: 1, facts: {}, ...times },
  };
  const failure = { type: null, message: 'no', activity: null, timeout: null };
  const tell = (input: NotifyInput) =>
    app.tracing('notify', () => environment().run((given: NotifyInput) => activities.notify(given), input));
  await tell({ run, outcome: { kind: 'failed', step: 'planning', failure } });
  await tell({ run: { ...run, alertId: 'r2' }, outcome: { kind: 'ended', warnings: [] } });
}

async function watch(app: TracedApplication): Promise<void> {
  const { analysis, published, queues } = app;
  for (const queue of [TASK_QUEUE, DONE_QUEUE]) await queues.create(deadLetterQueue(queue), QUEUE);
  await app.tracing('gauges', async () => {
    const stop = startGauges(app.ports(), pino({ level: 'silent' }));
    await eventually(async () => {
      assert.ok(app.metrics.values.has('telemetry_gauges_timestamp_seconds'));
    });
    stop();
  });
  app.analysis.store(stateKeys.signOfLife('alive'), JSON.stringify(SIGN));
  await app.tracing('collectFacts', () =>
    collectFacts(
      { analysis, published, queues, temporal: () => Promise.reject(new Error('no Temporal here')) },
      {
        ...{ publishedPrefix: PREFIX, taskQueue: TASK_QUEUE, doneQueue: DONE_QUEUE },
        ...{ workerTaskQueue: 'telemetry', adoptsForeignResults: true },
      },
      new Date(app.clock.now),
    ),
  );
  await app.tracing('acknowledgeFinding', async () => {
    await acknowledge(analysis, { id: 'daily-analysis/20131029', reason: 'a test', by: 'me', at: DAY });
    await readAcknowledgements(analysis, AbortSignal.timeout(10_000));
    await withdraw(analysis, 'daily-analysis/20131029');
  });
  const signal = AbortSignal.timeout(60_000);
  await app.tracing('verifyDataSet', () => verifyDataSet(app.ports(), { quick: false }, signal));
  const stores = { analysis, published, publishedPrefix: PREFIX, threads: inProcessThreads() };
  await app.tracing('writeProjections', () => writeProjections(stores, app.settings.workDirectory, signal));
}

/** One task whose input is there and one whose is not; and the report of an investigation's. */
async function analysisTask(app: TracedApplication): Promise<void> {
  const day = new DayRun(app, 600, '20131101');
  day.storeInput([inputKey('nightly/28', 'x', day.day), inputKey('nightly/28', 'y', day.day)]);
  await day.planTasks();
  await day.enqueue();
  app.input.contents.delete(inputKey('nightly/28', 'y', day.day));
  const config = loadConfig({});
  const investigations = investigationQueuePrefix(TASK_QUEUE);
  const presence = new Presence(app.analysis, pino({ level: 'silent' }));
  const ports = {
    ...{ input: app.input, analysis: app.analysis, queues: app.queues, threads: inProcessThreads() },
    logger: pino({ level: 'silent' }),
    presence,
    settings: {
      ...{ rules: submissionRules(config), limits: SUBMISSION_LIMITS, processor: undefined },
      workDirectory: app.settings.workDirectory,
      mayReportTo: () => true,
    },
  };
  await app.queues.create(`${investigations}gc-done`, QUEUE);
  await app.tracing('runTask', async () => {
    await app.queues.names(investigations);
    for (const body of app.queues.bodies(TASK_QUEUE)) {
      await runTask(body, 1, ports);
      await runTask(body, 2, ports);
    }
    await app.queues.send(`${investigations}gc-done`, ['done']);
    await presence.start();
    await presence.stop();
  });
}
