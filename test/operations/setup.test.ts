/** `telemetry setup` as an operator runs it: the command in a process of its own, against services over loopback. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import { SMTPServer } from 'smtp-server';
import { createBucketAdministration, createQueueAdministration } from '../../src/aws/provision.ts';
import { createObjectStores } from '../../src/aws/s3.ts';
import { emptyLedger } from '../../src/pipeline/dataset/ledger.ts';
import { parseVersions } from '../../src/pipeline/dataset/versions.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { schedules } from '../../src/schedules.ts';
import { lookAtNamespace } from '../../src/setup/namespace.ts';
import { guardStatement } from '../../src/setup/pointer-guard.ts';
import { mergedPolicy } from '../../src/setup/published-access.ts';
import { lookAtQueue, wantedQueues } from '../../src/setup/queues.ts';
import { lookAtSchedule } from '../../src/setup/schedule-items.ts';
import { type Conditions, LoopbackS3 } from '../fakes/loopback-s3.ts';
import { Deployment } from '../system/deployment.ts';
import { onSecondServices } from '../system/test-stack.ts';

interface Item {
  readonly name: string;
  readonly state: string;
  readonly facts: readonly string[];
}

interface Outcome {
  readonly code: number | null;
  readonly complete: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly items: readonly Item[];
  /** By the item's name, or its beginning. */
  readonly item: (name: string) => Item;
}

const NAMES = {
  TELEMETRY_ANALYSIS_BUCKET: 'fresh-analysis',
  TELEMETRY_PUBLISHED_BUCKET: 'fresh-dashboard',
  TELEMETRY_TASK_QUEUE: 'fresh-tasks',
  TELEMETRY_DONE_QUEUE: 'fresh-done',
  TELEMETRY_TASK_DELAY_SECONDS: '15',
  TELEMETRY_DONE_DELAY_SECONDS: '120',
  TEMPORAL_NAMESPACE: 'fresh',
};

let deployment: Deployment;
let admin: {
  readonly buckets: ReturnType<typeof createBucketAdministration>;
  readonly queues: ReturnType<typeof createQueueAdministration>;
  readonly stores: ReturnType<typeof createObjectStores>;
};

before(async () => {
  deployment = await Deployment.start(NAMES);
  const { s3, sqs } = deployment.stack.links;
  const region = 'us-west-2';
  admin = {
    buckets: createBucketAdministration({ region, endpoint: s3 }),
    queues: createQueueAdministration({ region, endpoint: sqs }),
    stores: createObjectStores({ region, endpoint: s3 }),
  };
});
after(async () => {
  admin.buckets.close();
  admin.queues.close();
  admin.stores.close();
  await deployment.stop();
});

async function setup(...args: string[]): Promise<Outcome> {
  return setupWith({}, ...args);
}

async function setupWith(settings: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await deployment.telemetryWith(settings, 'setup', '--json', ...args);
  assert.notEqual(stdout, '', stderr);
  const outcome = JSON.parse(stdout) as Omit<Outcome, 'code' | 'item'>;
  const item = (name: string): Item =>
    outcome.items.find((each) => each.name === name) ??
    outcome.items.find((each) => each.name.startsWith(name)) ??
    assert.fail(`no item ${name}`);
  return { ...outcome, code, item };
}

/** Everything that a set-up could have changed, as far as the services tell. */
async function everything(): Promise<unknown> {
  const queues = ['fresh-tasks', 'fresh-tasks-dlq', 'fresh-done', 'fresh-done-dlq'];
  const buckets = ['fresh-analysis', 'fresh-dashboard'];
  return {
    objects: await Promise.all(buckets.map((bucket) => Array.fromAsync(admin.stores.bucket(bucket).list('')))),
    policies: await Promise.all(buckets.map((bucket) => admin.buckets.policy(bucket))),
    cors: await Promise.all(buckets.map((bucket) => admin.buckets.cors(bucket))),
    queues: await Promise.all(queues.map((queue) => admin.queues.attributes(queue))),
    temporal: await withClient(async (client, { operatorService, workflowService }) => {
      const { raw } = await client.schedule.getHandle('daily-analysis').describe();
      const { config } = await workflowService.describeNamespace({ namespace: 'fresh' });
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'fresh' });
      return JSON.parse(JSON.stringify({ schedule: raw, config, customAttributes })) as unknown;
    }),
  };
}

