import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/failures.ts';
import { QUARANTINE_FULL_WARNING, quarantinedWarning } from '../../src/pipeline/dataset/run-warnings.ts';
import { eventually } from '../fakes/eventually.ts';
import { ALL_IN, drainUntilCancelled, PLAN } from '../fakes/stage-activities.ts';
import { type Execution, type Scenario, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('development');
const DAY = '20131029';

function analyse(more: Partial<Scenario> = {}): Promise<Execution> {
  return temporal().execute({ type: 'dailyAnalysis', input: { day: DAY }, ...more });
}

const noQueue = async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('no such queue smtp://me:hunter22@mail', FailureType.QueueMissing);
};

describe('how a daily analysis reaches people', () => {
  it('a failed run tells once, with step, activity, type and message, then fails as it would have', async () => {
    const { told, failure } = await analyse({ activities: { planTasks: noQueue } });
    assert.equal(told.length, 1);
    const { run, outcome } = told[0] ?? assert.fail();
    assert.deepEqual([run.job, run.about, run.workflowType], ['daily-analysis', DAY, 'dailyAnalysis']);
    assert.ok(outcome.kind === 'failed');
    assert.equal(outcome.step, 'listing the input bucket');
    const { type, activity, message, timeout } = outcome.failure;
    assert.deepEqual([type, activity, timeout], [FailureType.QueueMissing, 'planTasks', null]);
    assert.equal(message, 'no such queue smtp://…@mail', '128: no secret goes into the history');
    assert.match(failure?.message ?? '', /Activity task failed/);
  });

  it('a run that ended well says so, and the dead man hears of the verified commit before it', async () => {
    const pings: number[] = [];
    const { told, names } = await analyse({
      alerts: {
        pingDeadMan: async ({ seq }) => {
          pings.push(seq);
        },
      },
    });
    assert.deepEqual(
      told.map(({ outcome }) => outcome),
      [{ kind: 'ended', warnings: [] }],
    );
    assert.deepEqual(pings, [1]);
    assert.ok(names.includes('updateProjections'));
  });

  it('no input → a warning, no ping', async () => {
    const pings: number[] = [];
    const { told } = await analyse({
      activities: { planTasks: async () => ({ ...PLAN, files: 0, tasks: 0, bytes: 0 }) },
      alerts: {
        pingDeadMan: async ({ seq }) => {
          pings.push(seq);
        },
      },
    });
    const { outcome } = told[0] ?? assert.fail();
    assert.ok(outcome.kind === 'ended');
    assert.match(outcome.warnings[0] ?? '', /no input for 20131029/);
    assert.deepEqual(pings, []);
  });

  it('quarantined messages are warnings', async () => {
    const { told, result } = await analyse({
      activities: { drainDoneQueue: async () => ({ ...ALL_IN, quarantined: 2 }) },
    });
    const { outcome } = told[0] ?? assert.fail();
    assert.deepEqual(outcome, { kind: 'ended', warnings: [quarantinedWarning(2)] });
    assert.deepEqual(result?.['warnings'], [quarantinedWarning(2)]);
  });

  it('a flooded done queue is told of while the run goes on, once, and again at its end', async () => {
    const known: (boolean | undefined)[] = [];
    const answers = [
      { ...ALL_IN, done: 0, missing: 3, ready: [], held: 4 },
      { ...ALL_IN, done: 0, missing: 3, ready: [], held: 9 },
    ];
    const { told } = await analyse({
      activities: {
        drainDoneQueue: async ({ heldIsKnown }) => {
          known.push(heldIsKnown);
          return answers.shift() ?? ALL_IN;
        },
      },
    });
    assert.deepEqual(
      told.map(({ outcome }) => outcome.kind),
      ['underway', 'ended'],
    );
    const [first, last] = told.map(({ outcome }) => (outcome.kind === 'failed' ? [] : outcome.warnings));
    assert.match(first?.[0] ?? '', /more bad messages than TELEMETRY_QUARANTINE_PER_HOUR/);
    assert.deepEqual(last, [QUARANTINE_FULL_WARNING]);
    assert.deepEqual(known, [false, true, true]);
  });

  for (const broken of ['notify', 'pingDeadMan'] as const) {
    it(`a ${broken} that fails changes nothing in the result`, async () => {
      const { result } = await analyse({
        alerts: {
          [broken]: async () => {
            throw ApplicationFailure.nonRetryable('no way to reach anybody');
          },
        },
      });
      assert.deepEqual([result?.['decision'], result?.['seq'], result?.['warnings']], ['published', 1, []]);
    });
  }

  it('and a notifier that fails does not hide why the run failed', async () => {
    const { failure } = await analyse({
      activities: { planTasks: noQueue },
      alerts: {
        notify: async () => {
          throw ApplicationFailure.nonRetryable('no way to reach anybody');
        },
      },
    });
    assert.match(String(failure?.cause), /no such queue/);
  });

  it('a run that an operator cancels is silent', async () => {
    const { told, failure } = await analyse({
      activities: { drainDoneQueue: drainUntilCancelled },
      during: async (handle) => {
        await eventually(async () => {
          const { phase } = await handle.query<{ phase: string }>('progress');
          assert.match(phase, /draining/);
        });
        await handle.cancel();
      },
    });
    assert.ok(failure);
    assert.deepEqual(told, []);
  });
});
