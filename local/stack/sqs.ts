/** The embedded SQS: fauxqs inside this process, on loopback. Messages live in memory and end with the process. */
import { buildApp } from 'fauxqs';
import { LOOPBACK } from './free-ports.ts';

export interface EmbeddedSqs {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Listens on the port. Its own starter would listen on every interface, so only its application is taken from it.
 * Queue URLs are rewritten to the loopback address: the library makes `sqs.<region>.localhost`, a name that not every
 * resolver knows, and the AWS SDK follows a queue URL when its endpoint comes from `AWS_ENDPOINT_URL_SQS`.
 */
export async function startEmbeddedSqs(port: number, region: string): Promise<EmbeddedSqs> {
  const endpoint = `http://${LOOPBACK}:${port}`;
  const app = buildApp({ logger: false, defaultRegion: region });
  app.addHook('preSerialization', (_request, _reply, payload, done) => {
    done(null, withLoopbackUrls(payload, endpoint));
  });
  // A long poll continues after its client has hung up and takes the next message, which is handed back at once.
  app.addHook('preSerialization', async (request, _reply, payload) => {
    const handles = request.raw.socket.destroyed ? receiptHandles(payload) : [];
    if (handles.length > 0) {
      const { QueueUrl } = request.body as { QueueUrl: string };
      await app.inject({
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'AmazonSQS.ChangeMessageVisibilityBatch',
        },
        payload: JSON.stringify({
          QueueUrl,
          Entries: handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 })),
        }),
      });
    }
    return payload;
  });
  await app.listen({ port, host: LOOPBACK });
  return {
    endpoint,
    stop: async () => {
      await app.close();
    },
  };
}

function receiptHandles(payload: unknown): string[] {
  const { Messages: messages } = (payload ?? {}) as { Messages?: readonly { ReceiptHandle: string }[] };
  return messages?.map(({ ReceiptHandle }) => ReceiptHandle) ?? [];
}

function withLoopbackUrls(payload: unknown, endpoint: string): unknown {
  if (typeof payload !== 'object' || payload === null) return payload;
  const { QueueUrl: url, QueueUrls: urls } = payload as { QueueUrl?: unknown; QueueUrls?: unknown };
  if (typeof url === 'string') return { ...payload, QueueUrl: onLoopback(url, endpoint) };
  if (Array.isArray(urls)) return { ...payload, QueueUrls: urls.map((each) => onLoopback(String(each), endpoint)) };
  return payload;
}

function onLoopback(queueUrl: string, endpoint: string): string {
  return endpoint + new URL(queueUrl).pathname;
}