async function withClient<T>(use: (client: Client, connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: deployment.stack.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    return await use(new Client({ connection, namespace: 'fresh' }), connection);
  } finally {
    await connection.close();
  }
}

describe('setup', () => {
  it('creates everything but the input bucket in services that have none of it, and changes nothing the second time', async () => {
    const first = await setup();
    assert.equal(first.code, 0, JSON.stringify(first.items, null, 1));
    assert.equal(first.counts['created'], 14, JSON.stringify(first.items, null, 1));
    assert.equal(first.item('bucket s3://telemetry-published-v2').state, 'ok');
    const made = await everything();

    const second = await setup();
    assert.equal(second.code, 0);
    assert.equal(second.counts['created'], undefined);
    assert.equal(second.counts['ok'], (first.counts['ok'] ?? 0) + 14);
    assert.deepEqual(await everything(), made);

    const third = await setup('--fix');
    assert.deepEqual([third.code, third.counts], [0, second.counts]);
    assert.deepEqual(await everything(), made);
  });

  it('I12: has made the pointer to an empty ledger, and left no probe behind', async () => {
    const { body } = await admin.stores.bucket('fresh-dashboard').get('v7/versions.json');
    const answer = await fetch(`${deployment.stack.links.s3}/fresh-dashboard/v7/versions.json`);
    assert.equal(answer.status, 200);
    const { head, folders } = parseVersions(await answer.text());
    assert.deepEqual([head.seq, head.parent, folders.size], [emptyLedger('').seq, null, 0]);
    assert.ok(body.length > 0);
    const keys = async (bucket: string): Promise<string[]> => {
      const entries = await Array.fromAsync(admin.stores.bucket(bucket).list(''));
      return entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.name));
    };
    assert.deepEqual(await keys('fresh-dashboard'), ['v7/versions.json']);
    assert.deepEqual(await keys('fresh-analysis'), ['state/data-set.json', head.ledger]);
  });

  it('writes a line for each item where there is no terminal', async () => {
    const { code, stdout } = await deployment.telemetry('setup');
    assert.equal(code, 0);
    assert.match(stdout, /^ok {6}SQS queue fresh-done: delay 2 min, visibility 6 h, dead letters after 10 receives, /m);
    // ElasticMQ keeps the retention to itself.
    const end = onSecondServices
      ? /of up to \d+ KiB; the service does not tell MessageRetentionPeriod$/m
      : /of up to \d+ KiB$/m;
    assert.match(stdout, end);
    assert.match(stdout, /\nThe deployment is complete: \d+ ok, 4 warnings\.\n$/);
  });

  it('shows what was changed by hand and leaves it, until told to fix it', async () => {
    await admin.queues.setAttributes('fresh-done', { VisibilityTimeout: '30' });
    const theirs = {
      Sid: 'Theirs',
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::fresh-dashboard/other/*',
    };
    await admin.buckets.setPolicy('fresh-dashboard', JSON.stringify({ Version: '2012-10-17', Statement: [theirs] }));
    await admin.buckets.setCors('fresh-dashboard', [
      { AllowedOrigins: ['https://a.example'], AllowedMethods: ['GET'] },
    ]);
    await withClient(async (client) => {
      const schedule = client.schedule.getHandle('daily-analysis');
      await schedule.pause('converter is down');
      await schedule.update((previous) => ({ ...previous, spec: { cronExpressions: ['0 4 * * *'], timezone: 'UTC' } }));
    });
    const before = await everything();

    const looked = await setup();
    assert.equal(looked.code, 1);
    assert.equal(looked.complete, false);
    assert.equal(looked.counts['differs'], 4);
    assert.deepEqual(looked.item('SQS queue fresh-done').facts, ['VisibilityTimeout is 30, should be 21600']);
    assert.deepEqual(await everything(), before);

    const fixed = await setup('--fix');
    assert.equal(fixed.code, 0, JSON.stringify(fixed.items, null, 1));
    assert.equal(fixed.counts['fixed'], 4);
    const { facts } = fixed.item('schedule daily-analysis');
    assert.match(facts[0] ?? '', /31 13 \* \* \* UTC, paused: converter is down/);
    assert.match(facts[1] ?? '', /before: the time is 0 4 \* \* \*, should be 31 13 \* \* \*/);
    assert.match((await admin.buckets.policy('fresh-dashboard')) ?? '', /"Theirs"/);
    assert.equal((await setup()).code, 0);
  });

  it('T13: leaves the guard of the pointer out on a store that would refuse commits because of it', async () => {
    const { state, facts } = (await setup()).item('guard of s3://fresh-dashboard/v7/versions.json');
    assert.equal(state, 'warning');
    assert.match(facts.join(), /not set: only AWS/);
    assert.doesNotMatch((await admin.buckets.policy('fresh-dashboard')) ?? '', /Deny/);

    // Why: it is not the store that could do with it. When this fails, it has learnt the conditions.
    await admin.buckets.create('guarded');
    const policy = mergedPolicy(null, [guardStatement('guarded', 'v7/')]);
    if (onSecondServices) {
      await assert.rejects(admin.buckets.setPolicy('guarded', policy), { name: 'MalformedPolicy' });
      return;
    }
    await admin.buckets.setPolicy('guarded', policy);
    const first = admin.stores.bucket('guarded').createOnce('v7/versions.json', Buffer.from('{}'));
    await assert.rejects(first, { name: 'AccessDenied' });
  });

  it('has looks that others can take, without the command', async () => {
    const done = wantedQueues(
      { taskQueue: 'fresh-tasks', doneQueue: 'fresh-done' },
      { taskSeconds: 15, doneSeconds: 120 },
    );
    const queues = await Promise.all(done.map((queue) => lookAtQueue(admin.queues, queue)));
    assert.deepEqual(
      queues.map(({ state }) => state),
      ['ok', 'ok', 'ok', 'ok'],
    );
    assert.equal((await lookAtQueue(admin.queues, { ...done[1]!, name: 'nowhere' })).state, 'missing');
    await withClient(async (client, connection) => {
      const [daily] = schedules('telemetry');
      assert.equal((await lookAtSchedule(client.schedule, daily!)).state, 'ok');
      assert.equal((await lookAtSchedule(client.schedule, { ...daily!, scheduleId: 'nowhere' })).state, 'missing');
      assert.equal((await lookAtNamespace(connection, 'nowhere')).state, 'missing');
    });
  });

  it('reads every schedule of the code back without a difference', async () => {
    await withClient(async (client) => {
      for (const schedule of schedules('telemetry')) {
        const scheduleId = `copy-of-${schedule.scheduleId}`;
        await client.schedule.create({ ...schedule, scheduleId });
        assert.deepEqual((await lookAtSchedule(client.schedule, { ...schedule, scheduleId })).state, 'ok', scheduleId);
        await client.schedule.getHandle(scheduleId).delete();
      }
    });
  });

  it('fails on an input bucket that is missing, and never makes it', async () => {
    const settings = { TELEMETRY_INPUT_BUCKET: 'nobodys-input' };
    for (const args of [[], ['--fix']]) {
      const { code, item } = await setupWith(settings, ...args);
      assert.equal(code, 1);
      assert.equal(item('bucket s3://nobodys-input').state, 'missing');
    }
    assert.equal(await admin.buckets.exists('nobodys-input'), false);
  });

  it('leaves the versions.json of the original alone, also with --fix, and makes no schedule for it', async () => {
    const settings = {
      TELEMETRY_PUBLISHED_PREFIX: 'v4/',
      TELEMETRY_ANALYSIS_BUCKET: 'original-analysis',
      TEMPORAL_NAMESPACE: 'untouched',
    };
    const bucket: ObjectStore = admin.stores.bucket('fresh-dashboard');
    const theirs = gzipSync('{"nightly/28":"20131029120000-28-nightly"}');
    const { etag } = await bucket.put('v4/versions.json', theirs);
    const { code, item } = await setupWith(settings, '--fix');
    assert.equal(code, 1);
    assert.equal(item('data set').state, 'differs');
    assert.match(item('data set').facts.join(), /telemetry adopt/);
    assert.equal(item('schedule').state, 'skipped');
    assert.equal((await bucket.get('v4/versions.json')).etag, etag);
    // The other data set of the bucket is read as before.
    assert.equal((await setup()).code, 0);
  });

  it('keeps a second data set from the analysis bucket of another', async () => {
    const settings = { TELEMETRY_PUBLISHED_PREFIX: 'v8/', TEMPORAL_NAMESPACE: 'untouched' };
    const { code, item } = await setupWith(settings, '--fix');
    assert.equal(code, 1);
    assert.equal(item('data set').state, 'differs');
    assert.match(item('data set').facts.join(), /it is that of s3:\/\/fresh-dashboard\/v7\//);
    assert.equal(await admin.stores.bucket('fresh-dashboard').head('v8/versions.json'), undefined);
  });

  it('exits with 2 on wrong settings and touches nothing', async () => {
    const { code, stdout, stderr } = await deployment.telemetryWith(
      { TELEMETRY_ANALYSIS_BUCKET: 'other-analysis', TELEMETRY_DONE_DELAY_SECONDS: '901' },
      'setup',
    );
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /TELEMETRY_DONE_DELAY_SECONDS: must be at most 900/);
    assert.equal(await admin.buckets.exists('other-analysis'), false);
  });

  it('asks the mail server, and sends a test alert only when wanted', async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, _session, done) => {
        void Array.fromAsync(stream as AsyncIterable<Buffer>).then((parts) => {
          mails.push(Buffer.concat(parts).toString('utf8'));
          done();
        });
      },
    });
    const port = await new Promise<number>((resolve) => {
      const listening = server.listen(0, '127.0.0.1', () => {
        resolve((listening.address() as { port: number }).port);
      });
    });
    try {
      const settings = {
        TELEMETRY_ALERT_SMTP_URL: `smtp://127.0.0.1:${port}`,
        TELEMETRY_ALERT_FROM: 'telemetry@example.org',
        TELEMETRY_ALERT_TO: 'oncall@example.org',
      };
      assert.equal((await setupWith(settings)).item('alerts by smtp').state, 'ok');
      assert.equal(mails.length, 0);
      const { code, item } = await setupWith(settings, '--send-test-alert');
      assert.deepEqual([code, item('alerts by smtp').state, mails.length], [0, 'ok', 1]);
      assert.match(mails[0] ?? '', /^Subject: \[setup\] test alert\r$/m);
    } finally {
      await new Promise<void>((resolve) => {
        server.close(resolve);
      });
    }
  });
});

