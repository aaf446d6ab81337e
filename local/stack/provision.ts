/**
 * Makes the buckets, SQS queues and empty data set of the embedded stack, from the same description as `telemetry
 * setup`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createBucketAdministration, createQueueAdministration } from '../../src/aws/provision.ts';
import { createObjectStores } from '../../src/aws/s3.ts';
import { publishedNames } from '../../src/state/keys.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { storageItems, type StorageNames } from '../../src/setup/deployment.ts';
import type { QueueDelays } from '../../src/setup/queues.ts';
import { assertGood, runItems } from '../../src/setup/run-items.ts';

export interface LocalEndpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface LocalNames extends StorageNames {
  readonly inputBucket: string;
  readonly analysisBucket: string;
  readonly publishedBucket: string;
  readonly websiteBucket: string;
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

/** Production waits (docs/formats/queues.md 2.6); on one machine nothing has to spread first. */
export const LOCAL_DELAYS: QueueDelays = { taskSeconds: 0, doneSeconds: 0 };

const READABLE_DEADLINE_MS = 30_000;
const READ_INTERVAL_MS = 100;

/**
 * Creates what is missing, fixes rules and attributes, and leaves data alone; may be repeated at every start.
 * @throws Error naming every part that could not be made
 */
export async function provisionStack(endpoints: LocalEndpoints): Promise<void> {
  const { region, accessKeyId, secretAccessKey } = endpoints;
  const account = { region, credentials: { accessKeyId, secretAccessKey } };
  const stores = createObjectStores({ ...account, endpoint: endpoints.s3 });
  const buckets = createBucketAdministration({ ...account, endpoint: endpoints.s3 });
  const queues = createQueueAdministration({ ...account, endpoint: endpoints.sqs });
  const parts = {
    buckets,
    queues,
    input: stores.bucket(LOCAL_NAMES.inputBucket),
    analysis: stores.bucket(LOCAL_NAMES.analysisBucket),
    published: stores.bucket(LOCAL_NAMES.publishedBucket),
  };
  try {
    await waitUntilReadable(parts.published, LOCAL_NAMES.publishedPrefix + publishedNames.versions);
    const variant = { delays: LOCAL_DELAYS, ownsInput: true, triesWrites: false };
    assertGood(await runItems(storageItems(parts, LOCAL_NAMES, variant), { fix: true }));
  } finally {
    stores.close();
    buckets.close();
    queues.close();
  }
}

/**
 * Waits until an object can be read, if there is one. An object store that has just started may know its keys before it
 * finds their bytes, and answers such reads with a server error.
 */
async function waitUntilReadable(store: ObjectStore, key: string): Promise<void> {
  const deadline = Date.now() + READABLE_DEADLINE_MS;
  for (;;) {
    try {
      if ((await store.head(key)) !== undefined) await store.get(key);
      return;
    } catch (error) {
      if ((error as Error).name === 'NoSuchBucket') return;
      if (Date.now() > deadline) throw error;
      await delay(READ_INTERVAL_MS);
    }
  }
}
