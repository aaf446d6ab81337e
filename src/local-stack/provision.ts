/** What the embedded stack holds before the first run: four buckets, two SQS queues with their dead letters, an empty data set. */
import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  allowBrowsers,
  allowPublicRead,
  connectForProvisioning,
  ensureBucket,
  ensureQueue,
  objectExists,
  type ProvisionClients,
  type ProvisionEndpoints,
  putIfAbsent,
  waitUntilReadable,
} from '../aws/provision.ts';
import { emptyLedger, serialiseLedger } from '../pipeline/dataset/ledger.ts';
import { firstVersions, serialiseVersions } from '../pipeline/dataset/versions.ts';
import { publishedNames, stateKeys } from '../pipeline/state-keys.ts';

export interface LocalNames {
  readonly inputBucket: string;
  readonly analysisBucket: string;
  readonly publishedBucket: string;
  /** Ends with `/`. */
  readonly publishedPrefix: string;
  readonly websiteBucket: string;
  readonly taskQueue: string;
  readonly doneQueue: string;
}

export const LOCAL_NAMES: LocalNames = {
  inputBucket: 'telemetry-published-v2',
  analysisBucket: 'telemetry-analysis',
  publishedBucket: 'telemetry-dashboard',
  publishedPrefix: 'v7/',
  websiteBucket: 'telemetry.mozilla.org',
  taskQueue: 'telemetry-analysis-tasks',
  doneQueue: 'telemetry-analysis-done',
};

/** Delivery delays in seconds. Production waits (queues.md 2.6); on one machine nothing has to spread first. */
export interface QueueDelays {
  readonly taskSeconds: number;
  readonly doneSeconds: number;
}
const LOCAL_DELAYS: QueueDelays = { taskSeconds: 0, doneSeconds: 0 };

const DAY_SECONDS = 86_400;
const MAX_RECEIVES = 10;
const READABLE_DEADLINE_MS = 30_000;

/** Creates what is missing and leaves data alone; may be repeated at every start. */
export async function provisionStack(
  endpoints: ProvisionEndpoints,
  names: LocalNames = LOCAL_NAMES,
  delays: QueueDelays = LOCAL_DELAYS,
): Promise<void> {
  const { s3, sqs, close } = connectForProvisioning(endpoints);
  try {
    for (const bucket of [names.inputBucket, names.analysisBucket, names.publishedBucket, names.websiteBucket])
      await ensureBucket(s3, bucket);
    await allowPublicRead(s3, names.websiteBucket, '');
    await allowPublicRead(s3, names.publishedBucket, names.publishedPrefix);
    await allowBrowsers(s3, names.publishedBucket);
    await ensureQueue(sqs, queueSettings(names.taskQueue, delays.taskSeconds, 30 * 60, 20));
    await ensureQueue(sqs, queueSettings(names.doneQueue, delays.doneSeconds, 6 * 3_600, 0));
    const pointer = names.publishedPrefix + publishedNames.versions;
    if (!(await objectExists(s3, names.publishedBucket, pointer))) await createDataSet(s3, names);
    await waitUntilReadable(s3, names.publishedBucket, pointer, READABLE_DEADLINE_MS);
  } finally {
    close();
  }
}

/** Attributes by queues.md 2.6, plus dead letters that are kept for 14 days. */
function queueSettings(name: string, delaySeconds: number, visibilitySeconds: number, waitSeconds: number) {
  return {
    name,
    attributes: {
      DelaySeconds: String(delaySeconds),
      VisibilityTimeout: String(visibilitySeconds),
      MessageRetentionPeriod: String(4 * DAY_SECONDS),
      ReceiveMessageWaitTimeSeconds: String(waitSeconds),
    },
    deadLetterAttributes: { MessageRetentionPeriod: String(14 * DAY_SECONDS) },
    maxReceiveCount: MAX_RECEIVES,
  };
}

/** An empty data set: a ledger without days, and the pointer to it. Neither is written where one is. */
async function createDataSet(s3: ProvisionClients['s3'], names: LocalNames): Promise<void> {
  const ledger = emptyLedger(randomUUID());
  const text = serialiseLedger(ledger);
  const ledgerKey = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
  await putIfAbsent(s3, {
    bucket: names.analysisBucket,
    key: ledgerKey,
    body: gzipSync(text),
    contentType: 'application/gzip',
  });
  await putIfAbsent(s3, {
    bucket: names.publishedBucket,
    key: names.publishedPrefix + publishedNames.versions,
    body: gzipSync(serialiseVersions(firstVersions(ledger, ledgerKey, new Date()))),
    contentType: 'application/json',
    contentEncoding: 'gzip',
    cacheControl: 'no-cache',
  });
}
