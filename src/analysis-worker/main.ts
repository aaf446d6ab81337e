/** The analysis worker's process: consumes tasks until it is told to end, then hands back those at hand. */
import { writeFileSync } from 'node:fs';
import { s3Connection, sqsConnection } from '../aws/connection.ts';
import { createObjectStores } from '../aws/s3.ts';
import { createMessageQueues } from '../aws/sqs.ts';
import { type Config, secretValues } from '../config.ts';
import { submissionRules } from '../submission-rules.ts';
import { SUBMISSION_LIMITS } from '../limits.ts';
import { investigationQueuePrefix } from '../names.ts';
import { createLogger } from '../observability.ts';
import { createThreadPool, SUMMING } from '../threads/pool.ts';
import { AnalysisWorker } from './analysis-worker.ts';
import { Presence } from './presence.ts';
import { toldToStop } from '../stop-signal.ts';

export interface AnalysisWorkerMainOptions {
  /** External processor to run instead of the built-in aggregation. */
  readonly processor?: string | undefined;
}

export async function runAnalysisWorker(config: Config, { processor }: AnalysisWorkerMainOptions): Promise<void> {
  const logger = createLogger(config, 'analysis-worker', { secrets: secretValues(config) });
  const stores = createObjectStores(s3Connection(config));
  const queues = createMessageQueues(sqsConnection(config));
  const threads = createThreadPool(config.TELEMETRY_THREADS, { ...SUMMING, startAtOnce: true, preload: 'aggregation' });
  const investigationPrefix = investigationQueuePrefix(config.TELEMETRY_TASK_QUEUE);
  const analysis = stores.bucket(config.TELEMETRY_ANALYSIS_BUCKET);
  const presence = new Presence(analysis, logger);
  const worker = new AnalysisWorker(
    {
      taskQueue: config.TELEMETRY_TASK_QUEUE,
      investigationPrefix,
      visibilitySeconds: config.TELEMETRY_TASK_VISIBILITY_SECONDS,
      tasksAtOnce: config.TELEMETRY_ANALYSIS_TASKS_AT_ONCE,
      onAlive: () => {
        if (config.TELEMETRY_ALIVE_FILE !== undefined) writeFileSync(config.TELEMETRY_ALIVE_FILE, '');
      },
    },
    {
      input: stores.bucket(config.TELEMETRY_INPUT_BUCKET),
      analysis,
      queues,
      threads,
      logger,
      presence,
      settings: {
        rules: submissionRules(config),
        limits: SUBMISSION_LIMITS,
        workDirectory: config.TELEMETRY_WORK_DIRECTORY,
        processor,
        mayReportTo: (queue) => queue === config.TELEMETRY_DONE_QUEUE || queue.startsWith(investigationPrefix),
      },
    },
  );
  const told = toldToStop();
  await worker.start();
  await presence.start();
  logger.info({ taskQueue: config.TELEMETRY_TASK_QUEUE }, 'analysis worker started');
  await told;
  await worker.stop();
  await presence.stop();
  await threads.close();
  stores.close();
  queues.close();
  logger.info('analysis worker stopped');
}
