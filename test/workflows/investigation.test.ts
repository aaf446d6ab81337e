import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { eventually } from '../fakes/eventually.ts';
import { drainUntilCancelled, PLAN } from '../fakes/stage-activities.ts';
import { type Execution, type Scenario, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('development');
const QUEUES = { taskQueue: 'inv-gc-tasks', doneQueue: 'inv-gc-done' };
const PUBLISHING: readonly string[] = [
  'planPublication',
  'stageSnapshot',
  'commitDataset',
  'updateProjections',
  'buildContribution',
];

async function investigate(input: unknown, more: Partial<Scenario> = {}): Promise<Execution> {
  const execution = await temporal().execute({ type: 'investigation', input, ...more });
  assert.deepEqual(
    execution.names.filter((name) => PUBLISHING.includes(name)),
    [],
  );
  return execution;
}

const inputOf = (execution: Execution, name: keyof Activities): unknown =>
  execution.calls.find((call) => call.name === name)?.input;

describe('investigation', () => {
  it('analyses with queues of its own, collects one result and removes the queues', async () => {
    const execution = await investigate({ name: 'gc', day: '20131029' });
    assert.deepEqual(
      execution.names.filter((name) => name !== 'mergeChunk'),
      [
        'renderFilter',
        'createInvestigationQueues',
        'planTasks',
        'enqueueTasks',
        'drainDoneQueue',
        'collectInvestigation',
        'removeInvestigationQueues',
      ],
    );
    const plan = inputOf(execution, 'planTasks') as { run: { runId: string; prefix: string } };
    assert.equal(plan.run.prefix, `state/investigations/gc/${plan.run.runId}/`);
    assert.deepEqual(inputOf(execution, 'enqueueTasks'), { run: plan.run, taskQueue: QUEUES.taskQueue });
    assert.deepEqual(inputOf(execution, 'removeInvestigationQueues'), QUEUES);
    assert.equal(execution.result?.['result'], 's3://analysis/investigations/gc/result.txt');
  });

  for (const [title, input, chosen] of [
    ['keys', { keys: ['a/b'] }, { day: null, keys: ['a/b'] }],
    ['a key list', { keyList: 'lists/gc' }, { day: null, keyList: 'lists/gc' }],
    ['a filter', { filter: { version: 1 } }, { day: null, filter: { version: 1, dimensions: [] } }],
  ] as const) {
    it(`takes ${title} instead of a day`, async () => {
      const execution = await investigate({ name: 'gc', ...input });
      const { run, ...plan } = inputOf(execution, 'planTasks') as { run: object };
      assert.ok(run);
      assert.deepEqual(plan, { jobName: 'investigation-gc', ...QUEUES, ...chosen });
    });
  }

  it('refuses a bad input before queues are made', async () => {
    const { names, failure } = await investigate({ name: '../gc', keys: [] });
    assert.deepEqual(names, []);
    assert.equal((failure as ApplicationFailure).type, FailureType.InvalidInput);
    for (const member of ['"name"', '"keys"']) assert.ok(failure?.message.includes(member), member);
  });

  for (const broken of ['planTasks', 'enqueueTasks', 'drainDoneQueue', 'mergeChunk', 'collectInvestigation'] as const) {
    it(`removes its queues when ${broken} fails for good`, async () => {
      const fail = async (): Promise<never> => {
        throw ApplicationFailure.nonRetryable('no', FailureType.AccessDenied);
      };
      const execution = await investigate({ name: 'gc', day: '20131029' }, { activities: { [broken]: fail } });
      assert.ok(execution.failure);
      assert.equal(execution.names.at(-1), 'removeInvestigationQueues');
    });
  }

  it('removes its queues when it is cancelled while it drains', async () => {
    const draining = Promise.withResolvers<undefined>();
    const execution = await investigate(
      { name: 'gc', day: '20131029' },
      {
        activities: {
          drainDoneQueue: async () => {
            draining.resolve(undefined);
            return drainUntilCancelled();
          },
        },
        during: async (handle) => {
          await draining.promise;
          await handle.cancel();
        },
      },
    );
    assert.ok(execution.failure instanceof CancelledFailure);
    assert.equal(execution.names.at(-1), 'removeInvestigationQueues');
    assert.ok(!execution.names.includes('collectInvestigation'));
  });

  it('removes its queues when it is cancelled while they are made', async () => {
    const creating = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const execution = await investigate(
      { name: 'gc', day: '20131029' },
      {
        activities: {
          createInvestigationQueues: async () => {
            creating.resolve(undefined);
            await go.promise;
            return QUEUES;
          },
          planTasks: async () => PLAN,
        },
        during: async (handle) => {
          await creating.promise;
          await handle.cancel();
          await eventually(async () => {
            const { events } = await handle.fetchHistory();
            const cancelled = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? -1;
            assert.ok(cancelled >= 0);
            assert.ok(events?.slice(cancelled).some((event) => event.workflowTaskCompletedEventAttributes));
          });
          go.resolve(undefined);
        },
      },
    );
    assert.ok(execution.failure instanceof CancelledFailure);
    assert.deepEqual(execution.names, ['renderFilter', 'createInvestigationQueues', 'removeInvestigationQueues']);
  });
});
