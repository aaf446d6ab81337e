/** Reading and creating buckets, their rules, and queues, on AWS or on a compatible service. */
import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  GetBucketPolicyCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { BucketAdministration, CorsRule, QueueAdministration, QueueAttributes } from '../setup/ports.ts';
import type { AwsConnection } from './connection.ts';
import { createS3Client } from './s3.ts';
import { createSqsClient } from './sqs.ts';

/** Each call throws S3's own message when the account may not do it. */
export function createBucketAdministration(connection: AwsConnection): BucketAdministration & { close(): void } {
  const client = createS3Client(connection);
  return {
    knowsWriteConditions: isAws(connection),
    exists: (bucket) => bucketExists(client, bucket),
    create: (bucket) => createBucket(client, bucket),
    policy: async (bucket) =>
      (await unlessMissing(client.send(new GetBucketPolicyCommand({ Bucket: bucket }))))?.Policy ?? null,
    setPolicy: async (bucket, policy) => {
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
    },
    cors: async (bucket) => {
      const answer = await unlessMissing(client.send(new GetBucketCorsCommand({ Bucket: bucket })));
      return (answer?.CORSRules ?? []) as CorsRule[];
    },
    setCors: async (bucket, rules) => {
      const CORSRules = rules.map((rule) => ({
        ...rule,
        AllowedOrigins: [...rule.AllowedOrigins],
        AllowedMethods: [...rule.AllowedMethods],
        AllowedHeaders: rule.AllowedHeaders && [...rule.AllowedHeaders],
        ExposeHeaders: rule.ExposeHeaders && [...rule.ExposeHeaders],
      }));
      await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules } }));
    },
    close: () => {
      client.destroy();
    },
  };
}

/**
 * SeaweedFS 4.48 takes a policy with these conditions, never finds them fulfilled, and refuses commits as well;
 * versitygw 1.8 refuses the policy.
 */
function isAws({ endpoint }: AwsConnection): boolean {
  return endpoint === undefined || /\.amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
}

/** S3 answers a HEAD without a message, so it is written here. */
async function bucketExists(client: S3Client, bucket: string): Promise<boolean> {
  try {
    return (await unlessMissing(client.send(new HeadBucketCommand({ Bucket: bucket })))) !== null;
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 301) throw new Error(`${bucket} is in another region: correct AWS_REGION`, { cause: error });
    if (status !== 403) throw error;
    const reasons = "wrong credentials, no permission, or somebody else's bucket";
    throw new Error(`access to ${bucket} is denied (403): ${reasons}`, { cause: error });
  }
}

async function createBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    // Another process made it in between.
    if (!(error instanceof S3ServiceException) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
  }
}

/** Null where the bucket, its policy or its CORS rules are not there. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return null;
    throw error;
  }
}

export function createQueueAdministration(connection: AwsConnection): QueueAdministration & { close(): void } {
  const client = createSqsClient(connection);
  return {
    attributes: async (queue) => {
      const url = await queueUrl(client, queue);
      if (url === null) return null;
      const { Attributes: attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
      );
      return { ...attributes };
    },
    create: async (queue, attributes) => {
      await client.send(new CreateQueueCommand({ QueueName: queue, Attributes: { ...attributes } }));
    },
    setAttributes: async (queue: string, attributes: QueueAttributes) => {
      const url = await queueUrl(client, queue);
      if (url === null) throw new Error(`The SQS queue ${queue} is gone`);
      await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { ...attributes } }));
    },
    close: () => {
      client.destroy();
    },
  };
}

async function queueUrl(client: SQSClient, name: string): Promise<string | null> {
  try {
    const { QueueUrl: url } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
    return url ?? null;
  } catch (error) {
    const missing = ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'];
    if (error instanceof Error && missing.includes(error.name)) return null;
    throw error;
  }
}
