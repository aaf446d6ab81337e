/**
 * The product's Temporal worker with a meter around its ports: its activities and workflows, its S3 and SQS clients and its
 * threads, as `src/worker.ts` has them. The drain begins when the parent says that all messages are there.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createAlertActivities } from '../../src/activities/alerts.ts';
import { createActivities } from '../../src/activities/index.ts';
import type { ActivityPorts } from '../../src/activities/ports.ts';
import { serverFor } from '../../src/commands/temporal-client.ts';
import { connectAlerts, connectPorts } from '../../src/composition.ts';
import { loadConfig } from '../../src/config.ts';
import { environment } from '../../src/environment.ts';
import { NO_METRICS } from '../../src/metrics.ts';
import { alertTaskQueue } from '../../src/names.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { workflowSource } from '../../src/workflow-bundle.ts';
import { Meter, type Wait } from './meter.ts';

/** Stage of each activity; what is not named belongs to the stage that is under way. */
const STAGES: Readonly<Record<string, string>> = {
  planTasks: 'list and pack',
  enqueueTasks: 'enqueue',
  drainDoneQueue: 'drain and merge',
  buildContribution: 'build',
  planPublication: 'stage',
  commitDataset: 'commit',
  updateProjections: 'projections',
  findChanges: 'changes',
  writeReport: 'report',
};
/** As in `src/worker.ts`. */
const ACTIVITIES_AT_ONCE = 24;

type AnyActivity = (input: never) => Promise<unknown>;

const config = loadConfig(environment());
// Retries would otherwise only look like time.
Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    if (!message.startsWith('No workflows registered'))
      process.stderr.write(`${level} ${message} ${String(meta?.['error'] ?? '')}\n`);
  }),
});
const meter = new Meter(async (times) => {
  const counts: unknown = await (await fetch(`${config.AWS_ENDPOINT_URL_S3 ?? ''}/-/counts`)).json();
  if (process.connected) process.send?.({ times, store: counts });
});
let isDraining = false;
let openDrain = (): void => undefined;
const drainMayBegin = new Promise<void>((resolve) => (openDrain = resolve));
process.on('message', (message) => {
  if (message === 'open') openDrain();
  else if (message === 'end') void stop();
});
process.once('disconnect', () => void stop());

const { ports, close } = connectPorts(config);
const { ports: alertPorts, close: closeAlerts } = connectAlerts(config, ports.analysis, { of: () => [] }, NO_METRICS);
const temporal = await serverFor((options) => NativeConnection.connect(options));
const shared = { connection: await temporal.connection(), namespace: temporal.namespace, shutdownGraceTime: 1000 };
const workers = [
  await Worker.create({
    ...shared,
    taskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
    ...(await workflowSource(config)),
    activities: meteredActivities(createActivities(meteredPorts(ports))),
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  }),
  await Worker.create({
    ...shared,
    taskQueue: alertTaskQueue(config.TELEMETRY_WORKER_TASK_QUEUE),
    activities: createAlertActivities(alertPorts),
  }),
];
const running = Promise.all(workers.map((worker) => worker.run()));
process.send?.({ endpoint: '' });
await running;
closeAlerts();
await close();
await temporal.close();
// Its channel would keep the process.
if (process.connected) process.disconnect();

async function stop(): Promise<void> {
  await meter.enter('end').catch(() => undefined);
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

function meteredActivities(activities: ReturnType<typeof createActivities>): object {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (input: never): Promise<unknown> => {
        if (name === 'drainDoneQueue' && !isDraining) {
          isDraining = true;
          await meter.enter('analysis workers');
          process.send?.({ waitsForMessages: true });
          await drainMayBegin;
        }
        if (STAGES[name] !== undefined) await meter.enter(STAGES[name]);
        return meter.waiting('activity', () => (activity as AnyActivity)(input));
      },
    ]),
  );
}

function meteredPorts(all: ActivityPorts): ActivityPorts {
  return {
    ...all,
    input: meteredStore(all.input),
    analysis: meteredStore(all.analysis),
    published: meteredStore(all.published),
    queues: metered(all.queues, 'sqs'),
    threads: metered(all.threads, 'threads'),
  };
}

function meteredStore(store: ObjectStore): ObjectStore {
  return metered<ObjectStore>(store, 's3', {
    list: (...args) => meteredSteps(store.list(...args)),
    objects: (...args) => meteredSteps(store.objects(...args)),
    folders: (...args) => meteredSteps(store.folders(...args)),
  });
}

/** Every method, as a promise that something is waited for; those of `own` instead of the port's. */
function metered<Port extends object>(port: Port, wait: Wait, own: Partial<Port> = {}): Port {
  return new Proxy(port, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        meter.waiting(wait, async () => (member as (...all: unknown[]) => Promise<unknown>).apply(target, args));
    },
  });
}

/** Most steps find their entry in a page that is there already: measuring them must cost nothing. */
function meteredSteps<T>(steps: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = steps[Symbol.asyncIterator]();
      return {
        next: () => meter.waitingNow('s3', () => iterator.next()),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
