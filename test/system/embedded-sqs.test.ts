/** What the embedded SQS must do like SQS where the library under it does not. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { startEmbeddedSqs } from '../../local/stack/sqs.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it('a message that comes after a receiver hung up goes to the next one', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
  const sqs = await startEmbeddedSqs(await freePort(), 'us-west-2');
  const queues = createMessageQueues({ region: 'us-west-2', endpoint: sqs.endpoint });
  try {
    await queues.create('tasks', { visibilitySeconds: 1800, delaySeconds: 0, retentionSeconds: 345_600 });
    const gone = new AbortController();
    const waiting = queues.receive('tasks', { waitSeconds: 20, visibilitySeconds: 1800, signal: gone.signal });
    // The poll must have begun before its client goes, and the server must have seen it go: nothing tells when.
    await delay(500);
    gone.abort();
    await assert.rejects(waiting);
    await delay(500);
    await queues.send('tasks', ['task']);
    const received = await queues.receive('tasks', { waitSeconds: 5, visibilitySeconds: 1800 });
    assert.deepEqual(
      received.map(({ body }) => body),
      ['task'],
    );
  } finally {
    queues.close();
    await sqs.stop();
  }
});
