/** The requests, in IAM's words, that a call of an object store or queue of ours turns into (src/aws). */
import type { Call } from './call-trace.ts';
import type { PolicyRequest } from './iam-policy.ts';

const OBJECT_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  get: ['s3:GetObject'],
  getToFile: ['s3:GetObject'],
  head: ['s3:GetObject'],
  put: ['s3:PutObject'],
  createOnce: ['s3:PutObject'],
  // S3 wants both for If-Match.
  replace: ['s3:PutObject', 's3:GetObject'],
  delete: ['s3:DeleteObject'],
};

const QUEUE_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  send: ['sqs:GetQueueUrl', 'sqs:SendMessage'],
  receive: ['sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
  deleteMessages: ['sqs:GetQueueUrl', 'sqs:DeleteMessage'],
  changeVisibility: ['sqs:GetQueueUrl', 'sqs:ChangeMessageVisibility'],
  depth: ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
  maxMessageBytes: ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
  create: ['sqs:CreateQueue'],
  remove: ['sqs:GetQueueUrl', 'sqs:DeleteQueue'],
  url: ['sqs:GetQueueUrl'],
};

const CONDITIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  createOnce: { 's3:if-none-match': '*' },
  replace: { 's3:if-match': '"etag"' },
};

const TLS = { 'aws:SecureTransport': 'true' };

export function requestsOf({ service, method, key, missing }: Call): PolicyRequest[] {
  if (service === 'sns') return [{ action: 'sns:Publish', resource: key, context: TLS }];
  if (service === 'sqs') return queueRequests(method, key);
  const bucket = `arn:aws:s3:::${service}`;
  if (method === 'list') return [{ action: 's3:ListBucket', resource: bucket, context: { ...TLS, 's3:prefix': key } }];
  const actions = OBJECT_ACTIONS[method] ?? [];
  if (actions.length === 0) throw new Error(`What is ${method}?`);
  const context = { ...TLS, ...CONDITIONS[method] };
  return [
    ...actions.map((action) => ({ action, resource: `${bucket}/${key}`, context })),
    // Who may not list a bucket is answered 403 instead of 404, and no condition on the prefix helps: there is none.
    ...(missing === true ? [{ action: 's3:ListBucket', resource: bucket, context: TLS }] : []),
  ];
}

function queueRequests(method: string, queue: string): PolicyRequest[] {
  if (method === 'names') return [{ action: 'sqs:ListQueues', resource: '*', context: TLS }];
  const actions = QUEUE_ACTIONS[method];
  if (actions === undefined) throw new Error(`What is ${method}?`);
  const resource = `arn:aws:sqs:us-west-2:123456789012:${queue}`;
  return actions.map((action) => ({ action, resource, context: TLS }));
}
