/** The Temporal worker: runs workflows and activities until SIGTERM or SIGINT, then hands over within the grace time. */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { connectPorts } from './composition.ts';
import { type Config, temporalConnectConfig } from './config.ts';
import { createLogger, temporalLogger } from './observability.ts';

/** Each run's drain occupies one slot for as long as it waits; merges and snapshots queue for threads, not for slots. */
const ACTIVITIES_AT_ONCE = 24;
const DEPLOYMENT_NAME = 'telemetry-dashboard';

export async function runWorker(config: Config): Promise<void> {
  const logger = createLogger(config, 'worker');
  Runtime.install({
    logger: temporalLogger(logger, config.TELEMETRY_LOG_LEVEL),
    shutdownSignals: ['SIGTERM', 'SIGINT'],
  });
  const { connectionOptions, namespace } = await temporalConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  const { ports, close } = connectPorts(config, logger);
  try {
    const worker = await Worker.create({
      connection,
      namespace: namespace ?? 'default',
      taskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)),
      activities: createActivities(ports),
      maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
      // Else a killed worker loses most of its heartbeats.
      maxHeartbeatThrottleInterval: '1s',
      defaultHeartbeatThrottleInterval: '1s',
      shutdownGraceTime: '20s',
      shutdownForceTime: '40s',
      ...versioning(config),
    });
    logger.info(
      { workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE, namespace: namespace ?? 'default' },
      'worker started',
    );
    await worker.run();
    logger.info('worker stopped');
  } finally {
    await close();
    await connection.close();
  }
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
