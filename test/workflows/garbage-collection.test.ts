import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/failures.ts';
import { GARBAGE } from '../fakes/stage-activities.ts';
import { temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('time-skipping');

describe('garbageCollection', () => {
  it('plans, removes, and says how much', async () => {
    const { names, calls, result } = await temporal().execute({ type: 'garbageCollection', input: {} });
    assert.deepEqual(names, ['planGarbage', 'removeGarbage', 'removeLeftInvestigationQueues']);
    const [plan, removal] = calls.map(({ input }) => input as { id: string; force?: boolean });
    assert.ok(plan !== undefined && removal !== undefined);
    assert.equal(plan.force, false);
    assert.equal(removal.id, plan.id, 'what was planned is removed');
    assert.deepEqual(result, { ...GARBAGE, dryRun: false, deleted: GARBAGE.objects });
  });

  it('removes nothing on a dry run', async () => {
    const { names, result } = await temporal().execute({ type: 'garbageCollection', input: { dryRun: true } });
    assert.deepEqual(names, ['planGarbage']);
    assert.deepEqual(result, { ...GARBAGE, dryRun: true, deleted: 0 });
  });

  it('ends well where there is nothing to remove', async () => {
    const nothing = { ...GARBAGE, folders: 0, objects: 0, first: [] };
    const { names, result } = await temporal().execute({
      type: 'garbageCollection',
      activities: { planGarbage: async () => nothing },
    });
    assert.deepEqual(names, ['planGarbage', 'removeLeftInvestigationQueues']);
    assert.equal(result?.['deleted'], 0);
  });

  it('ends well when the queues of ended investigations cannot be looked for', async () => {
    const { result, told } = await temporal().execute({
      type: 'garbageCollection',
      activities: {
        removeLeftInvestigationQueues: async () => {
          throw ApplicationFailure.nonRetryable('no right to list queues', FailureType.AccessDenied);
        },
      },
    });
    assert.deepEqual(result, { ...GARBAGE, dryRun: false, deleted: GARBAGE.objects });
    assert.deepEqual(
      told.filter(({ outcome }) => outcome.kind === 'failed'),
      [],
    );
  });

  it('tells people when the data set looks wrong, and does not try again', async () => {
    const { names, failure, told } = await temporal().execute({
      type: 'garbageCollection',
      activities: {
        planGarbage: async () => {
          throw ApplicationFailure.nonRetryable('more than half would go', FailureType.GarbageRefused);
        },
      },
    });
    assert.deepEqual(names, ['planGarbage']);
    assert.match(failure?.cause instanceof Error ? failure.cause.message : '', /more than half/);
    assert.deepEqual(
      told.map(({ run, outcome }) => [run.job, outcome.kind]),
      [['garbage-collection', 'failed']],
    );
  });

  it('refuses input that it does not know', async () => {
    const { failure } = await temporal().execute({ type: 'garbageCollection', input: { delete: true } });
    assert.match(failure?.message ?? '', /Input of garbageCollection: "delete" is not known/);
  });
});
