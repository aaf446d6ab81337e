/** The policies of deploy/iam: each process may do exactly what it does, by the calls that it was seen making. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { investigationQueuePrefix } from '../../src/names.ts';
import { dataSetItem } from '../../src/setup/first-commit.ts';
import { bucketItem, writesItem } from '../../src/setup/buckets.ts';
import type { BucketAdministration } from '../../src/setup/ports.ts';
import { type ActivityCalls, traceActivities } from '../fakes/activity-calls.ts';
import { requestsOf } from '../fakes/aws-requests.ts';
import { type Call, CallTrace } from '../fakes/call-trace.ts';
import { Policy, type PolicyRequest } from '../fakes/iam-policy.ts';
import { stageActivities } from '../fakes/stage-activities.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';

const TOPIC = 'arn:aws:sns:us-west-2:123456789012:alerts';
const WORKER_ROLE = 'arn:aws:iam::123456789012:role/telemetry-worker';
const SPOT_ROLE = 'arn:aws:iam::123456789012:role/telemetry-analysis-worker';
const VALUES = {
  INPUT_BUCKET: 'input',
  ANALYSIS_BUCKET: 'analysis',
  PUBLISHED_BUCKET: 'published',
  PUBLISHED_PREFIX: 'v7/',
  WEBSITE_BUCKET: 'site',
  WEBSITE_PREFIX: '',
  TASK_QUEUE,
  DONE_QUEUE,
  INVESTIGATION_QUEUES: investigationQueuePrefix(TASK_QUEUE),
  REGION: 'us-west-2',
  ACCOUNT: '123456789012',
  SNS_TOPIC: TOPIC,
  WORKER_ROLE,
  ANALYSIS_WORKER_ROLE: SPOT_ROLE,
  OPERATOR_ROLE: 'arn:aws:iam::123456789012:role/telemetry-operator',
};

/** What runs in which process; the Temporal worker does the rest, its gauges included. */
const BESIDE_THE_WORKER: Readonly<Record<string, readonly string[]>> = {
  'analysis-worker': ['runTask'],
  watcher: ['acknowledgeFinding', 'collectFacts', 'verifyDataSet', 'writeProjections'],
};
/** Done by the worker, and by a command that names a source. */
const WEBSITE = ['describeWebsite', 'publishWebsite'];
/** Activities that ask nothing of AWS. */
const ASK_NOTHING = ['parseFilterDocument'];
const PROCESSES = ['worker', 'website-publisher', ...Object.keys(BESIDE_THE_WORKER)];

/** Calls of SDK clients that are not behind the ports of the fakes: the task consumer's, and the topic's. */
const BESIDE_THE_PORTS: Readonly<Record<string, readonly Call[]>> = {
  'analysis-worker': [TASK_QUEUE, `${VALUES.INVESTIGATION_QUEUES}gc-tasks`].flatMap((queue) =>
    ['url', 'receive', 'changeVisibility', 'deleteMessages'].map((method) => ({
      service: 'sqs',
      method,
      key: queue,
      outcome: 'ok',
    })),
  ),
  worker: [{ service: 'sns', method: 'publish', key: TOPIC, outcome: 'ok' }],
};

let calls: ActivityCalls;
before(async () => {
  calls = await traceActivities();
});

function workOf(role: string): readonly string[] {
  if (role === 'website-publisher') return WEBSITE;
  const others = Object.values(BESIDE_THE_WORKER).flat();
  return BESIDE_THE_WORKER[role] ?? [...calls.keys()].filter((name) => !others.includes(name));
}

function requestsOfRole(role: string): PolicyRequest[] {
  const traced = workOf(role).flatMap((name) => calls.get(name) ?? assert.fail(`${name} did not run`));
  return [...traced, ...(BESIDE_THE_PORTS[role] ?? [])].flatMap(requestsOf);
}

function refused(policy: Policy, requests: readonly PolicyRequest[]): string[] {
  const lines = requests
    .filter((request) => !policy.allows(request))
    .map(({ action, resource, context }) => `${action} ${resource} ${JSON.stringify(context)}`);
  return [...new Set(lines)];
}

