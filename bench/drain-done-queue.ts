/**
 * Draining a done queue with real servers on loopback: each message is decoded, compared with the plan, its result looked
 * up, its receipt stored once, and deleted. Floors: 1,000 messages/s on the embedded S3 and SQS, 300 on the second ones
 * (`--services=second`: versitygw and ElasticMQ), no heartbeat late.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import pMap from 'p-map';
import { createActivities } from '../src/activities/index.ts';
import { connectPorts } from '../src/composition.ts';
import { loadConfig } from '../src/config.ts';
import { environment } from '../src/environment.ts';
import { startLocalStack } from '../local/stack/stack.ts';
import { NO_REPORT } from '../src/pipeline/done-queue/done-message.ts';
import { encodeDoneMessage, outputPrefix } from '../test/fakes/done-messages.ts';
import { dailyRun } from '../src/state/keys.ts';
import { decodeTaskMessage } from '../src/pipeline/task-queue/task-message.ts';
import { secondServices } from '../test/second-services/second-services.ts';
import { report } from './measure.ts';

const TASKS = 8000;
const DAY = '20131029';
const HEARTBEAT_MS = 15_000;
const AT_ONCE = 32;

const onSecondServices = process.argv.includes('--services=second');
const directory = await mkdtemp(join(tmpdir(), 'bench-drain-'));
const stack = await startLocalStack({
  directory: join(directory, 'stack'),
  log: () => undefined,
  binaries: { named: {}, searchPath: environment()['PATH'] ?? '', cacheDirectory: resolve('.local/cache/bin') },
  ...(onSecondServices && { services: secondServices }),
  keywordAttributes: [],
  headless: true,
});
Object.assign(process.env, stack.env);
const config = loadConfig({ ...stack.env, TELEMETRY_MAX_TASK_FILES: '1', TELEMETRY_WORK_DIRECTORY: directory });
const { ports, close } = connectPorts(config);
const activities = createActivities(ports);
const silent = (): void => undefined;
const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const env = new MockActivityEnvironment({ heartbeatTimeoutMs: HEARTBEAT_MS }, { logger });
try {
  await drain();
} finally {
  await close();
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
}

async function inActivity<Input, Output>(activity: (input: Input) => Promise<Output>, input: Input): Promise<Output> {
  return env.run<[Input], Output, typeof activity>(activity, input);
}

async function drain(): Promise<void> {
  // Two files are a task, as the packing rule has it.
  const keys = Array.from(
    { length: 2 * TASKS },
    (_, n) => `saved_session/Firefox/nightly/28.0a1/20131028030204.${DAY}.v2.log.${n}.lzma`,
  );
  await pMap(keys, (key) => ports.input.put(key, Buffer.from('x')), { concurrency: AT_ONCE });
  const run = dailyRun(DAY, '00000000-0000-4000-8000-000000000001');
  const queues = { taskQueue: config.TELEMETRY_TASK_QUEUE, doneQueue: config.TELEMETRY_DONE_QUEUE };
  const filter = {
    version: 1 as const,
    dimensions: ['reason', 'appName', 'appUpdateChannel', 'appVersion', 'appBuildID', 'submission_date'].map(
      (field) => ({
        field_name: field,
        allowed_values: '*' as const,
      }),
    ),
  };
  const plan = await inActivity((input) => activities.planTasks(input), {
    run,
    day: DAY,
    filter,
    jobName: 'bench',
    ...queues,
  });
  await inActivity((input) => activities.enqueueTasks(input), { run, taskQueue: queues.taskQueue });
  await answer(plan.tasks);
  let last = performance.now();
  let longest = 0;
  env.on('heartbeat', () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  });
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const startedAt = performance.now();
  const drained = await inActivity((input) => activities.drainDoneQueue(input), {
    run,
    doneQueue: queues.doneQueue,
    tasks: plan.tasks,
    chunkTasks: plan.tasks,
    merged: [plan.tasks],
    maxSeconds: 600,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  longest = Math.max(longest, performance.now() - last);
  lag.disable();
  report(`drain-done-queue on ${onSecondServices ? 'ElasticMQ and versitygw' : 'fauxqs and SeaweedFS'}`, {
    messages: drained.done,
    seconds,
    'messages/s': drained.done / seconds,
    'event loop lag, ms': lag.max / 1e6,
    'longest without heartbeat, ms': longest,
    'heartbeat time-out, ms': HEARTBEAT_MS,
  });
}

/** All results and done messages, before the drain begins. */
async function answer(tasks: number): Promise<void> {
  let answered = 0;
  while (answered < tasks) {
    await pMap(
      Array.from({ length: AT_ONCE / 4 }),
      async () => {
        const messages = await ports.queues.receive(config.TELEMETRY_TASK_QUEUE, {
          waitSeconds: 0,
          visibilitySeconds: 600,
        });
        const done = messages.map(({ body }) => decodeTaskMessage(body));
        await Promise.all(
          done.map(({ id }) => ports.analysis.put(`${outputPrefix(id)}result.txt`, Buffer.from('x\n'))),
        );
        const bodies = done.map((task) => encodeDoneMessage(task, { aborted: false, report: NO_REPORT }));
        if (bodies.length > 0) await ports.queues.send(config.TELEMETRY_DONE_QUEUE, bodies);
        answered += bodies.length;
      },
      { concurrency: AT_ONCE / 4 },
    );
  }
}
