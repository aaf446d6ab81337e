import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { schedules } from '../../src/schedules.ts';
import { alertItems } from '../../src/setup/alert-items.ts';
import { decoderItem } from '../../src/setup/decoder.ts';
import { dataSetItem, lookAtDataSet } from '../../src/setup/first-commit.ts';
import { lookAtSearchAttributes } from '../../src/setup/namespace.ts';
import { guardStatement, lookAtGuard, pointerGuardItem } from '../../src/setup/pointer-guard.ts';
import type { BucketAdministration } from '../../src/setup/ports.ts';
import { lookAtCors, lookAtPolicy, mergedPolicy, wantedStatements } from '../../src/setup/published-access.ts';
import { duration, queueDifferences, wantedQueues } from '../../src/setup/queues.ts';
import { cronOf, scheduleDifferences } from '../../src/setup/schedule-items.ts';
import { runItems } from '../../src/setup/run-items.ts';
import { SUBMISSION_LIMITS } from '../../src/limits.ts';
import type { AlertChannel } from '../../src/ports.ts';
import { Policy } from '../fakes/iam-policy.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const signal = new AbortController().signal;

describe('SQS queues', () => {
  const names = { taskQueue: 'tasks', doneQueue: 'done' };
  const queues = wantedQueues(names, { taskSeconds: 15, doneSeconds: 120 });
  const byName = new Map(queues.map((queue) => [queue.name, queue]));
  const done = byName.get('done')!;
  const redrive = JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:us-west-2:0:done-dlq', maxReceiveCount: 10 });
  const good = { ...done.attributes, RedrivePolicy: redrive };

  it('are those of docs/formats/queues.md 2.6, dead letters first', () => {
    assert.deepEqual([...byName.keys()], ['tasks-dlq', 'tasks', 'done-dlq', 'done']);
    assert.deepEqual(byName.get('tasks')?.attributes, {
      DelaySeconds: '15',
      VisibilityTimeout: '1800',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '20',
    });
    assert.deepEqual(done.attributes, {
      DelaySeconds: '120',
      VisibilityTimeout: '21600',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '0',
    });
    assert.deepEqual(byName.get('done-dlq')?.attributes, { MessageRetentionPeriod: '1209600' });
  });

  const cases: readonly [what: string, attributes: Readonly<Record<string, string>>, differences: readonly string[]][] =
    [
      ['as wanted', good, []],
      ['with more attributes than ours', { ...good, KmsMasterKeyId: 'x', MaximumMessageSize: '1024' }, []],
      ['another number', { ...good, VisibilityTimeout: '30' }, ['VisibilityTimeout is 30, should be 21600']],
      ['no redrive policy', { ...done.attributes }, ['has no dead-letter queue, should have done-dlq']],
      ['an empty redrive policy', { ...good, RedrivePolicy: '' }, ['has no dead-letter queue, should have done-dlq']],
      [
        'counts as text, another target',
        { ...good, RedrivePolicy: '{"maxReceiveCount":"3","deadLetterTargetArn":"arn:aws:sqs:x:0:other"}' },
        ['dead letters go to other, should go to done-dlq', 'maxReceiveCount is 3, should be 10'],
      ],
    ];
  for (const [what, attributes, differences] of cases) {
    it(`compared: ${what}`, () => {
      assert.deepEqual(queueDifferences(attributes, done), differences);
    });
  }

  it('takes an attribute that the service does not tell for no difference', () => {
    const { MessageRetentionPeriod: _, ...rest } = good as Record<string, string>;
    assert.deepEqual(queueDifferences(rest, done), []);
  });

  it('shows durations in their largest exact unit', () => {
    assert.deepEqual([0, 15, 120, 21_600, 345_600, 90].map(duration), [
      '0 s',
      '15 s',
      '2 min',
      '6 h',
      '4 days',
      '90 s',
    ]);
  });
});

