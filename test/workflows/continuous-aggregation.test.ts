import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import { isPastFirstStep } from '../../src/commands/follow-run.ts';
import { FailureType } from '../../src/failures.ts';
import { progressQuery } from '../../src/workflows/run-progress.ts';
import { eventually } from '../fakes/eventually.ts';
import { drainUntilCancelled, inTurn } from '../fakes/stage-activities.ts';
import { CONTINUE_SOON, type Execution, type Scenario, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('development');
const ROUND = [
  'planRound',
  'mergeChunk',
  'mergeChunk',
  'buildContribution',
  'planPublication',
  'stageSnapshot',
  'commitDataset',
  'updateProjections',
  'settleRound',
  'findChanges',
  'writeReport',
];

type Handle = Parameters<NonNullable<Scenario['during']>>[0];
type Waiting = Awaited<ReturnType<Activities['collectWaiting']>>;
type PublicationPlan = Awaited<ReturnType<Activities['planPublication']>>;

async function aggregate(more: Partial<Scenario>): Promise<Execution> {
  return temporal().execute({ type: 'continuousAggregation', during: stop, ...more });
}

async function stop(handle: Handle): Promise<void> {
  await eventually(() => handle.executeUpdate('stop'));
}

const waiting = (count: number): Waiting => ({ waiting: count, duplicates: 0, quarantined: 0, held: 0 });
const withoutCollecting = ({ names }: Execution): string[] =>
  names.filter((name) => !['collectWaiting', 'aggregationSettings'].includes(name));

/** Answers from the list, then idles until it is cancelled. */
function collected(...counts: number[]): Activities['collectWaiting'] {
  let call = 0;
  return async () => {
    call += 1;
    const count = counts[call - 1];
    return count === undefined ? drainUntilCancelled() : waiting(count);
  };
}

async function facts(handle: Handle): Promise<Readonly<Record<string, string>>> {
  return (await handle.query(progressQuery)).facts;
}

describe('continuousAggregation', () => {
  it('publishes a round through the stages of a day as soon as enough results wait', async () => {
    const execution = await aggregate({
      input: { roundResults: 3 },
      activities: { collectWaiting: collected(2, 3) },
      during: async (handle) => {
        await eventually(async () => {
          assert.match((await facts(handle))['published'] ?? '', /^1 round, 3 results/);
        });
        await stop(handle);
      },
    });
    assert.deepEqual(withoutCollecting(execution), [...ROUND, ...ROUND], 'one when due, one before the stop');
    assert.deepEqual(execution.result, { rounds: 2, results: 6 });
    const plan = execution.calls.find(({ name }) => name === 'planRound')?.input as {
      run: { runId: string; prefix: string };
      instant: string;
    };
    assert.equal(plan.run.prefix, `state/rounds/${plan.instant}/${plan.run.runId}/`);
    const contribution = execution.calls.find(({ name }) => name === 'buildContribution')?.input;
    assert.equal((contribution as { day: string }).day, `round-${plan.instant}`);
  });

  it('one result is enough once the last publish is long ago', async () => {
    const execution = await aggregate({
      input: { roundSeconds: 1, carried: { publishedAt: 0, rounds: 7, results: 70 } },
      activities: { collectWaiting: collected(1) },
      during: async (handle) => {
        await eventually(async () => {
          assert.match((await facts(handle))['published'] ?? '', /^8 rounds/);
        });
        await stop(handle);
      },
    });
    assert.deepEqual((execution.calls[1]?.input as { results: number }).results, 1);
    assert.deepEqual(execution.result, { rounds: 9, results: 76 });
  });

  it('nothing is published while too few results wait and the last publish is not long ago', async () => {
    const execution = await aggregate({ activities: { collectWaiting: collected(1, 2, 999) } });
    assert.deepEqual(withoutCollecting(execution), ROUND, 'only the round before the stop');
  });

  it('publishNow interrupts the waiting and answers with the round', async () => {
    let answer: unknown;
    await aggregate({
      activities: { collectWaiting: drainUntilCancelled },
      during: async (handle) => {
        await eventually(async () => {
          answer = await handle.executeUpdate('publishNow');
        });
        await stop(handle);
      },
    });
    assert.deepEqual(answer, { decision: 'published', results: 3, seq: 1 });
  });

  it('two Updates at a time are both answered', async () => {
    await aggregate({
      activities: { collectWaiting: drainUntilCancelled },
      during: async (handle) => {
        await eventually(() => handle.executeUpdate('publishNow'));
        const answers = await Promise.all([handle.executeUpdate('publishNow'), handle.executeUpdate('publishNow')]);
        for (const answer of answers) assert.equal((answer as { decision: string }).decision, 'published');
        await stop(handle);
      },
    });
  });

  it('a round that a day has overtaken is planned again', async () => {
    const execution = await aggregate({
      activities: {
        collectWaiting: drainUntilCancelled,
        planPublication: inTurn<PublicationPlan>(
          { decision: 'overlapping', snapshots: 0, seq: 3 },
          { decision: 'publish', snapshots: 1, seq: 3 },
        ),
      },
    });
    assert.equal(execution.names.filter((name) => name === 'planRound').length, 2);
    assert.equal(execution.names.filter((name) => name === 'settleRound').length, 1);
    assert.deepEqual(execution.result, { rounds: 1, results: 3 });
  });

  it('ends with a message that says what to set where foreign results are refused', async () => {
    const { failure, names } = await aggregate({
      activities: {
        aggregationSettings: async () => {
          throw ApplicationFailure.nonRetryable('set it', FailureType.ForeignResultsRefused);
        },
      },
      during: async () => undefined,
    });
    assert.deepEqual(names, ['aggregationSettings']);
    assert.match(String(failure?.cause), /set it/);
  });

  it('that cannot begin is reported by the command that only starts it', async () => {
    const { failure } = await aggregate({
      activities: {
        aggregationSettings: async () => {
          throw ApplicationFailure.nonRetryable('set it', FailureType.ForeignResultsRefused);
        },
      },
      during: (handle) =>
        assert.rejects(isPastFirstStep(handle, 'continuous aggregation', 60_000), {
          message: 'continuous aggregation failed: set it',
          exitCode: 2,
        }),
    });
    assert.match(String(failure?.cause), /set it/);
    await aggregate({
      activities: { collectWaiting: collected() },
      during: async (handle) => {
        assert.equal(await isPastFirstStep(handle, 'continuous aggregation', 60_000), true);
        await stop(handle);
      },
    });
  });

  it('refuses a bad input with one message that names every member', async () => {
    const { failure, names } = await aggregate({
      input: { roundResults: 0, roundSeconds: -1, round: 3 },
      during: async () => undefined,
    });
    assert.deepEqual(names, []);
    for (const member of ['"roundResults"', '"roundSeconds"', '"round"']) assert.ok(failure?.message.includes(member));
  });
});

describe('a long life', () => {
  const shortHistories = temporalForTests('development', CONTINUE_SOON);

  it('is carried on by new runs, with its totals, and still answers', async () => {
    const { result, names } = await shortHistories().execute({
      type: 'continuousAggregation',
      input: { roundResults: 3 },
      activities: { collectWaiting: collected(3, 3, 3, 3) },
      during: async (handle) => {
        await eventually(async () => {
          assert.match((await facts(handle))['published'] ?? '', /^4 rounds/);
        });
        assert.notEqual((await handle.describe()).runId, handle.firstExecutionRunId);
        await stop(handle);
      },
    });
    assert.deepEqual(result, { rounds: 5, results: 15 });
    assert.equal(names.filter((name) => name === 'settleRound').length, 5);
  });
});
