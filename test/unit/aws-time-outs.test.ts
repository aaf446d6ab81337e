/** Requests of S3 end in time, and large uploads get the time that they need. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createObjectStores } from '../../src/aws/s3.ts';

it('an upload has 30 s, and a second more for each MiB', async (context) => {
  const sent: number[] = [];
  context.mock.method(S3Client.prototype, 'send', (_: PutObjectCommand, options: { requestTimeout: number }) => {
    sent.push(options.requestTimeout);
    return Promise.resolve({ ETag: 'e' });
  });
  const stores = createObjectStores({ region: 'us-west-2', endpoint: 'http://127.0.0.1:1' });
  const bucket = stores.bucket('b');
  await bucket.put('small', Buffer.alloc(0));
  await bucket.put('large', Buffer.alloc(8 << 20));
  stores.close();
  assert.deepEqual(sent, [30_000, 38_000]);
});