describe('public read', () => {
  const look = (...statements: unknown[]) =>
    lookAtPolicy(JSON.stringify({ Statement: statements }), 'pub', 'v7/').state;
  const ours = wantedStatements('pub', 'v7/')[0]!;

  it('is missing without a policy', () => {
    assert.equal(lookAtPolicy(null, 'pub', 'v7/').state, 'missing');
  });

  const cases: readonly [what: string, statement: unknown, state: string][] = [
    ['our own', ours, 'ok'],
    ['single texts for lists', { ...ours, Action: 's3:GetObject', Resource: 'arn:aws:s3:::pub/*' }, 'ok'],
    ['everybody in the other spelling', { ...ours, Principal: { AWS: '*' } }, 'ok'],
    [
      'CloudFront',
      { ...ours, Principal: { Service: 'cloudfront.amazonaws.com' }, Condition: { StringEquals: {} } },
      'ok',
    ],
    ['one account', { ...ours, Principal: { AWS: 'arn:aws:iam::1:root' } }, 'differs'],
    ['everybody under a condition', { ...ours, Condition: { IpAddress: {} } }, 'differs'],
    ['another prefix', { ...ours, Resource: 'arn:aws:s3:::pub/v8/*' }, 'differs'],
    ['listing only', { ...ours, Action: 's3:ListBucket' }, 'differs'],
    ['a denial', { ...ours, Effect: 'Deny' }, 'differs'],
  ];
  for (const [what, statement, state] of cases) {
    it(`${what}: ${state}`, () => {
      assert.equal(look(statement), state);
    });
  }

  it('a fix keeps the statements of others and replaces its own', () => {
    const theirs = { Sid: 'Theirs', Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: 'x' };
    const old = JSON.stringify({ Statement: [theirs, { ...ours, Resource: 'arn:aws:s3:::pub/old/*' }] });
    const { Statement: merged } = JSON.parse(mergedPolicy(old, [ours])) as { Statement: unknown };
    assert.deepEqual(merged, [theirs, ours]);
    assert.equal(lookAtPolicy(mergedPolicy(null, [ours]), 'pub', 'v7/').state, 'ok');
  });
});

describe('T13: the guard of the pointer', () => {
  const ours = guardStatement('pub', 'v7/');
  const look = (...statements: unknown[]) => lookAtGuard(JSON.stringify({ Statement: statements }), 'pub', 'v7/').state;

  const request = (context: Readonly<Record<string, string>>, key = 'v7/versions.json') => ({
    ...{ action: 's3:PutObject', resource: `arn:aws:s3:::pub/${key}` },
    context,
  });
  const anything = { Sid: 'All', Effect: 'Allow', Action: ['*'], Resource: ['*'] };
  const policy = new Policy(mergedPolicy(JSON.stringify({ Statement: [anything] }), [ours]), {});
  for (const [what, asked, allowed] of [
    ['a plain PUT', request({}), false],
    ['a PUT with If-Match', request({ 's3:if-match': '"e"' }), true],
    ['the first PUT, with If-None-Match', request({ 's3:if-none-match': '*' }), true],
    ['a plain PUT of another file', request({}, 'v7/status.json'), true],
  ] as const) {
    it(`${what} is ${allowed ? 'let through' : 'refused'}`, () => {
      assert.equal(policy.allows(asked), allowed);
    });
  }

  const cases: readonly [what: string, statement: unknown, state: string][] = [
    ['our own', ours, 'ok'],
    ['as AWS gives it back', { ...ours, Action: 's3:PutObject', Resource: 'arn:aws:s3:::pub/v7/versions.json' }, 'ok'],
    ['the stricter one', { ...ours, Condition: { Null: { 's3:if-match': true } } }, 'ok'],
    ['without a condition', { ...ours, Condition: undefined }, 'differs'],
    ['a weaker condition', { ...ours, Condition: { Null: { 's3:if-none-match': 'true' } } }, 'differs'],
    ['one more condition', { ...ours, Condition: { Null: ours.Condition, StringEquals: {} } }, 'differs'],
    ['of another prefix', guardStatement('pub', 'v8/'), 'missing'],
  ];
  for (const [what, statement, state] of cases) {
    it(`${what}: ${state}`, () => {
      assert.equal(look(statement), state);
    });
  }

  it('is added to the policy that is there, and a second set-up changes nothing', async () => {
    const store = { policy: mergedPolicy(null, wantedStatements('pub', 'v7/')), sets: 0 };
    const admin = {
      knowsWriteConditions: true,
      policy: async () => store.policy,
      setPolicy: async (_: string, text: string) => {
        store.policy = text;
        store.sets += 1;
      },
    } as unknown as BucketAdministration;
    const states: string[] = [];
    for (let time = 0; time < 2; time += 1) {
      const [outcome] = await runItems([pointerGuardItem(admin, 'pub', 'v7/', [])], { fix: true });
      states.push(outcome?.state ?? '');
    }
    assert.deepEqual([states, store.sets], [['created', 'ok'], 1]);
    assert.equal(lookAtPolicy(store.policy, 'pub', 'v7/').state, 'ok');
  });
});

