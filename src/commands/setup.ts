/** `setup`: makes a deployment complete, or reports what is in the way (docs/operating.md 2). */
import { s3Connection, sqsConnection } from '../aws/connection.ts';
import { createBucketAdministration, createQueueAdministration } from '../aws/provision.ts';
import { createObjectStores } from '../aws/s3.ts';
import { alertChannels } from '../composition.ts';
import { type Config, secretValues } from '../config.ts';
import { SUBMISSION_LIMITS } from '../limits.ts';
import type { AlertChannel } from '../ports.ts';
import { alertItems } from '../setup/alert-items.ts';
import { decoderItem } from '../setup/decoder.ts';
import { definitionSourceItem } from '../setup/definition-source.ts';
import { neededByRuns, storageItems, type StorageNames, temporalItems } from '../setup/deployment.ts';
import { filterTemplateItem, filterTemplateItemName } from '../setup/filter-template.ts';
import { exitCodeOfFindings } from '../findings.ts';
import { findingOf, type SetupItem } from '../setup/item.ts';
import { runItems } from '../setup/run-items.ts';
import { setupReport } from './setup-report.ts';
import { temporalServer } from './temporal-client.ts';

export interface SetupOptions {
  readonly fix?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly sendTestAlert?: boolean | undefined;
}

/** Sets exit code 1 when an item needs attention. */
export async function setup(config: Config, options: SetupOptions): Promise<void> {
  const channels = alertChannels(config);
  const report = setupReport(options.json === true);
  const { items, close } = await deployment(config, options, channels);
  try {
    const outcomes = await runItems(items, {
      fix: options.fix === true,
      onBegin: report.begin,
      onEnd: report.end,
    });
    report.verdict(outcomes);
    process.exitCode = exitCodeOfFindings(outcomes.flatMap((outcome) => findingOf(outcome) ?? []));
  } finally {
    await close();
    for (const channel of channels) channel.close();
  }
}

interface DeploymentItems {
  readonly items: readonly SetupItem[];
  readonly close: () => Promise<void>;
}

async function deployment(
  config: Config,
  options: SetupOptions,
  channels: readonly AlertChannel[],
): Promise<DeploymentItems> {
  const stores = createObjectStores(s3Connection(config));
  const buckets = createBucketAdministration(s3Connection(config));
  const queues = createQueueAdministration(sqsConnection(config));
  const temporal = await temporalServer();
  const parts = {
    buckets,
    queues,
    input: stores.bucket(config.TELEMETRY_INPUT_BUCKET),
    analysis: stores.bucket(config.TELEMETRY_ANALYSIS_BUCKET),
    published: stores.bucket(config.TELEMETRY_PUBLISHED_BUCKET),
  };
  const names: StorageNames = {
    publishedPrefix: config.TELEMETRY_PUBLISHED_PREFIX,
    taskQueue: config.TELEMETRY_TASK_QUEUE,
    doneQueue: config.TELEMETRY_DONE_QUEUE,
    websiteBucket:
      (config.TELEMETRY_WEBSITE_REPOSITORY ?? config.TELEMETRY_WEBSITE_FOLDER) === undefined &&
      !config.TELEMETRY_WEBSITE_BUILT_IN
        ? null
        : config.TELEMETRY_WEBSITE_BUCKET,
  };
  const delays = {
    taskSeconds: config.TELEMETRY_TASK_DELAY_SECONDS,
    doneSeconds: config.TELEMETRY_DONE_DELAY_SECONDS,
  };
  const template = config.TELEMETRY_FILTER_TEMPLATE;
  const items = [
    filterTemplateItem(template),
    decoderItem(config.TELEMETRY_WORK_DIRECTORY, SUBMISSION_LIMITS),
    ...storageItems(parts, names, { delays, ownsInput: false, triesWrites: true }),
    ...temporalItems(temporal, config.TELEMETRY_WORKER_TASK_QUEUE, [
      filterTemplateItemName(template),
      ...neededByRuns(parts, names),
    ]),
    definitionSourceItem({
      folder: config.TELEMETRY_DEFINITIONS,
      server: config.TELEMETRY_HISTOGRAM_SERVER,
      upstream: config.TELEMETRY_HISTOGRAM_UPSTREAM,
    }),
    ...alertItems({ channels, sendTest: options.sendTestAlert === true, secrets: secretValues(config) }),
  ];
  return {
    items,
    close: async () => {
      stores.close();
      buckets.close();
      queues.close();
      await temporal.close();
    },
  };
}
