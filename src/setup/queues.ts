/** The SQS queues of a deployment and their attributes (docs/formats/queues.md 2.6), each with dead letters. */
import { z } from 'zod';
import { deadLetterQueue, TASK_QUEUE_VISIBILITY_SECONDS } from '../names.ts';
import { type Look, okUnless, type SetupItem } from './item.ts';
import type { QueueAdministration, QueueAttributes } from './ports.ts';

export interface QueueNames {
  readonly taskQueue: string;
  readonly doneQueue: string;
}

/** Delivery delays in seconds. */
export interface QueueDelays {
  readonly taskSeconds: number;
  readonly doneSeconds: number;
}

/** A queue as it should be. */
export interface WantedQueue {
  readonly name: string;
  readonly attributes: QueueAttributes;
  /** Where messages go that were received too often; null for such a queue itself. */
  readonly deadLetters: { readonly queue: string; readonly maxReceiveCount: number } | null;
}

const DAY_SECONDS = 86_400;
const RETENTION_SECONDS = 4 * DAY_SECONDS;
/**
 * SQS's maximum, and longer than the source's, because the time of the first enqueueing counts (docs/protocol.md 8).
 */
const DEAD_LETTER_RETENTION_SECONDS = 14 * DAY_SECONDS;
/** Our own poison goes to quarantine long before, so dead letters mean broken infrastructure (docs/protocol.md 8). */
const MAX_RECEIVES = 10;
const TASK_WAIT_SECONDS = 20;
/** Foreign aggregators hold their messages until they have published. */
const DONE_VISIBILITY_SECONDS = 6 * 3_600;
const DEFAULT_MAX_MESSAGE_BYTES = 262_144;

/** All queues, dead letters before the queue that needs them. */
export function wantedQueues(names: QueueNames, delays: QueueDelays): WantedQueue[] {
  return [
    ...withDeadLetters(names.taskQueue, delays.taskSeconds, TASK_QUEUE_VISIBILITY_SECONDS, TASK_WAIT_SECONDS),
    ...withDeadLetters(names.doneQueue, delays.doneSeconds, DONE_VISIBILITY_SECONDS, 0),
  ];
}

function withDeadLetters(
  name: string,
  delaySeconds: number,
  visibilitySeconds: number,
  waitSeconds: number,
): WantedQueue[] {
  const deadLetters = deadLetterQueue(name);
  return [
    {
      name: deadLetters,
      attributes: { MessageRetentionPeriod: String(DEAD_LETTER_RETENTION_SECONDS) },
      deadLetters: null,
    },
    {
      name,
      attributes: {
        DelaySeconds: String(delaySeconds),
        VisibilityTimeout: String(visibilitySeconds),
        MessageRetentionPeriod: String(RETENTION_SECONDS),
        ReceiveMessageWaitTimeSeconds: String(waitSeconds),
      },
      deadLetters: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
    },
  ];
}

export function queueItem(admin: QueueAdministration, wanted: WantedQueue): SetupItem {
  const { name, deadLetters } = wanted;
  return {
    name: queueItemName(name),
    needs: deadLetters === null ? [] : [queueItemName(deadLetters.queue)],
    look: () => lookAtQueue(admin, wanted),
    create: async () => {
      await admin.create(name, await attributesFor(admin, wanted));
    },
    fix: async () => {
      await admin.setAttributes(name, await attributesFor(admin, wanted));
    },
  };
}

export function queueItemName(queue: string): string {
  return `SQS queue ${queue}`;
}

/** Compares a queue with what it should be. */
export async function lookAtQueue(admin: QueueAdministration, wanted: WantedQueue): Promise<Look> {
  const actual = await admin.attributes(wanted.name);
  if (actual === null) return { state: 'missing', facts: ['does not exist'] };
  return okUnless(queueDifferences(actual, wanted), ...queueFacts(actual, wanted));
}

/**
 * One sentence for each attribute that is not as it should be. An attribute that the service does not report is left
 * out.
 */
export function queueDifferences(actual: QueueAttributes, wanted: WantedQueue): string[] {
  const differences: string[] = [];
  for (const [attribute, value] of Object.entries(wanted.attributes)) {
    const found = actual[attribute];
    if (found !== undefined && Number(found) !== Number(value))
      differences.push(`${attribute} is ${found}, should be ${value}`);
  }
  if (wanted.deadLetters === null) return differences;
  const { queue, maxReceiveCount } = wanted.deadLetters;
  const redrive = redrivePolicy(actual['RedrivePolicy']);
  if (redrive === null) return [...differences, `has no dead-letter queue, should have ${queue}`];
  const target = redrive.arn.slice(redrive.arn.lastIndexOf(':') + 1);
  if (target !== queue) differences.push(`dead letters go to ${target}, should go to ${queue}`);
  if (redrive.maxReceiveCount !== maxReceiveCount)
    differences.push(`maxReceiveCount is ${redrive.maxReceiveCount}, should be ${maxReceiveCount}`);
  return differences;
}

/** SQS writes the number as a number, ElasticMQ as a text. */
const REDRIVE_POLICY = z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() });

function redrivePolicy(text: string | undefined): { arn: string; maxReceiveCount: number } | null {
  if (text === undefined || text === '') return null;
  const policy = REDRIVE_POLICY.safeParse(JSON.parse(text));
  return policy.success ? { arn: policy.data.deadLetterTargetArn, maxReceiveCount: policy.data.maxReceiveCount } : null;
}

function queueFacts(actual: QueueAttributes, { attributes, deadLetters }: WantedQueue): string[] {
  const hidden = Object.keys(attributes).filter((name) => actual[name] === undefined);
  const seconds = (name: string): string => duration(Number(actual[name] ?? 0));
  const bytes = Number(actual['MaximumMessageSize'] ?? DEFAULT_MAX_MESSAGE_BYTES);
  const facts = [
    ...(deadLetters === null
      ? []
      : [
          `delay ${seconds('DelaySeconds')}`,
          `visibility ${seconds('VisibilityTimeout')}`,
          `dead letters after ${deadLetters.maxReceiveCount} receives`,
        ]),
    ...(hidden.includes('MessageRetentionPeriod') ? [] : [`retention ${seconds('MessageRetentionPeriod')}`]),
    `messages of up to ${bytes / 1024} KiB`,
  ];
  return [facts.join(', '), ...hidden.map((name) => `the service does not tell ${name}`)];
}

/** Whole days, hours or minutes where that is exact. */
export function duration(seconds: number): string {
  const units = [
    [DAY_SECONDS, 'days'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const;
  for (const [size, unit] of units) if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  return `${seconds} s`;
}

async function attributesFor(admin: QueueAdministration, wanted: WantedQueue): Promise<QueueAttributes> {
  if (wanted.deadLetters === null) return wanted.attributes;
  const { queue, maxReceiveCount } = wanted.deadLetters;
  const arn = (await admin.attributes(queue))?.['QueueArn'];
  if (arn === undefined) throw new Error(`SQS does not tell the ARN of ${queue}`);
  return { ...wanted.attributes, RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount }) };
}