describe('CORS', () => {
  const rule = (AllowedOrigins: string[], AllowedMethods: string[]) => ({ AllowedOrigins, AllowedMethods });
  for (const [what, rules, state] of [
    ['none', [], 'missing'],
    ['one rule', [rule(['*'], ['GET', 'HEAD', 'PUT'])], 'ok'],
    ['two rules', [rule(['*'], ['GET']), rule(['https://a.example', '*'], ['HEAD'])], 'ok'],
    ['one origin', [rule(['https://a.example'], ['GET', 'HEAD'])], 'differs'],
    ['GET only', [rule(['*'], ['GET'])], 'differs'],
  ] as const) {
    it(`${what}: ${state}`, () => {
      assert.equal(lookAtCors(rules).state, state);
    });
  }
});

describe('the data set', () => {
  function stores() {
    return {
      analysis: new MemoryObjectStore('private', new CallTrace()),
      published: new MemoryObjectStore('public', new CallTrace()),
      prefix: 'v7/',
    };
  }
  const state = async (parts: ReturnType<typeof stores>) => (await lookAtDataSet(parts, signal)).state;

  it('is created once, with its ledger', async () => {
    const parts = stores();
    assert.equal(await state(parts), 'missing');
    const [outcome] = await runItems([dataSetItem(parts, [])], { fix: false });
    assert.equal(outcome?.state, 'created');
    const { etag } = await parts.published.get('v7/versions.json');
    const [again] = await runItems([dataSetItem(parts, [])], { fix: true });
    assert.equal(again?.state, 'ok');
    assert.equal((await parts.published.get('v7/versions.json')).etag, etag);
  });

  const foreign: readonly [what: string, body: Buffer][] = [
    ['the map of the original', Buffer.from('{"nightly/28":"20131029120000-28-nightly"}')],
    ['an empty object', Buffer.from('{}')],
    ['no JSON', gzipSync('<html>')],
    ['damaged gzip data', gzipSync('{"a":1}').subarray(0, 15)],
    ['nothing', Buffer.alloc(0)],
  ];
  for (const [what, body] of foreign) {
    it(`I12: ${what} is never overwritten, and runs are kept from it`, async () => {
      const parts = stores();
      await parts.published.put('v7/versions.json', body);
      const [outcome, run] = await runItems(
        [dataSetItem(parts, []), { ...dataSetItem(parts, []), name: 'run', needs: [dataSetItem(parts, []).name] }],
        { fix: true },
      );
      assert.equal(outcome?.state, 'differs');
      assert.match(outcome.facts.join(), /telemetry adopt/);
      assert.equal(run?.state, 'skipped');
      assert.deepEqual((await parts.published.get('v7/versions.json')).body, body);
    });
  }

  it('is not begun again where the pointer is gone but its folders are there', async () => {
    const parts = stores();
    await parts.published.put('v7/20131029120000-28-nightly/_manifest.json', Buffer.from('{}'));
    const [outcome] = await runItems([dataSetItem(parts, [])], { fix: true });
    assert.equal(outcome?.state, 'differs');
    assert.equal(await parts.published.head('v7/versions.json'), undefined);
  });

  it('differs where its ledger lies in another analysis bucket', async () => {
    const parts = stores();
    await runItems([dataSetItem(parts, [])], { fix: false });
    assert.equal(await state({ ...parts, analysis: new MemoryObjectStore('other', new CallTrace()) }), 'differs');
  });
});

describe('search attributes', () => {
  for (const [what, known, state] of [
    ['both', { AnalysisDay: 2, AnalysisRun: 2, CustomerId: 1 }, 'ok'],
    ['one', { AnalysisDay: 2 }, 'missing'],
    ['another type', { AnalysisDay: 1 }, 'differs'],
  ] as const) {
    it(`${what}: ${state}`, () => {
      assert.equal(lookAtSearchAttributes(known).state, state);
    });
  }
});

