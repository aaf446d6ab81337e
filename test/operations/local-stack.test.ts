import assert from 'node:assert/strict';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findBinary } from '../../local/stack/binaries.ts';
import { LOOPBACK } from '../../local/stack/free-ports.ts';
import { embeddedServices, type ServicePlace, type StackServices } from '../../local/stack/services.ts';
import { createObjectStores } from '../../src/aws/s3.ts';
import { runProgram } from '../../src/run-program.ts';
import { type LocalStack, StackRunningError, startLocalStack } from '../../local/stack/stack.ts';
import { binaries } from '../system/test-stack.ts';

let directory: string;
let stack: LocalStack;

function start(log: (line: string) => void = () => undefined): Promise<LocalStack> {
  return startLocalStack({ directory, log, binaries, keywordAttributes: ['AnalysisDay', 'AnalysisRun'] });
}

/** Clients as a worker process makes them: endpoints and credentials from nothing but the environment. */
async function asWorker<T>(use: (clients: { s3: S3Client; sqs: SQSClient }) => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, stack.env);
  const s3 = new S3Client({ forcePathStyle: true });
  const sqs = new SQSClient({});
  try {
    return await use({ s3, sqs });
  } finally {
    s3.destroy();
    sqs.destroy();
    for (const name of Object.keys(stack.env)) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  }
}

function queueUrl(sqs: SQSClient, name: string): Promise<string> {
  return sqs.send(new GetQueueUrlCommand({ QueueName: name })).then(({ QueueUrl: url }) => url ?? assert.fail(name));
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-stack-'));
  stack = await start();
});
after(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the embedded stack', () => {
  it('lets browsers of any origin read the data set, and nobody else read the rest', async () => {
    const origin = 'http://dashboards.example';
    const answer = await fetch(`${stack.links.dataset}versions.json`, { headers: { Origin: origin } });
    assert.equal(answer.status, 200);
    // AWS answers `*`, SeaweedFS repeats the origin; a browser takes both.
    assert.ok(['*', origin].includes(answer.headers.get('access-control-allow-origin') ?? ''));
    assert.equal(answer.headers.get('content-encoding'), 'gzip');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    const { $head: head } = (await answer.json()) as { $head: Record<string, unknown> };
    assert.deepEqual([head['seq'], head['parent']], [0, null]);
    assert.match(String(head['ledger']), /^state\/ledgers\/[0-9a-f]{64}\.json\.gz$/);

    await asWorker(async ({ s3 }) => {
      await s3.send(new PutObjectCommand({ Bucket: 'telemetry-analysis', Key: 'v7/secret', Body: 'x' }));
    });
    for (const path of ['telemetry-analysis/v7/secret', 'telemetry-dashboard/', 'telemetry-dashboard/v8/x']) {
      const refused = await fetch(`${stack.links.s3}/${path}`);
      await refused.body?.cancel();
      assert.equal(refused.status, 403, path);
    }
    const written = await fetch(`${stack.links.dataset}versions.json`, { method: 'PUT', body: '{}' });
    await written.body?.cancel();
    assert.equal(written.status, 403);
  });

  it('keeps objects that are there from being overwritten by a conditional put, also in a race', async () => {
    await asWorker(async ({ s3 }) => {
      const stores = createObjectStores({ region: 'us-west-2', endpoint: stack.links.s3 });
      const bucket = stores.bucket('telemetry-analysis');
      const bodies = Array.from({ length: 8 }, (_, index) => `writer ${index}`);
      const ends = await Promise.all(bodies.map((body) => bucket.createOnce('race', Buffer.from(body))));
      stores.close();
      assert.equal(ends.filter((end) => end === 'created').length, 1);
      const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: 'race' }));
      assert.equal(await body?.transformToString(), bodies[ends.indexOf('created')]);
    });
  });

  it('refuses a put to a bucket that does not exist', async () => {
    await asWorker(async ({ s3 }) => {
      const put = new PutObjectCommand({ Bucket: 'telemetry-nowhere', Key: 'a', Body: 'x' });
      await assert.rejects(s3.send(put), { name: 'NoSuchBucket' });
    });
  });

  it('carries a message through each SQS queue, with URLs that resolve everywhere', async () => {
    await asWorker(async ({ sqs }) => {
      for (const name of ['telemetry-analysis-tasks', 'telemetry-analysis-done']) {
        const url = await queueUrl(sqs, name);
        assert.ok(url.startsWith(`${stack.links.sqs}/`), url);
        await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: name }));
        const { Messages: messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 5 }),
        );
        assert.deepEqual(
          messages.map(({ Body: body }) => body),
          [name],
        );
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: messages[0]?.ReceiptHandle }));
      }
    });
  });

  it('has SQS queues with the attributes of docs/formats/queues.md 2.6 and dead letters', async () => {
    await asWorker(async ({ sqs }) => {
      const wanted = [
        ['telemetry-analysis-tasks', '1800', '20'],
        ['telemetry-analysis-done', '21600', '0'],
      ] as const;
      for (const [name, visibility, wait] of wanted) {
        const attributes = await attributesOf(sqs, name);
        assert.equal(attributes['VisibilityTimeout'], visibility);
        assert.equal(attributes['ReceiveMessageWaitTimeSeconds'], wait);
        assert.equal(attributes['MessageRetentionPeriod'], '345600');
        assert.equal(attributes['DelaySeconds'], '0');
        const redrive = JSON.parse(attributes['RedrivePolicy'] ?? '{}') as Record<string, unknown>;
        assert.equal(Number(redrive['maxReceiveCount']), 10);
        assert.match(String(redrive['deadLetterTargetArn']), new RegExp(`:${name}-dlq$`));
        assert.equal((await attributesOf(sqs, `${name}-dlq`))['MessageRetentionPeriod'], '1209600');
      }
    });
  });

  async function attributesOf(sqs: SQSClient, name: string): Promise<Record<string, string | undefined>> {
    const request = new GetQueueAttributesCommand({ QueueUrl: await queueUrl(sqs, name), AttributeNames: ['All'] });
    return (await sqs.send(request)).Attributes ?? assert.fail(name);
  }

  it('has a Temporal server that knows the search attributes and keeps closed workflows for 30 days', async () => {
    const temporal = await findBinary('temporal', binaries, () => undefined);
    const address = ['--address', stack.env['TEMPORAL_ADDRESS'] ?? ''];
    const { output } = await runProgram(temporal, ['operator', 'search-attribute', 'list', ...address]);
    assert.match(output, /AnalysisDay\s+Keyword/);
    assert.match(output, /AnalysisRun\s+Keyword/);
    const namespace = await runProgram(temporal, ['operator', 'namespace', 'describe', '-n', 'default', ...address]);
    assert.match(namespace.output, /RetentionTtl\s+720h/);
  });

  it('gives workers a connection to its own Temporal server, whatever profiles the person has', async () => {
    const mine = { TEMPORAL_PROFILE: 'cloud', TEMPORAL_CONFIG_FILE: '/nowhere', TEMPORAL_TLS: 'true' };
    const config = loadClientConnectConfig({ overrideEnvVars: { ...mine, ...stack.env } });
    const connection = await Connection.connect(config.connectionOptions);
    try {
      const client = new Client({ connection, namespace: config.namespace ?? '' });
      assert.deepEqual(await Array.fromAsync(client.workflow.list()), []);
    } finally {
      await connection.close();
    }
  });

  it('keeps its secrets from other users of the machine', async () => {
    for (const name of ['stack.json', 'stack.env']) {
      assert.equal((await stat(join(directory, name))).mode & 0o077, 0, name);
    }
    const files = await readdir(directory);
    assert.ok(files.includes('temporal.db'));
    for (const name of files.filter((file) => /^temporal\.db|\.log$/.test(file)))
      assert.equal((await stat(join(directory, name))).mode & 0o077, 0, name);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    const lines = (await readFile(join(directory, 'stack.env'), 'utf8')).trim().split('\n');
    assert.deepEqual(Object.fromEntries(lines.map((line) => line.split(/=(.*)/s))), stack.env);
  });

  it('refuses a second start in its directory', async () => {
    await assert.rejects(start(), (error: Error) => {
      assert.ok(error instanceof StackRunningError);
      assert.match(error.message, new RegExp(`already runs in .* \\(process ${process.pid}\\)`));
      return true;
    });
  });

  it('finds its data and its addresses again after a stop', async () => {
    const { links, env } = stack;
    const head = await (await fetch(`${links.dataset}versions.json`)).text();
    await asWorker(async ({ s3 }) => {
      await s3.send(new PutObjectCommand({ Bucket: 'telemetry-published-v2', Key: 'a/b', Body: 'kept' }));
    });
    await stack.stop();
    await assert.rejects(stat(join(directory, 'stack.env')), { code: 'ENOENT' });

    stack = await start();
    assert.deepEqual([stack.links, stack.env], [links, env]);
    assert.equal(await (await fetch(`${stack.links.dataset}versions.json`)).text(), head);
    await asWorker(async ({ s3 }) => {
      const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: 'telemetry-published-v2', Key: 'a/b' }));
      assert.equal(await body?.transformToString(), 'kept');
    });
  });
});

