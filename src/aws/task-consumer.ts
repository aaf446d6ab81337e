/**
 * Receives analysis tasks: one at a time per consumer, visibility extended during the work, deleted only after it is
 * done.
 */
import type { Message } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import type { AwsConnection } from './connection.ts';
import { createSqsClient } from './sqs.ts';

export interface ConsumedMessage {
  readonly body: string;
  readonly receiveCount: number;
}

export interface TaskConsumerOptions {
  readonly connection: AwsConnection;
  readonly queueUrl: string;
  readonly visibilitySeconds: number;
  /** Resolves when the message is handled and may be deleted; a rejection leaves it for another try. */
  readonly handle: (message: ConsumedMessage) => Promise<void>;
  readonly onError: (error: Error) => void;
}

export interface TaskConsumer {
  /** Stops receiving at once and waits for the message at hand. */
  stop(): Promise<void>;
}

/** A failed task comes back after this, times its receive count; sooner than the visibility of a worker that died. */
const RETRY_SECONDS = 30;

export function consumeTasks(options: TaskConsumerOptions): TaskConsumer {
  const { connection, queueUrl, visibilitySeconds, handle, onError } = options;
  const sqs = createSqsClient(connection, 4);
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    batchSize: 1,
    waitTimeSeconds: 19,
    visibilityTimeout: visibilitySeconds,
    heartbeatInterval: Math.max(1, Math.floor(visibilitySeconds / 3)),
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    terminateVisibilityTimeout: ([message]) => Math.min(visibilitySeconds, RETRY_SECONDS * receiveCount(message)),
    pollingCompleteWaitTimeMs: 60_000,
    handleMessage: async (message) => {
      await handle({ body: message.Body ?? '', receiveCount: receiveCount(message) });
      return message;
    },
  });
  let stopping = false;
  consumer.on('error', (error) => {
    // Long polls that the stop aborts are no errors.
    if (!stopping) onError(error);
  });
  consumer.on('processing_error', onError);
  const stopped = new Promise<void>((resolve) => {
    consumer.once('stopped', () => {
      resolve();
    });
  });
  consumer.start();
  return {
    stop: async () => {
      stopping = true;
      consumer.stop({ abort: true });
      await stopped;
      sqs.destroy();
    },
  };
}

function receiveCount(message: Message | undefined): number {
  return Number(message?.Attributes?.ApproximateReceiveCount ?? 1);
}
