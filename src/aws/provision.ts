/** Making what the application needs in an AWS account, or in something that speaks AWS: buckets, rules, queues. Every step may be repeated. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProvisionEndpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ProvisionClients {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly close: () => void;
}

/** Clients for endpoints that are not AWS, independent of the environment's profiles and credentials. */
export function connectForProvisioning(endpoints: ProvisionEndpoints): ProvisionClients {
  const { region, accessKeyId, secretAccessKey } = endpoints;
  const shared = { region, credentials: { accessKeyId, secretAccessKey } };
  const s3 = new S3Client({
    ...shared,
    endpoint: endpoints.s3,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const sqs = new SQSClient({ ...shared, endpoint: endpoints.sqs });
  return {
    s3,
    sqs,
    close: () => {
      s3.destroy();
      sqs.destroy();
    },
  };
}

/** Creates the bucket unless this account has it. */
export async function ensureBucket(s3: S3Client, bucket: string): Promise<void> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    return;
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 404) throw error;
  }
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    // Another process made it in between.
    if (!(error instanceof S3ServiceException) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
  }
}

/** Lets everybody read (not list) the objects under the prefix. Replaces the bucket's policy. */
export async function allowPublicRead(s3: S3Client, bucket: string, prefix: string): Promise<void> {
  const statement = {
    Sid: 'PublicRead',
    Effect: 'Allow',
    Principal: '*',
    Action: ['s3:GetObject'],
    Resource: [`arn:aws:s3:::${bucket}/${prefix}*`],
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
}

/** Lets pages of any origin read the bucket with GET and HEAD (published.md A19). Replaces the bucket's CORS rules. */
export async function allowBrowsers(s3: S3Client, bucket: string): Promise<void> {
  const rule = {
    AllowedOrigins: ['*'],
    AllowedMethods: ['GET', 'HEAD'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag'],
  };
  await s3.send(
    new PutBucketCorsCommand({
      Bucket: bucket,
      CORSConfiguration: { CORSRules: [{ ...rule, MaxAgeSeconds: 3_600 }] },
    }),
  );
}

export interface QueueWithDeadLetters {
  readonly name: string;
  /** SQS attributes other than the redrive policy, all as text, as SQS wants them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly deadLetterAttributes: Readonly<Record<string, string>>;
  /** Receives after which a message goes to `<name>-dlq`. */
  readonly maxReceiveCount: number;
}

/** Creates the SQS queue and its `<name>-dlq` unless they exist, sets their attributes, and resolves with the URL. */
export async function ensureQueue(sqs: SQSClient, queue: QueueWithDeadLetters): Promise<string> {
  const deadLetters = await ensurePlainQueue(sqs, `${queue.name}-dlq`, queue.deadLetterAttributes);
  const { Attributes: known } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  const redrive = { deadLetterTargetArn: known?.['QueueArn'], maxReceiveCount: queue.maxReceiveCount };
  return ensurePlainQueue(sqs, queue.name, { ...queue.attributes, RedrivePolicy: JSON.stringify(redrive) });
}

async function ensurePlainQueue(
  sqs: SQSClient,
  name: string,
  attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const existing = await queueUrl(sqs, name);
  if (existing !== null) {
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: existing, Attributes: { ...attributes } }));
    return existing;
  }
  const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
  if (url === undefined) throw new Error(`SQS created ${name} without telling its URL`);
  return url;
}

async function queueUrl(sqs: SQSClient, name: string): Promise<string | null> {
  try {
    const { QueueUrl: url } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return url ?? null;
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return null;
    throw error;
  }
}

export async function objectExists(s3: S3Client, bucket: string, key: string): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
}

export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly contentEncoding?: string;
  readonly cacheControl?: string;
}

/** Writes the object unless the key is taken; never overwrites. Resolves with whether it was written. */
export async function putIfAbsent(s3: S3Client, object: NewObject): Promise<boolean> {
  try {
    await s3.send(
      new PutObjectCommand({
        Bucket: object.bucket,
        Key: object.key,
        Body: object.body,
        ContentType: object.contentType,
        ContentEncoding: object.contentEncoding,
        CacheControl: object.cacheControl,
        IfNoneMatch: '*',
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) return false;
    throw error;
  }
}

const READ_INTERVAL_MS = 100;

/**
 * Waits until an object can be read. An object store that has just started may know its keys before it finds their bytes,
 * and answers such reads with a server error.
 * @throws the last server error after the deadline; any other error at once
 */
export async function waitUntilReadable(s3: S3Client, bucket: string, key: string, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      await body?.transformToByteArray();
      return;
    } catch (error) {
      const isServerError = error instanceof S3ServiceException && (error.$metadata.httpStatusCode ?? 0) >= 500;
      if (!isServerError || Date.now() > deadline) throw error;
      await delay(READ_INTERVAL_MS);
    }
  }
}