describe('a stack that cannot start', () => {
  it('stops what it had started, says why with the end of the log, and can be started once the cause is gone', async () => {
    const other = await mkdtemp(join(tmpdir(), 'local-stack-'));
    const options = { directory: other, log: () => undefined, keywordAttributes: [], headless: true };
    try {
      // Temporal's database is a folder: that part fails while the others come up.
      await mkdir(join(other, 'temporal.db'));
      await assert.rejects(
        startLocalStack({ ...options, binaries }),
        /Temporal server ended early[^]*From .*temporal\.log/,
      );
      await rm(join(other, 'temporal.db'), { recursive: true });
      const second = await startLocalStack({ ...options, binaries });
      assert.equal(second.links.webUi, null);
      await second.stop();
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  for (const taken of ['filer', 'sqs'] as const) {
    it(`starts again on other ports when a program takes that of ${taken} at the last moment`, async () => {
      const other = await mkdtemp(join(tmpdir(), 'local-stack-'));
      const lines: string[] = [];
      const thief = createServer();
      const robbed: number[] = [];
      const services = async (): Promise<StackServices> => {
        const embedded = await embeddedServices(binaries, () => undefined);
        const rob = async ({ ports }: ServicePlace): Promise<void> => {
          if (robbed.push(ports[taken]) === 1) await once(thief.listen(ports[taken], LOOPBACK), 'listening');
        };
        return {
          startObjectStore: async (place) => {
            if (taken === 'filer') await rob(place);
            return embedded.startObjectStore(place);
          },
          startSqs: async (place) => {
            if (taken === 'sqs') await rob(place);
            return embedded.startSqs(place);
          },
        };
      };
      const log = (line: string): void => void lines.push(line);
      try {
        const started = await startLocalStack({
          ...{ directory: other, log, binaries, services },
          ...{ keywordAttributes: [], headless: true },
        });
        await started.stop();
        assert.match(lines.join('\n'), /a port was taken by another program at the last moment/);
        assert.notEqual(robbed[1], robbed[0]);
      } finally {
        thief.close();
        await rm(other, { recursive: true, force: true });
      }
    });
  }
});
