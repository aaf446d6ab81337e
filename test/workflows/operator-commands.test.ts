import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { Activities } from '../../src/activities/index.ts';
import { finishWithMissing, resendMissing } from '../../src/workflows/operator-control.ts';
import { drainedSoFarSignal, progressQuery } from '../../src/workflows/run-progress.ts';
import { eventually } from '../fakes/eventually.ts';
import { ALL_IN, drainUntilCancelled, PLAN } from '../fakes/stage-activities.ts';
import { type Scenario, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('development');

const execute = (activities: Partial<Activities>, during: NonNullable<Scenario['during']>) =>
  temporal().execute({ type: 'dailyAnalysis', input: { day: '20131029' }, activities, during });

describe('operator commands', () => {
  it('finishWithMissing ends the waiting; what is there is merged and published', async () => {
    const { names, result } = await execute({ drainDoneQueue: drainUntilCancelled }, async (handle) => {
      const answer = await eventually(() => handle.executeUpdate(finishWithMissing));
      assert.match(answer, /goes on without the missing results; a day without any result ends as NothingAnalysed/);
    });
    assert.equal(result?.['decision'], 'published');
    assert.equal(names.filter((name) => name === 'mergeChunk').length, 2);
    assert.ok(!names.includes('recoverStragglers'));
  });

  it('resendMissing looks and sends again at once, and answers with what it found; the drain goes on', async () => {
    const { calls, result } = await execute({ drainDoneQueue: drainUntilCancelled }, async (handle) => {
      const found = await eventually(() => handle.executeUpdate(resendMissing));
      assert.deepEqual(found, { recovered: 0, resent: 1 });
      await handle.executeUpdate(finishWithMissing);
    });
    const looks = calls.filter(({ name }) => name === 'recoverStragglers');
    assert.deepEqual(
      looks.map(({ input }) => (input as { resend: boolean }).resend),
      [true],
    );
    assert.equal(result?.['decision'], 'published');
  });

  for (const { name: command } of [finishWithMissing, resendMissing]) {
    it(`${command} is refused before and after the drain`, async () => {
      const gates = {
        planTasks: Promise.withResolvers<undefined>(),
        buildContribution: Promise.withResolvers<undefined>(),
      };
      const reached = {
        planTasks: Promise.withResolvers<undefined>(),
        buildContribution: Promise.withResolvers<undefined>(),
      };
      const refused = async (send: () => Promise<unknown>): Promise<void> => {
        await assert.rejects(send, WorkflowUpdateFailedError);
      };
      const { result, names } = await execute(
        {
          planTasks: async () => {
            reached.planTasks.resolve(undefined);
            await gates.planTasks.promise;
            return PLAN;
          },
          drainDoneQueue: async () => ALL_IN,
          updateProjections: async () => {
            reached.buildContribution.resolve(undefined);
            await gates.buildContribution.promise;
            return { seq: 1, channelVersions: 1, versions: 's3://published/v7/versions.json' };
          },
        },
        async (handle) => {
          await reached.planTasks.promise;
          await refused(() => handle.executeUpdate(command));
          gates.planTasks.resolve(undefined);
          await reached.buildContribution.promise;
          await refused(() => handle.executeUpdate(command));
          gates.buildContribution.resolve(undefined);
        },
      );
      assert.equal(result?.['decision'], 'published');
      assert.ok(!names.includes('recoverStragglers'));
    });
  }

  it('the query progress moves while one call of the drain goes on, and never back', async () => {
    await execute({ drainDoneQueue: drainUntilCancelled }, async (handle) => {
      const told = async (done: number, seen: number): Promise<void> => {
        await handle.signal(drainedSoFarSignal, { done, failed: 1, missing: PLAN.tasks - 1 - done });
        await eventually(async () => {
          const { facts, counter } = await handle.query(progressQuery);
          assert.equal(facts['tasks'], `${seen} done, 1 failed, ${PLAN.tasks - 1 - seen} open`);
          assert.deepEqual(counter, { done: seen + 1, of: PLAN.tasks, unit: 'tasks' });
        });
      };
      await told(0, 0);
      await told(2, 2);
      await told(1, 2);
      await eventually(() => handle.executeUpdate(finishWithMissing));
    });
  });

  it('a signal that says nothing, or nothing that can be true, changes nothing and fails nothing', async () => {
    const { result } = await execute({ drainDoneQueue: drainUntilCancelled }, async (handle) => {
      await handle.signal(drainedSoFarSignal, { done: 1, failed: 0, missing: 2 });
      const wrong = [
        undefined,
        null,
        'x',
        {},
        { done: 1e300, failed: 0, missing: 0 },
        { done: 3, failed: 0, missing: '\u001b[31m' },
      ];
      for (const argument of wrong) await handle.signal(drainedSoFarSignal, argument);
      await handle.signal('drainedSoFar');
      await eventually(async () => {
        const { facts } = await handle.query(progressQuery);
        assert.equal(facts['tasks'], '1 done, 0 failed, 2 open');
      });
      await eventually(() => handle.executeUpdate(finishWithMissing));
    });
    assert.equal(result?.['decision'], 'published');
  });

  it('the query progress tells phase and counts while the run is draining', async () => {
    let drains = 0;
    const drainDoneQueue: Activities['drainDoneQueue'] = async () => {
      drains += 1;
      return drains === 1 ? { ...ALL_IN, done: 2, missing: 1, ready: [] } : drainUntilCancelled();
    };
    await execute({ drainDoneQueue }, async (handle) => {
      const progress = await eventually(async () => {
        const told = await handle.query(progressQuery);
        assert.match(told.facts['tasks'] ?? '', /^2 done, 0 failed, 1 open/);
        return told;
      });
      assert.equal(progress.phase, 'draining the done queue');
      assert.match(progress.facts['input'] ?? '', /6 files/);
      await eventually(() => handle.executeUpdate(finishWithMissing));
    });
  });
});