describe('schedules', () => {
  const all = (first: number, last: number) => [{ start: first, end: last, step: 1 }];
  const at = (value: number) => [{ start: value, end: value, step: 1 }];
  const calendar = {
    second: at(0),
    minute: at(31),
    hour: at(13),
    dayOfMonth: all(1, 31),
    month: [{ start: 'JANUARY' as const, end: 'DECEMBER' as const, step: 1 }],
    dayOfWeek: [{ start: 'SUNDAY' as const, end: 'SATURDAY' as const, step: 1 }],
    year: [],
  };

  it('are read back as cron expressions', () => {
    assert.equal(cronOf(calendar), '31 13 * * *');
    assert.equal(
      cronOf({
        ...calendar,
        minute: [{ start: 0, end: 59, step: 15 }],
        hour: [{ start: 8, end: 17, step: 1 }, ...at(20)],
        month: [{ start: 'MARCH', end: 'MARCH', step: 1 }],
        dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY', step: 2 }],
      }),
      '*/15 8-17,20 * 3 1-5/2',
    );
    assert.equal(cronOf({ ...calendar, second: at(30), year: at(2026) }), 'second 30: 31 13 * * * year 2026');
  });

  const wanted = schedules('telemetry')[0]!;
  const actual = {
    spec: { calendars: [calendar], intervals: [], timezone: 'UTC' },
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: 4 * 86_400_000, pauseOnFailure: false },
    action: { ...wanted.action, workflowType: 'dailyAnalysis', workflowId: 'daily-analysis', args: [{}] },
  } as unknown as Parameters<typeof scheduleDifferences>[0];
  const cases: readonly [change: object, differences: readonly string[]][] = [
    [{}, []],
    [
      { spec: { calendars: [{ ...calendar, hour: at(12) }], timezone: 'Europe/Berlin' } },
      ['the time is 31 12 * * *, should be 31 13 * * *', 'the time zone is Europe/Berlin, should be UTC'],
    ],
    [{ spec: { calendars: [], timezone: 'UTC' } }, ['the time is none, should be 31 13 * * *']],
    [
      { policies: { ...actual.policies, overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 60_000 } },
      ['the overlap policy is SKIP, should be BUFFER_ALL', 'the catch-up window in seconds is 60, should be 345600'],
    ],
    [
      { action: { ...actual.action, taskQueue: 'other', args: [{ day: '20131029' }] } },
      ['the worker task queue is other, should be telemetry', 'the input is [{"day":"20131029"}], should be [{}]'],
    ],
  ];
  for (const [change, differences] of cases) {
    it(`compared: ${differences[0] ?? 'as wanted'}`, () => {
      assert.deepEqual(scheduleDifferences({ ...actual, ...change }, wanted), differences);
    });
  }
});

describe('the decoder', () => {
  it('decodes both samples within the limits of submissions, and not beyond them', async () => {
    const limits = SUBMISSION_LIMITS;
    const [good] = await runItems([decoderItem('/tmp', limits)], { fix: false });
    assert.deepEqual([good?.state, good?.facts], ['ok', ['LZMA and xz decode in /tmp']]);
    const [tight] = await runItems([decoderItem('/tmp', { ...limits, maxDecodedBytes: 10 })], { fix: false });
    assert.equal(tight?.state, 'failed');
    const [nowhere] = await runItems([decoderItem('/nowhere', limits)], { fix: false });
    assert.match(nowhere?.facts[0] ?? '', /ENOENT/);
  });
});

describe('alert channels', () => {
  function channel(verify: () => Promise<void>) {
    const sent: string[] = [];
    const made: AlertChannel = {
      name: 'smtp',
      send: async ({ subject }) => {
        sent.push(subject);
      },
      verify,
      close: () => undefined,
    };
    return { made, sent };
  }
  const run = (channels: readonly AlertChannel[], sendTest: boolean) =>
    runItems(alertItems({ channels, sendTest, secrets: ['hunter22'] }), { fix: false });

  it('are verified without alarming anybody; a test alert is sent when wanted', async () => {
    const { made, sent } = channel(async () => undefined);
    assert.equal((await run([made], false))[0]?.state, 'ok');
    assert.deepEqual(sent, []);
    assert.equal((await run([made], true))[0]?.state, 'ok');
    assert.deepEqual(sent, ['[setup] test alert']);
  });

  it('fail without their secrets, and are not sent to', async () => {
    const { made, sent } = channel(async () => Promise.reject(new Error('login with hunter22 refused')));
    assert.deepEqual((await run([made], true))[0], {
      name: 'alerts by smtp',
      state: 'failed',
      facts: ['login with … refused'],
    });
    assert.deepEqual(sent, []);
  });

  it('only warn when there are none', async () => {
    assert.equal((await run([], false))[0]?.state, 'warning');
  });

  it('say whose settings they judge: the worker, which sends alerts, may have others', async () => {
    const { made } = channel(async () => undefined);
    for (const [channels, sendTest] of [
      [[], false],
      [[made], false],
      [[made], true],
    ] as const)
      assert.match((await run(channels, sendTest))[0]?.facts.join('; ') ?? '', /settings of this command; .*worker/);
  });
});