describe('setup on a store that does not honour conditional writes', () => {
  async function outcomeOn(conditions: Conditions): Promise<{ store: LoopbackS3; outcome: Outcome }> {
    const store = await LoopbackS3.start(conditions, ['telemetry-published-v2']);
    const settings = {
      AWS_ENDPOINT_URL_S3: store.endpoint,
      TEMPORAL_NAMESPACE: `on-${conditions.length}`,
      // Its bucket is none of those whose conditions matter.
      TELEMETRY_WEBSITE_BUILT_IN: 'false',
    };
    return { store, outcome: await setupWith(settings, '--fix').finally(() => store.stop()) };
  }

  for (const conditions of ['ignored', 'only If-None-Match'] as const) {
    it(`T13: conditions ${conditions}: refuses it, and writes nothing to it but the probes it takes away again`, async () => {
      const { store, outcome } = await outcomeOn(conditions);
      assert.equal(outcome.code, 1);
      const writes = [outcome.item('writes to s3://fresh-analysis'), outcome.item('writes to s3://fresh-dashboard')];
      assert.deepEqual(
        writes.map(({ state }) => state),
        ['refused', 'refused'],
      );
      assert.match(writes[0]?.facts.join() ?? '', /If-Match replaced an object that has another ETag/);
      for (const name of ['public read', 'CORS', 'data set', 'schedule daily-analysis'])
        assert.equal(outcome.item(name).state, 'skipped', name);
      assert.deepEqual([...store.contents.keys()], []);
      const others = store.writes.filter((write) => !/^(?:PUT|DELETE) \/.*setup-probe-/.test(write));
      assert.deepEqual(others, ['PUT /fresh-analysis', 'PUT /fresh-dashboard']);
    });
  }

  it('takes the same store when it honours them', async () => {
    const { store, outcome } = await outcomeOn('honoured');
    assert.equal(outcome.item('writes to s3://fresh-dashboard').state, 'ok');
    assert.equal(outcome.item('data set').state, 'created', outcome.item('data set').facts.join());
    assert.ok(store.contents.has('/fresh-dashboard/v7/versions.json'));
  });
});
