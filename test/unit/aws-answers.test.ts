/** Answers of S3 and SQS that are incomplete, or no answers of theirs at all: an error that is tried again, never a fact. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createObjectStores } from '../../src/aws/s3.ts';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { failureTypeOf } from '../../src/error-classes.ts';
import type { ObjectStore } from '../../src/ports.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer = () => assert.fail('no answer');
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  request.resume();
  request.on('end', () => {
    answer(request, response);
  });
});
let stores: ReturnType<typeof createObjectStores>;
let bucket: ObjectStore;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stores = createObjectStores({
    region: 'us-west-2',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  bucket = stores.bucket('b');
});
after(() => {
  stores.close();
  server.close();
  server.closeAllConnections();
});

const HTML = '<html><body><h1>It works!</h1></body></html>';
const TIME = '2013-10-30T13:31:00.000Z';
const entry = (key: string): string =>
  `<Contents><Key>${key}</Key><LastModified>${TIME}</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`;
const page = (...parts: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>${parts.join('')}</ListBucketResult>`;
const WHOLE = '<IsTruncated>false</IsTruncated>';
const CUT = '<IsTruncated>true</IsTruncated>';
const SORTED = Array.from({ length: 20 }, (_, index) => index + 10);

/** It fails in a way that is tried again. */
async function passes(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.match(error.message, message);
    assert.equal(failureTypeOf(error), 'ServiceUnavailable');
    return true;
  });
}

function keysOf(prefix = 'p/'): Promise<string[]> {
  return Array.fromAsync(bucket.objects(prefix), ({ key }) => key);
}

function answers(...bodies: string[]): void {
  answer = (_, response) => {
    response.writeHead(200).end(bodies.shift() ?? page(WHOLE));
  };
}

describe('a listing', () => {
  it('is complete when its last page says so', async () => {
    answers(page(CUT, '<NextContinuationToken>t</NextContinuationToken>', entry('p/1')), page(WHOLE, entry('p/2')));
    assert.deepEqual(await keysOf(), ['p/1', 'p/2']);
    answers(page(WHOLE));
    assert.deepEqual(await keysOf(), []);
  });

  it('may be in no order, as those of directory buckets are', async () => {
    const mixed = SORTED.map((n) => (n * 7) % 20);
    answers(
      page(CUT, '<NextContinuationToken>t</NextContinuationToken>', ...mixed.map((n) => entry(`p/${n + 50}`))),
      page(WHOLE, entry('p/2'), entry('p/1')),
    );
    assert.equal((await keysOf()).length, 22);
  });

  for (const [what, bodies, message] of [
    ['says that there is more, and not where', [page(CUT, entry('p/1'))], /no continuation token/],
    ['is HTML', [HTML], /is no listing/],
    ['is empty', [''], /is no listing/],
    ['does not say whether there is more', [page(entry('p/1'))], /is no listing/],
    [
      'goes on where it was',
      [1, 2].map((n) => page(CUT, '<NextContinuationToken>t</NextContinuationToken>', entry(`p/${n}`))),
      /repeats its continuation token/,
    ],
    [
      'goes in a circle of tokens',
      Array.from({ length: 8 }, (_, n) =>
        page(CUT, `<NextContinuationToken>${'ABC'[n % 3] ?? ''}</NextContinuationToken>`, entry(`p/${n}`)),
      ),
      /repeats its continuation token/,
    ],
    [
      'goes in a circle of keys',
      Array.from({ length: 8 }, (_, n) =>
        page(CUT, `<NextContinuationToken>${n}</NextContinuationToken>`, entry(`p/${n % 3}`)),
      ),
      /lists p\/\d again/,
    ],
    ['names a key twice', [page(WHOLE, entry('p/1'), entry('p/1'))], /lists p\/1 again/],
    [
      'begins a page with the last key of the page before',
      [page(CUT, '<NextContinuationToken>t</NextContinuationToken>', entry('p/1')), page(WHOLE, entry('p/1'))],
      /lists p\/1 again/,
    ],
    [
      'goes back, though its keys are sorted',
      [
        page(CUT, '<NextContinuationToken>t</NextContinuationToken>', ...SORTED.map((n) => entry(`p/${n}`))),
        page(WHOLE, entry('p/20')),
      ],
      /lists p\/20 again, or out of order/,
    ],
    ['has fewer keys than it says', [page(WHOLE, '<KeyCount>2</KeyCount>', entry('p/1'))], /1 of the 2 keys/],
    ['is of another prefix', [page(WHOLE, entry('q/1'))], /q\/1, which is not below/],
    ['has an object without its time', [page(WHOLE, entry('p/1').replace(/<LastM.*ied>/, ''))], /no LastModified/],
    ['has an object without its size', [page(WHOLE, entry('p/1').replace(/<Size>1<.Size>/, ''))], /no Size/],
  ] as const) {
    it(`that ${what} is an error that is tried again`, async () => {
      answers(...bodies);
      await passes(keysOf(), message);
    });
  }
});

