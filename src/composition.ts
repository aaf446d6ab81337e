/** Builds the real ports from the configuration; used by the composition roots only. */
import { readFile } from 'node:fs/promises';
import type { ActivityPorts, WebsiteSource } from './activities/ports.ts';
import { smtpChannel } from './alerts/smtp.ts';
import { webhookChannel } from './alerts/webhook.ts';
import type { AlertPorts } from './activities/alerts.ts';
import { type Metrics, NO_METRICS } from './metrics.ts';
import type { AlertChannel, ObjectStore } from './ports.ts';
import { snsChannel } from './aws/sns.ts';
import { s3Connection, sqsConnection } from './aws/connection.ts';
import { createObjectStores } from './aws/s3.ts';
import { createMessageQueues } from './aws/sqs.ts';
import type { Logger } from './observability.ts';
import { publishRevisionCache } from './histogram-server/configured-cache.ts';
import type { RevisionCache } from './histogram-server/revision-cache.ts';
import { InvalidDataError } from './pipeline/invalid-data.ts';
import { type Config, secretValues } from './config.ts';
import { environment } from './environment.ts';
import { MERGE_LIMITS } from './limits.ts';
import { TASK_QUEUE_VISIBILITY_SECONDS } from './names.ts';
import { createThreadPool } from './threads/pool.ts';
import { builtInSite } from './website/built-in.ts';
import { gitRepository } from './website/git-repository.ts';
import { localFolder } from './website/local-folder.ts';
import type { SiteAddresses } from './website/rules/built-in-site.ts';

/** Between receives of a queue that is full of junk: 120 messages a minute at most. */
const HELD_PAUSE_SECONDS = 5;
/** A round of continuous aggregation is published this long after the last publish, when at least one result waits. */
const ROUND_SECONDS = 4 * 3600;

export interface Connected {
  readonly ports: ActivityPorts;
  readonly close: () => Promise<void>;
}

/** The website's source as configured: a folder, a repository, or the built-in site; null when that is switched off. */
function websiteSource(config: Config): WebsiteSource | null {
  const { TELEMETRY_WEBSITE_REPOSITORY: url, TELEMETRY_WEBSITE_FOLDER: folder } = config;
  if (folder !== undefined) return localFolder(folder);
  if (url === undefined) return config.TELEMETRY_WEBSITE_BUILT_IN ? builtInSite(siteAddresses(config)) : null;
  return gitRepository({ url, branch: config.TELEMETRY_WEBSITE_BRANCH, environment: environment() });
}

/** What the built-in site's readers need to know; buckets with dots in their names have no certificate of their own. */
function siteAddresses(config: Config): SiteAddresses {
  const store = config.AWS_ENDPOINT_URL_S3 ?? `https://s3.${config.AWS_REGION}.amazonaws.com`;
  return {
    dataset: config.TELEMETRY_DATASET_ADDRESS ?? `${store.replace(/\/+$/, '')}/${config.TELEMETRY_PUBLISHED_BUCKET}/`,
    prefix: config.TELEMETRY_PUBLISHED_PREFIX,
    webUi: config.TELEMETRY_WEB_UI?.replace(/\/+$/, '') ?? null,
    namespace: environment()['TEMPORAL_NAMESPACE'] ?? 'default',
  };
}

