/** The Temporal worker: runs workflows and activities until it is told to end, then hands over within the grace time. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { NativeConnection, Runtime, type RuntimeOptions, Worker, type WorkerOptions } from '@temporalio/worker';
import { createAlertActivities } from './activities/alerts.ts';
import { translatingFailures } from './activities/failure-edge.ts';
import { createActivities } from './activities/index.ts';
import { serverFor } from './commands/temporal-client.ts';
import { connectAlerts, connectPorts } from './composition.ts';
import { type Config, ConfigError, secretValues } from './config.ts';
import { armFailpoints } from './failpoints.ts';
import { startGauges } from './watch/gauges.ts';
import { createMetrics } from './metrics.ts';
import { LogTail } from './log-tail.ts';
import { alertTaskQueue } from './names.ts';
import { createLogger, type Logger } from './observability.ts';
import { toldToStop } from './stop-signal.ts';
import { temporalLogger } from './temporal-logger.ts';
import { workflowSource } from './workflow-bundle.ts';

/** Each run's drain occupies one slot while it waits; merges and snapshots queue for threads, not for slots. */
const ACTIVITIES_AT_ONCE = 24;
const ALERTS_AT_ONCE = 4;
const DEPLOYMENT_NAME = 'telemetry-dashboard';

export async function runWorker(config: Config): Promise<void> {
  await demandTemplate(config.TELEMETRY_FILTER_TEMPLATE);
  const told = toldToStop();
  const logTail = new LogTail();
  const secrets = secretValues(config);
  const logger = createLogger(config, 'worker', { secrets, tail: logTail });
  armForTests(config, logger);
  Runtime.install({
    logger: temporalLogger(logger, config.TELEMETRY_LOG_LEVEL),
    // Handled here: the SDK's own handlers let a second signal end the process at once.
    shutdownSignals: [],
    ...metricsEndpoint(config),
  });
  const temporal = await serverFor((options) => NativeConnection.connect(options));
  const { namespace } = temporal;
  const connection = await temporal.connection();
  const metrics = createMetrics(Runtime.instance().metricMeter);
  const { ports, close } = connectPorts(config, logger, metrics);
  const { ports: alertPorts, close: closeAlerts } = connectAlerts(config, ports.analysis, logTail, metrics);
  const shared = { connection, namespace, ...shutdown(config), ...versioning(config) };
  const stopGauges = startGauges(ports, logger);
  try {
    const worker = await Worker.create({
      ...shared,
      taskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      ...(await workflowSource(config)),
      activities: createActivities(ports, secrets),
      maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
      // How long workflows wait for a killed worker before another one takes over.
      stickyQueueScheduleToStartTimeout: '3s',
      // Without this, most heartbeats of a killed worker are lost.
      maxHeartbeatThrottleInterval: '1s',
      defaultHeartbeatThrottleInterval: '1s',
    });
    const alertWorker = await Worker.create({
      ...shared,
      taskQueue: alertTaskQueue(config.TELEMETRY_WORKER_TASK_QUEUE),
      activities: translatingFailures(createAlertActivities(alertPorts), secrets),
      maxConcurrentActivityTaskExecutions: ALERTS_AT_ONCE,
    });
    logger.info({ workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE, namespace }, 'worker started');
    void told.then(() => {
      stopAll([worker, alertWorker]);
    });
    // When one fails, both stop.
    await Promise.all(
      [worker, alertWorker].map((one) =>
        one.run().finally(() => {
          stopAll([worker, alertWorker]);
        }),
      ),
    );
    logger.info('worker stopped');
  } finally {
    stopGauges();
    closeAlerts();
    await close();
    await temporal.close();
  }
}

/** Temporal's metrics and ours, on one endpoint. */
function metricsEndpoint({ TELEMETRY_METRICS_ADDRESS: bindAddress }: Config): Pick<RuntimeOptions, 'telemetryOptions'> {
  if (bindAddress === undefined) return {};
  const prometheus = { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
  return { telemetryOptions: { metrics: { prometheus, attachServiceName: false } } };
}

function shutdown({ TELEMETRY_SHUTDOWN_GRACE_SECONDS: seconds }: Config) {
  return { shutdownGraceTime: seconds * 1000, shutdownForceTime: seconds * 2000 };
}

/** Only tests break their workers; the log says so, for anybody who finds such a worker running. */
function armForTests({ FAILPOINTS: faults, TELEMETRY_WORK_DIRECTORY: folder }: Config, logger: Logger): void {
  if (faults.length === 0) return;
  armFailpoints(faults, join(folder, 'failpoints'));
  logger.warn({ failpoints: faults.map(({ name }) => name) }, 'FAILPOINTS is set: this worker breaks on purpose');
}

function stopAll(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** Runs end on the build that began them; a versioned worker gets nothing until its version is made current. */
function versioning({ BUILD_ID }: Config): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (BUILD_ID === undefined) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT_NAME, buildId: BUILD_ID },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  };
}

/** @throws ConfigError before anything is connected; otherwise the next run would be the first to notice */
async function demandTemplate(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `TELEMETRY_FILTER_TEMPLATE: ${path} cannot be read (${code}); correct it, or put the file there`,
    );
  }
}
