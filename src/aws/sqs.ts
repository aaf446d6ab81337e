/** The queues port on SQS. Batch answers hide failures, so each is checked. */
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  paginateListQueues,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  type MessageQueues,
  type QueueDepth,
  QueueMissingError,
  type QueueSettings,
  type ReceivedMessage,
  ReceiptExpiredError,
} from '../ports.ts';
import { demanded, demandedNumber } from './answers.ts';
import { type AwsConnection, AROUND_TRIES, clientOptions, namingService } from './connection.ts';

const SERVICE = { name: 'the SQS service', setting: 'AWS_ENDPOINT_URL_SQS' };
/** Longer than the longest long poll, 20 s. */
const REQUEST_SECONDS = 30;
const BATCH = 10;
const DEFAULT_MAX_MESSAGE_BYTES = 262_144;
/** Receivers wait at the same time: one for each task at hand, and one for each investigation. */
const POLL_SOCKETS = 256;
/** What SQS and its like call a receipt of a message that is visible again, gone, or with another receiver. */
const EXPIRED: ReadonlySet<string> = new Set([
  'MessageNotInflight',
  'AWS.SimpleQueueService.MessageNotInflight',
  'ReceiptHandleIsInvalid',
  'InvalidParameterValue',
]);

export function createSqsClient(connection: AwsConnection, maxSockets = 32): SQSClient {
  const client = new SQSClient({ ...clientOptions(connection, REQUEST_SECONDS, maxSockets), maxAttempts: 5 });
  client.middlewareStack.add(namingService(SERVICE, connection), AROUND_TRIES);
  return client;
}

export function createMessageQueues(connection: AwsConnection): MessageQueues & { close(): void } {
  return new SqsQueues(createSqsClient(connection, POLL_SOCKETS), createSqsClient(connection));
}

class SqsQueues implements MessageQueues {
  /** Long polls occupy sockets for 20 s; sends and deletes must not wait behind them. */
  readonly #polls: SQSClient;
  readonly #client: SQSClient;
  readonly #urls = new Map<string, string>();

  constructor(polls: SQSClient, client: SQSClient) {
    this.#polls = polls;
    this.#client = client;
  }

  close(): void {
    this.#polls.destroy();
    this.#client.destroy();
  }

