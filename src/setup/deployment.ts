/** What a deployment consists of. `telemetry setup` and the embedded stack work through the same items; local differences are parameters. */
import { ScheduleClient } from '@temporalio/client';
import type { ObjectStore } from '../ports.ts';
import { schedules } from '../schedules.ts';
import { bucketItem, bucketItemName, inputBucketItem, writesItem, writesItemName } from './buckets.ts';
import { dataSetItem, dataSetItemName } from './first-commit.ts';
import type { SetupItem } from './item.ts';
import type { BucketAdministration, QueueAdministration } from './ports.ts';
import {
  namespaceItem,
  namespaceItemName,
  searchAttributesItem,
  searchAttributesItemName,
  serverItem,
  type TemporalAccess,
  workerItem,
} from './namespace.ts';
import { scheduleItem } from './schedule-items.ts';
import { corsItem, publicReadItem } from './published-access.ts';
import { pointerGuardItem } from './pointer-guard.ts';
import { type QueueDelays, queueItem, queueItemName, type QueueNames, wantedQueues } from './queues.ts';
import { STATE } from '../state/keys.ts';

export interface StorageParts {
  readonly buckets: BucketAdministration;
  readonly queues: QueueAdministration;
  readonly input: ObjectStore;
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
}

export interface StorageNames extends QueueNames {
  /** Ends with `/`, or is empty. */
  readonly publishedPrefix: string;
  /** Null: this deployment publishes no website. */
  readonly websiteBucket: string | null;
}

export interface StorageVariant {
  readonly delays: QueueDelays;
  /** Whether submissions are stored by this deployment itself, as in the embedded stack. */
  readonly ownsInput: boolean;
  /** Whether to probe the object store; a known one needs no probe at every start. */
  readonly triesWrites: boolean;
}

/** Buckets, queues and the data set: everything but Temporal's part. */
export function storageItems(parts: StorageParts, names: StorageNames, variant: StorageVariant): SetupItem[] {
  const { buckets, queues, input, analysis, published } = parts;
  const { publishedPrefix: prefix } = names;
  const mayWriteState = writesItemName(analysis.bucket, STATE);
  const mayPublish = writesItemName(published.bucket, prefix);
  const dataSet = dataSetItemName({ published, prefix });
  const items = [
    variant.ownsInput ? bucketItem(buckets, input.bucket) : inputBucketItem(buckets, input),
    bucketItem(buckets, analysis.bucket),
    writesItem(analysis, STATE),
    bucketItem(buckets, published.bucket),
    writesItem(published, prefix),
    publicReadItem(buckets, published.bucket, prefix, [mayPublish]),
    corsItem(buckets, published.bucket, [mayPublish]),
    ...websiteItems(buckets, names.websiteBucket),
    ...wantedQueues(names, variant.delays).map((queue) => queueItem(queues, queue)),
    dataSetItem({ analysis, published, prefix }, [mayWriteState, mayPublish]),
    // For a known store the advice would be useless.
    ...(variant.triesWrites ? [pointerGuardItem(buckets, published.bucket, prefix, [dataSet])] : []),
  ];
  return variant.triesWrites ? items : items.filter(({ name }) => name !== mayWriteState && name !== mayPublish);
}

function websiteItems(buckets: BucketAdministration, bucket: string | null): SetupItem[] {
  return bucket === null
    ? []
    : [bucketItem(buckets, bucket), publicReadItem(buckets, bucket, '', [bucketItemName(bucket)])];
}

/** Items without which a scheduled run could only fail. */
export function neededByRuns(parts: StorageParts, { taskQueue, doneQueue, publishedPrefix }: StorageNames): string[] {
  return [
    bucketItemName(parts.input.bucket),
    queueItemName(taskQueue),
    queueItemName(doneQueue),
    dataSetItemName({ published: parts.published, prefix: publishedPrefix }),
  ];
}

/** Namespace, search attributes, schedules, and whether a worker is there. */
export function temporalItems(
  temporal: TemporalAccess,
  workerTaskQueue: string,
  neededBySchedules: readonly string[],
): SetupItem[] {
  const client = async (): Promise<ScheduleClient> =>
    new ScheduleClient({ connection: await temporal.connection(), namespace: temporal.namespace });
  const needs = [namespaceItemName(temporal), searchAttributesItemName(), ...neededBySchedules];
  return [
    serverItem(temporal),
    namespaceItem(temporal),
    searchAttributesItem(temporal),
    ...schedules(workerTaskQueue).map((schedule) => scheduleItem(client, schedule, needs)),
    workerItem(temporal, workerTaskQueue),
  ];
}
