/** A service that gives no answer is named, with where it was looked for and the setting that says so. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { createObjectStores } from '../../src/aws/s3.ts';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { namedIfUnreachable } from '../../src/aws/unreachable.ts';
import { endOf } from '../../src/commands/end-of-command.ts';
import { failureTypeOf } from '../../src/error-classes.ts';
import { partOf } from '../../src/watch/part.ts';

/** Of this machine, where nothing listens. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

describe('a service without an answer', () => {
  it('is named in what a command says, and in what could not be checked: the object store', async () => {
    const endpoint = await closedAddress();
    const stores = createObjectStores({ region: 'us-west-2', endpoint: `${endpoint}/path`, credentials });
    const bucket = stores.bucket('b');
    const error: unknown = await bucket.get('k').catch((thrown: unknown) => thrown);
    const says = `the object store at ${endpoint} (AWS_ENDPOINT_URL_S3) does not answer: connection refused`;
    assert.deepEqual(endOf(error), {
      message: `${says}: see whether it runs, or correct AWS_ENDPOINT_URL_S3, then run the command again`,
      exitCode: 1,
    });
    assert.equal(failureTypeOf(error), 'ServiceUnavailable');
    assert.deepEqual(await partOf((signal) => bucket.head('k', signal)), { unknown: says, type: null });
    stores.close();
  });

  it('is named: SQS', async () => {
    const endpoint = await closedAddress();
    const queues = createMessageQueues({ region: 'us-west-2', endpoint, credentials });
    await assert.rejects(queues.depth('q'), {
      name: 'UnreachableError',
      message: `the SQS service at ${endpoint} (AWS_ENDPOINT_URL_SQS) does not answer: connection refused`,
    });
    queues.close();
  });

  it('is no other error: an answer, or an end that a signal of ours has asked for', () => {
    const service = { name: 'x', place: 'y', setting: 'Z' };
    for (const error of [new Error('AccessDenied'), new DOMException('ended', 'TimeoutError'), 'text'])
      assert.equal(namedIfUnreachable(error, service), error);
  });
});