  async send(queue: string, bodies: readonly string[], signal?: AbortSignal): Promise<readonly number[]> {
    const QueueUrl = await this.url(queue, signal);
    const Entries = bodies.slice(0, BATCH).map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const answer = await this.#call(queue, () =>
      this.#client.send(new SendMessageBatchCommand({ QueueUrl, Entries }), options(signal)),
    );
    return notSuccessful(Entries.length, answer);
  }

  async receive(
    queue: string,
    {
      waitSeconds,
      visibilitySeconds,
      maxMessages = BATCH,
      signal,
    }: { waitSeconds: number; visibilitySeconds: number; maxMessages?: number; signal?: AbortSignal },
  ): Promise<readonly ReceivedMessage[]> {
    const QueueUrl = await this.url(queue, signal);
    const answer = await this.#call(queue, () =>
      this.#polls.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: maxMessages,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibilitySeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        }),
        options(signal),
      ),
    );
    return (answer.Messages ?? []).map(({ Body, ReceiptHandle, Attributes }) => ({
      body: Body ?? '',
      receiptHandle: demanded(ReceiptHandle, 'ReceiptHandle of a message', `The SQS queue ${queue}`),
      receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
      sentAt: new Date(Number(Attributes?.SentTimestamp ?? Date.now())),
    }));
  }

  async deleteMessages(queue: string, receiptHandles: readonly string[], signal?: AbortSignal): Promise<number> {
    if (receiptHandles.length === 0) return 0;
    const QueueUrl = await this.url(queue, signal);
    const Entries = receiptHandles
      .slice(0, BATCH)
      .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    const answer = await this.#call(queue, () =>
      this.#client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), options(signal)),
    );
    return notSuccessful(Entries.length, answer).length;
  }

  async changeVisibility(queue: string, receiptHandle: string, seconds: number, signal?: AbortSignal): Promise<void> {
    const QueueUrl = await this.url(queue, signal);
    const input = { QueueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
    try {
      await this.#call(queue, () => this.#client.send(new ChangeMessageVisibilityCommand(input), options(signal)));
    } catch (error) {
      if (!(error instanceof Error) || !EXPIRED.has(error.name)) throw error;
      throw new ReceiptExpiredError(`A message of the SQS queue ${queue} is no longer held: ${error.message}`, {
        cause: error,
      });
    }
  }

  async depth(queue: string, signal?: AbortSignal): Promise<QueueDepth> {
    const QueueUrl = await this.url(queue, signal);
    const { Attributes } = await this.#call(queue, () =>
      this.#client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        }),
        options(signal),
      ),
    );
    const count = (attribute: keyof NonNullable<typeof Attributes>): number =>
      demandedNumber(Attributes?.[attribute], attribute, `The SQS queue ${queue}`);
    return {
      visible: count('ApproximateNumberOfMessages'),
      inFlight: count('ApproximateNumberOfMessagesNotVisible'),
      delayed: count('ApproximateNumberOfMessagesDelayed'),
    };
  }

  async maxMessageBytes(queue: string, signal?: AbortSignal): Promise<number> {
    const QueueUrl = await this.url(queue, signal);
    const answer = await this.#call(queue, () =>
      this.#client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['MaximumMessageSize'] }),
        options(signal),
      ),
    );
    const size = answer.Attributes?.MaximumMessageSize ?? String(DEFAULT_MAX_MESSAGE_BYTES);
    return demandedNumber(size, 'MaximumMessageSize', `The SQS queue ${queue}`);
  }

  async create(queue: string, settings: QueueSettings, signal?: AbortSignal): Promise<void> {
    const Attributes = {
      VisibilityTimeout: String(settings.visibilitySeconds),
      DelaySeconds: String(settings.delaySeconds),
      MessageRetentionPeriod: String(settings.retentionSeconds),
      ReceiveMessageWaitTimeSeconds: '20',
    };
    const { QueueUrl } = await this.#client.send(
      new CreateQueueCommand({ QueueName: queue, Attributes }),
      options(signal),
    );
    if (QueueUrl !== undefined) this.#urls.set(queue, QueueUrl);
  }

  async remove(queue: string, signal?: AbortSignal): Promise<void> {
    try {
      const QueueUrl = await this.url(queue, signal);
      await this.#call(queue, () => this.#client.send(new DeleteQueueCommand({ QueueUrl }), options(signal)));
    } catch (error) {
      if (!(error instanceof QueueMissingError)) throw error;
    }
    this.#urls.delete(queue);
  }

  async names(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const page of paginateListQueues({ client: this.#client, pageSize: 100 }, { QueueNamePrefix: prefix })) {
      signal?.throwIfAborted();
      for (const url of page.QueueUrls ?? []) names.push(url.slice(url.lastIndexOf('/') + 1));
    }
    return names;
  }

  async url(queue: string, signal?: AbortSignal): Promise<string> {
    const known = this.#urls.get(queue);
    if (known !== undefined) return known;
    const { QueueUrl } = await this.#call(queue, () =>
      this.#client.send(new GetQueueUrlCommand({ QueueName: queue }), options(signal)),
    );
    if (QueueUrl === undefined) throw new QueueMissingError(`SQS gave no address for the queue ${queue}`);
    this.#urls.set(queue, QueueUrl);
    return QueueUrl;
  }

  async #call<T>(queue: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name !== 'QueueDoesNotExist' && error.name !== 'AWS.SimpleQueueService.NonExistentQueue') throw error;
      this.#urls.delete(queue);
      throw new QueueMissingError(
        `The SQS queue ${queue} does not exist; create it, or correct the setting that names it`,
        { cause: error },
      );
    }
  }
}

/**
 * Places in a batch that SQS does not say to have done. What it does not mention at all counts as not done: doing it
 * again is harmless, leaving it out is not.
 */
function notSuccessful(
  entries: number,
  { Successful = [] }: { readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined },
): number[] {
  const done = new Set(Successful.map(({ Id }) => Id));
  return Array.from({ length: entries }, (_, index) => index).filter((index) => !done.has(String(index)));
}

function options(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