/** Stores, queues, worker threads and histogram definitions for the activities. */
export function connectPorts(config: Config, logger?: Logger, metrics: Metrics = NO_METRICS): Connected {
  const stores = createObjectStores(s3Connection(config));
  const sites = createObjectStores({
    region: config.TELEMETRY_WEBSITE_REGION ?? config.AWS_REGION,
    endpoint: config.AWS_ENDPOINT_URL_S3,
  });
  const queues = createMessageQueues(sqsConnection(config));
  const threads = createThreadPool(config.TELEMETRY_THREADS);
  const revisions = publishRevisionCache(config, logger);
  const ports: ActivityPorts = {
    input: stores.bucket(config.TELEMETRY_INPUT_BUCKET),
    analysis: stores.bucket(config.TELEMETRY_ANALYSIS_BUCKET),
    published: stores.bucket(config.TELEMETRY_PUBLISHED_BUCKET),
    queues,
    threads,
    metrics,
    findHistogramsFile: revisions === null ? null : (url) => histogramsFile(revisions, url),
    readTemplate: () => readFile(config.TELEMETRY_FILTER_TEMPLATE, 'utf8'),
    website: {
      source: websiteSource(config),
      site: sites.bucket(config.TELEMETRY_WEBSITE_BUCKET),
      prefix: config.TELEMETRY_WEBSITE_PREFIX,
      limits: {
        minFiles: config.TELEMETRY_WEBSITE_MIN_FILES,
        maxDeletedPercent: config.TELEMETRY_WEBSITE_MAX_DELETED_PERCENT,
      },
    },
    settings: {
      taskQueue: config.TELEMETRY_TASK_QUEUE,
      doneQueue: config.TELEMETRY_DONE_QUEUE,
      publishedPrefix: config.TELEMETRY_PUBLISHED_PREFIX,
      owner: config.TELEMETRY_OWNER,
      adoptForeignResults: config.TELEMETRY_FOREIGN_RESULTS === 'adopt',
      round: { results: config.TELEMETRY_ROUND_RESULTS, seconds: ROUND_SECONDS },
      jobBundle: config.TELEMETRY_JOB_BUNDLE,
      pack: { maxFiles: config.TELEMETRY_MAX_TASK_FILES, maxBytes: config.TELEMETRY_MAX_TASK_BYTES },
      maxPlan: { tasks: config.TELEMETRY_MAX_PLAN_TASKS, bytes: config.TELEMETRY_MAX_PLAN_BYTES },
      chunkTasks: config.TELEMETRY_CHUNK_TASKS,
      compaction: { compactAfterDays: config.TELEMETRY_SEAL_AFTER_DAYS, keepDays: config.TELEMETRY_KEEP_SEGMENT_DAYS },
      quarantine: { perHour: config.TELEMETRY_QUARANTINE_PER_HOUR, pauseSeconds: HELD_PAUSE_SECONDS },
      maxResultBytes: config.TELEMETRY_MAX_RESULT_BYTES,
      ...MERGE_LIMITS,
      doneVisibilitySeconds: config.TELEMETRY_DONE_VISIBILITY_SECONDS,
      taskVisibilitySeconds: TASK_QUEUE_VISIBILITY_SECONDS,
      workDirectory: config.TELEMETRY_WORK_DIRECTORY,
      publishParquet: config.TELEMETRY_PUBLISH_PARQUET,
      alertChanges: config.TELEMETRY_ALERT_CHANGES === 'on',
      threads: config.TELEMETRY_THREADS,
    },
  };
  return {
    ports,
    close: async () => {
      revisions?.close();
      await threads.close();
      stores.close();
      sites.close();
      queues.close();
    },
  };
}

/** Every configured alert channel. */
export function alertChannels(config: Config): AlertChannel[] {
  const { TELEMETRY_ALERT_SMTP_URL: smtp, TELEMETRY_ALERT_FROM: from, TELEMETRY_ALERT_TO: to } = config;
  const { TELEMETRY_ALERT_WEBHOOK_URL: webhook, TELEMETRY_ALERT_SNS_TOPIC: topic } = config;
  return [
    ...(smtp !== undefined && from !== undefined && to !== undefined ? [smtpChannel({ url: smtp, from, to })] : []),
    ...(webhook === undefined ? [] : [webhookChannel({ url: webhook, secret: config.TELEMETRY_ALERT_WEBHOOK_SECRET })]),
    ...(topic === undefined ? [] : [snsChannel({ region: config.AWS_REGION }, topic)]),
  ];
}

export function connectAlerts(
  config: Config,
  analysis: ObjectStore,
  log: { of: (workflowId: string, runId: string) => readonly string[] },
  metrics: Metrics,
): { readonly ports: AlertPorts; readonly close: () => void } {
  const channels = alertChannels(config);
  const ports: AlertPorts = {
    analysis,
    metrics,
    channels,
    recentLog: (workflowId, runId) => log.of(workflowId, runId),
    secrets: secretValues(config),
    webUi: config.TELEMETRY_WEB_UI?.replace(/\/+$/, '') ?? null,
    deadManUrl: config.TELEMETRY_DEAD_MAN_URL ?? null,
  };
  return {
    ports,
    close: () => {
      for (const channel of channels) channel.close();
    },
  };
}

/**
 * The text of a revision's Histograms.json; undefined when it is not available now.
 * @throws InvalidDataError `bad_histograms` for a broken file of the operator's, which the run's report names
 */
export async function histogramsFile(revisions: RevisionCache, url: string): Promise<string | undefined> {
  const found = await revisions.find(url);
  if (found.file !== undefined) return found.file.text;
  if (found.detail !== undefined) throw new InvalidDataError('bad_histograms', found.detail);
  return undefined;
}