describe('an answer of S3', () => {
  const html: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(HTML);
  };
  for (const [what, ask] of [
    ['PUT', () => bucket.put('k', Buffer.from('x'))],
    ['create-once PUT', () => bucket.createOnce('k', Buffer.from('x'))],
    ['conditional PUT', () => bucket.replace('k', '"e"', Buffer.from('x'))],
    ['GET', () => bucket.get('k')],
    ['GET to a file', () => bucket.getToFile('k', join(tmpdir(), 'telemetry-aws-answers'))],
    ['HEAD', () => bucket.head('k')],
  ] as const) {
    it(`to ${what} that is not one of an object store is an error that is tried again`, async () => {
      answer = html;
      await passes(ask(), /s3:\/\/b\/k: .*no ETag/);
    });
  }

  it('to HEAD without a time is not taken for 1970', async () => {
    answer = (_, response) => {
      response.writeHead(200, { etag: '"e"', 'content-length': 1 }).end();
    };
    await passes(bucket.head('k'), /no LastModified/);
  });

  it('to a conditional PUT is asked for once', async () => {
    answer = html;
    asked = 0;
    await passes(bucket.replace('k', '"e"', Buffer.from('x')), /no ETag/);
    assert.equal(asked, 1);
  });
});

describe('a conditional PUT', () => {
  const SKEWED = '<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message></Error>';
  const storeTime = (): Date => new Date(Date.now() + 86_400_000);

  it('is sent again with the time of a store that refuses ours', async () => {
    const times: string[] = [];
    answer = ({ headers }, response) => {
      times.push(String(headers['x-amz-date']).slice(0, 8));
      response.setHeader('date', storeTime().toUTCString());
      if (times.length === 1) response.writeHead(403).end(SKEWED);
      else response.writeHead(200, { etag: '"new"' }).end();
    };
    const { etag } = await bucket.replace('versions.json', '"old"', Buffer.from('{}'));
    assert.equal(etag, '"new"');
    const day = (date: Date): string => date.toISOString().slice(0, 10).replaceAll('-', '');
    assert.deepEqual(times, [day(new Date()), day(storeTime())]);
  });

  it('is sent once in all other cases', async () => {
    for (const [status, body] of [
      [403, '<Error><Code>AccessDenied</Code><Message>no</Message></Error>'],
      [503, '<Error><Code>SlowDown</Code><Message>busy</Message></Error>'],
    ] as const) {
      asked = 0;
      answer = (_, response) => response.writeHead(status).end(body);
      await assert.rejects(bucket.replace('versions.json', '"old"', Buffer.from('{}')));
      assert.equal(asked, 1, body);
    }
  });
});

describe('an answer of SQS', () => {
  const queues = createMessageQueues({ region: 'us-west-2', endpoint: 'http://127.0.0.1:1' });
  const answered = (context: TestContext, body: object): void => {
    context.mock.method(SQSClient.prototype, 'send', (command: object) =>
      Promise.resolve(command.constructor.name === 'GetQueueUrlCommand' ? { QueueUrl: 'http://q' } : body),
    );
  };

  for (const [what, body, unsent] of [
    ['names all', { Successful: [{ Id: '0' }, { Id: '1' }], Failed: [] }, []],
    ['names one failed', { Successful: [{ Id: '0' }], Failed: [{ Id: '1' }] }, [1]],
    ['leaves one out', { Successful: [{ Id: '0' }] }, [1]],
    ['names none', {}, [0, 1]],
    ['names others', { Successful: [{ Id: '0' }, { Id: '7' }], Failed: [{ Id: 'x' }] }, [1]],
  ] as const) {
    it(`to a batch that ${what}: sent is what it names as sent`, async (context) => {
      answered(context, body);
      assert.deepEqual(await queues.send('q', ['a', 'b']), unsent);
      assert.equal(await queues.deleteMessages('q', ['a', 'b']), unsent.length);
    });
  }

  it('without the attributes is no empty queue', async (context) => {
    answered(context, { Attributes: { ApproximateNumberOfMessages: '1' } });
    await passes(queues.depth('q'), /ApproximateNumberOfMessagesNotVisible/);
  });

  it('with an impossible message size is no limit', async (context) => {
    answered(context, { Attributes: { MaximumMessageSize: 'many' } });
    await passes(queues.maxMessageBytes('q'), /MaximumMessageSize/);
  });

  it('with a message that cannot be deleted is no message', async (context) => {
    answered(context, { Messages: [{ Body: 'x' }] });
    await passes(queues.receive('q', { waitSeconds: 0, visibilitySeconds: 1 }), /ReceiptHandle/);
  });
});