describe('deploy/iam', () => {
  for (const role of PROCESSES) {
    it(`T12: ${role} may do all that it does, and nothing else`, () => {
      const policy = Policy.ofFile(`${role}.json`, VALUES);
      const requests = requestsOfRole(role);
      assert.deepEqual(refused(policy, requests), []);
      assert.deepEqual(policy.unused(requests), []);
    });
  }

  it('the worker has every activity', () => {
    const activities = Object.keys(stageActivities([])).filter((name) => !ASK_NOTHING.includes(name));
    assert.deepEqual(workOf('worker').toSorted(), [...activities, 'gauges', 'notify'].toSorted());
  });

  it('has a policy for each process that asks something of AWS, and for nothing else', () => {
    const policies = readdirSync(new URL('../../deploy/iam/', import.meta.url)).filter((name) =>
      name.endsWith('.json'),
    );
    assert.deepEqual(policies, [...PROCESSES, 'setup'].map((name) => `${name}.json`).toSorted());
  });

  it('T12: setup may do what it does', async () => {
    const trace = new CallTrace();
    const [analysis, published] = [new MemoryObjectStore('analysis', trace), new MemoryObjectStore('published', trace)];
    const signal = AbortSignal.timeout(10_000);
    for (const [store, prefix] of [
      [analysis, 'state/'],
      [published, 'v7/'],
    ] as const) {
      await writesItem(store, prefix).look(signal);
    }
    const dataSet = dataSetItem({ analysis, published, prefix: 'v7/' }, []);
    await dataSet.look(signal);
    await dataSet.create?.(signal);
    await dataSet.look(signal);
    await bucketItem({ exists: async () => true } as unknown as BucketAdministration, 'analysis').look(signal);
    trace.calls.push({ service: 'input', method: 'list', key: '', outcome: 'ok' });
    const ports = trace.calls.flatMap(requestsOf);
    const requests = [...ports, ...administration()];
    const policy = Policy.ofFile('setup.json', VALUES);
    assert.deepEqual(refused(policy, requests), []);
    assert.deepEqual(policy.unused(requests), []);
  });

  const plain = { 'aws:SecureTransport': 'true' };
  const put = (key: string, context: object = {}): PolicyRequest => ({
    action: 's3:PutObject',
    resource: `arn:aws:s3:::${key}`,
    context: { ...plain, ...context },
  });
  const remove = (key: string): PolicyRequest => ({ ...put(key), action: 's3:DeleteObject' });
  const once = { 's3:if-none-match': '*' };
  const byETag = { 's3:if-match': '"e"' };

  const forbidden: readonly [role: string, what: string, request: PolicyRequest][] = [
    ['worker', 'the beginning of a data set', put('published/v7/versions.json', once)],
    ['worker', 'a published file again', put('published/v7/20131030133200-28-nightly/filter-tree.json')],
    ['worker', 'the pointer without a condition', put('published/v7/versions.json')],
    ['worker', 'the deletion of the pointer', remove('published/v7/versions.json')],
    ['worker', 'the deletion of a plan', remove('analysis/state/runs/20131029/x/plan.ndjson.gz')],
    ['worker', 'the deletion of a receipt', remove('analysis/state/runs/20131029/x/receipts/1.done')],
    ['worker', 'the deletion of a projection', remove('published/v7/FILES_MISSING')],
    ['worker', 'the deletion of a ledger', remove('analysis/state/ledgers/00.json.gz')],
    ['worker', 'the deletion of a segment', remove('analysis/state/segments/nightly/28/20131029-00.ndjson.zst')],
    ['worker', 'a ledger again', put('analysis/state/ledgers/00.json.gz')],
    ['worker', 'a receipt again', put('analysis/state/runs/20131029/x/receipts/1.done')],
    [
      'worker',
      'the deletion of an older version',
      { ...remove('published/v7/FILES_MISSING'), action: 's3:DeleteObjectVersion' },
    ],
    ['analysis-worker', 'a receipt', put('analysis/state/runs/20131029/x/receipts/1.done', once)],
    ['analysis-worker', 'a job bundle', put('analysis/code/analysis.tar.gz', once)],
    ['analysis-worker', 'an input file', put('input/saved_session/x')],
    ['website-publisher', 'the data set', put('published/v7/FILES_PROCESSED')],
    ['watcher', 'the pointer, even by its ETag', put('published/v7/versions.json', byETag)],
    ['watcher', 'state', put('analysis/state/ledgers/00.json.gz', once)],
    ['watcher', 'the deletion of a projection', remove('published/v7/FILES_MISSING')],
    ['setup', 'the pointer over another', put('published/v7/versions.json')],
  ];
  for (const [role, what, request] of forbidden) {
    it(`${role} is refused ${what}`, () => {
      assert.ok(!Policy.ofFile(`${role}.json`, VALUES).allows(request));
    });
  }

  it('T14: worker deletes folders, chunks and sealed days', () => {
    const policy = Policy.ofFile('worker.json', VALUES);
    for (const key of [
      'published/v7/20131030133200-28-nightly/filter-tree.json',
      'analysis/state/runs/20131029/x/chunks/1-2-0.json',
      'analysis/state/segments/nightly/28/sealed-x-00.ndjson.zst',
    ]) {
      assert.ok(policy.allows(remove(key)), key);
    }
  });

  it('T11: only analysis workers and operators may send to the done queue', () => {
    const { statements } = Policy.ofFile('queues/done-queue.json', VALUES);
    const denied = (principal: string): boolean =>
      !new Policy(JSON.stringify({ Statement: [...statements, ANYTHING] }), VALUES).allows({
        action: 'sqs:SendMessage',
        resource: `arn:aws:sqs:us-west-2:123456789012:${DONE_QUEUE}`,
        context: { ...plain, 'aws:PrincipalArn': principal },
      });
    assert.deepEqual([SPOT_ROLE, WORKER_ROLE].map(denied), [false, true]);
  });

  const files = readdirSync(new URL('../../deploy/iam/', import.meta.url), { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    it(`${file} wants TLS, fits into a managed policy, and names each statement once`, () => {
      const text = readFileSync(new URL(`../../deploy/iam/${file}`, import.meta.url), 'utf8');
      const policy = new Policy(text, VALUES);
      const withoutTls = policy.statements.find(
        ({ Condition }) => Condition?.['Bool']?.['aws:SecureTransport'] === 'false',
      );
      assert.equal(withoutTls?.Effect, 'Deny');
      assert.ok(text.replaceAll(/\s/g, '').length <= 6144);
      const sids = policy.statements.map(({ Sid: sid }) => sid);
      assert.equal(new Set(sids).size, sids.length);
      assert.deepEqual(
        sids.filter((sid) => !/^[A-Za-z0-9]+$/.test(sid)),
        [],
      );
    });
  }
});

const ANYTHING = { Sid: 'Anything', Effect: 'Allow', Action: ['*'], Resource: ['*'] };

/** What `src/aws/provision.ts` asks for; the commands it imports must all be here. */
function administration(): PolicyRequest[] {
  const actions: Readonly<Record<string, string>> = {
    CreateBucketCommand: 's3:CreateBucket',
    HeadBucketCommand: 's3:ListBucket',
    GetBucketPolicyCommand: 's3:GetBucketPolicy',
    PutBucketPolicyCommand: 's3:PutBucketPolicy',
    GetBucketCorsCommand: 's3:GetBucketCORS',
    PutBucketCorsCommand: 's3:PutBucketCORS',
    CreateQueueCommand: 'sqs:CreateQueue',
    GetQueueUrlCommand: 'sqs:GetQueueUrl',
    GetQueueAttributesCommand: 'sqs:GetQueueAttributes',
    SetQueueAttributesCommand: 'sqs:SetQueueAttributes',
  };
  const source = readFileSync(new URL('../../src/aws/provision.ts', import.meta.url), 'utf8');
  const commands = new Set([...source.matchAll(/\bnew ([A-Za-z]+Command)\(/g)].map(([, name]) => name ?? ''));
  assert.deepEqual([...commands].toSorted(), Object.keys(actions).toSorted());
  const queues = [TASK_QUEUE, DONE_QUEUE].flatMap((queue) => [queue, `${queue}-dlq`]);
  return [...commands].flatMap((command) => {
    const action = actions[command] ?? '';
    const resources = action.startsWith('s3:')
      ? ['analysis', 'published', 'site'].map((bucket) => `arn:aws:s3:::${bucket}`)
      : queues.map((queue) => `arn:aws:sqs:us-west-2:123456789012:${queue}`);
    return resources.map((resource) => ({ action, resource, context: { 'aws:SecureTransport': 'true' } }));
  });
}
