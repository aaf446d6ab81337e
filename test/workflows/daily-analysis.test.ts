import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { ContributionInput } from '../../src/activities/build.ts';
import type { DrainInput } from '../../src/activities/drain.ts';
import type { Activities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { changesWarning } from '../../src/pipeline/dataset/run-warnings.ts';
import { eventually } from '../fakes/eventually.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';
import { ALL_IN, inTurn, PLAN, SNAPSHOT } from '../fakes/stage-activities.ts';
import { type Execution, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('time-skipping');
const DAY = '20131029';
const run = (activities: Partial<Activities> = {}, input: object = {}): Promise<Execution> =>
  temporal().execute({ type: 'dailyAnalysis', input: { day: DAY, ...input }, activities });
const inputsOf = (execution: Execution, name: keyof Activities): never[] =>
  execution.calls.filter((call) => call.name === name).map(({ input }) => input as never);

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { deeper: value };
  return value;
}

const BOTH_CHUNKS = [
  { chunk: 1, done: 2, failed: 0 },
  { chunk: 2, done: 1, failed: 0 },
];

/** Merges end in any order; so do their chunks come. */
function byChunk(input: ContributionInput | undefined): ContributionInput {
  assert.ok(input);
  return { ...input, chunks: input.chunks.toSorted((a, b) => a.chunk - b.chunk) };
}

describe('dailyAnalysis', () => {
  it('takes the day through all stages, in order', async () => {
    const execution = await run();
    const { names, result } = execution;
    assert.deepEqual(
      names.filter((name) => name !== 'mergeChunk'),
      [
        'renderFilter',
        'productionQueues',
        'planTasks',
        'enqueueTasks',
        'drainDoneQueue',
        'buildContribution',
        'planPublication',
        'stageSnapshot',
        'commitDataset',
        'updateProjections',
        'findChanges',
        'writeReport',
      ],
    );
    assert.equal(result?.['decision'], 'published');
    assert.equal(result['seq'], 1);
    assert.deepEqual(result['published'], ['nightly/28']);
    assert.equal(result['planned'], 3);
    assert.equal(result['versions'], 's3://published/v7/versions.json');
  });

  it('gives every stage the run, the queues of production and what the stages before found', async () => {
    const execution = await run();
    const [plan] = inputsOf(execution, 'planTasks') as unknown as { run: { runId: string; prefix: string } }[];
    const { run: ref } = plan!;
    assert.match(ref.runId, /^[0-9a-f-]{36}$/);
    assert.equal(ref.prefix, `state/runs/${DAY}/${ref.runId}/`);
    const queues = { taskQueue: TASK_QUEUE, doneQueue: DONE_QUEUE };
    const filter = { version: 1, dimensions: [] };
    assert.deepEqual(plan, {
      run: ref,
      day: DAY,
      filter,
      leaveOutAdopted: true,
      jobName: `dashboard-${DAY}`,
      ...queues,
    });
    assert.deepEqual(inputsOf(execution, 'enqueueTasks'), [{ run: ref, taskQueue: TASK_QUEUE }]);
    assert.deepEqual(inputsOf(execution, 'drainDoneQueue'), [
      {
        run: ref,
        doneQueue: DONE_QUEUE,
        tasks: 3,
        chunkTasks: 2,
        merged: [-1, -1],
        maxSeconds: 600,
        heldIsKnown: false,
      },
    ]);
    const [contribution] = inputsOf(execution, 'buildContribution') as unknown as ContributionInput[];
    assert.deepEqual(byChunk(contribution), { run: ref, day: DAY, tasks: 3, chunks: BOTH_CHUNKS });
    const [published] = inputsOf(execution, 'planPublication') as unknown as { commit: string }[];
    assert.deepEqual(published, { run: ref, attempt: 1, commit: published!.commit });
    assert.deepEqual(inputsOf(execution, 'stageSnapshot'), [{ ...published, index: 0 }]);
    assert.deepEqual(inputsOf(execution, 'commitDataset'), [published]);
  });

  it('ends well with the result "nothing" when there is no input, and sends and publishes nothing', async () => {
    const reported: unknown[] = [];
    const { names, result } = await run({
      planTasks: async () => ({ ...PLAN, files: 0, tasks: 0, bytes: 0 }),
      writeReport: async ({ warnings = [] }) => {
        reported.push(...warnings);
        return { report: 's3://analysis/report.json', warnings };
      },
    });
    assert.deepEqual(names, ['renderFilter', 'productionQueues', 'planTasks', 'writeReport']);
    assert.equal(result?.['decision'], 'nothing');
    assert.equal(result['seq'], null);
    assert.match(String(reported[0]), /no input for 20131029/);
    assert.deepEqual(result['warnings'], reported, 'the report has the warning of the run, once');
  });

  it('refuses a bad input with one message that names every member', async () => {
    const { names, failure } = await run({}, { day: 20131029, maxResends: -1, giveUpSeconds: 432_001, colour: 'red' });
    assert.deepEqual(names, []);
    assert.ok(failure instanceof ApplicationFailure);
    assert.equal(failure.type, FailureType.InvalidInput);
    assert.equal(failure.nonRetryable, true);
    for (const member of ['"day"', '"maxResends"', '"giveUpSeconds" must be at most 432000', '"colour"'])
      assert.ok(failure.message.includes(member), member);
  });

  for (const [name, input, member] of [
    ['a day of 3,000 characters', { day: '2'.repeat(3000) }, '"day" must be a calendar day'],
    ['a day that no calendar has', { day: '99999999' }, '"day" must be a calendar day'],
    ['a filter nested 1,000 deep', { filter: nested(1000) }, 'nested deeper than 64 levels'],
    ['1,000 unknown members', Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`m${n}`, 1])), 'and 990 more'],
    ['a member with a long name', { ['m'.repeat(10_000)]: 1 }, 'is not known'],
  ] as const) {
    it(`refuses ${name} with a readable failure`, async () => {
      const { names, failure } = await run({}, input);
      assert.deepEqual(names, []);
      assert.ok(failure instanceof ApplicationFailure);
      assert.equal(failure.type, FailureType.InvalidInput);
      assert.ok(failure.message.includes(member), failure.message.slice(0, 500));
      assert.ok(failure.message.length < 4000);
    });
  }

  it('a failure that a person must mend ends the run before anything is sent', async () => {
    const renderFilter = async (): Promise<never> => {
      throw ApplicationFailure.nonRetryable('the template has no DATE', FailureType.InvalidFilter);
    };
    const { names, failure } = await run({ renderFilter });
    assert.deepEqual(names, ['renderFilter']);
    assert.equal((failure?.cause as ApplicationFailure).type, FailureType.InvalidFilter);
  });

  it('an activity that fails for now is tried again', async () => {
    let attempts = 0;
    const enqueueTasks = async (): Promise<{ tasks: number; resumedAt: number }> => {
      attempts += 1;
      if (attempts < 3) throw ApplicationFailure.retryable('SQS refused', FailureType.SqsRefused);
      return { tasks: 3, resumedAt: 0 };
    };
    const { result } = await run({ enqueueTasks });
    assert.equal(attempts, 3);
    assert.equal(result?.['decision'], 'published');
  });
});

describe('drain and merge', () => {
  it('merges a chunk while the drain goes on', async () => {
    const merged = Promise.withResolvers<undefined>();
    let drains = 0;
    const { result } = await run({
      drainDoneQueue: async () => {
        drains += 1;
        if (drains === 1) return { ...ALL_IN, done: 2, missing: 1, ready: [{ chunk: 1, done: 2 }] };
        // Comes to an end only because the first chunk is merged meanwhile.
        await merged.promise;
        return { ...ALL_IN, ready: [{ chunk: 2, done: 1 }] };
      },
      mergeChunk: async ({ chunk }) => {
        merged.resolve(undefined);
        return { ref: { chunk, done: 1, failed: 0 }, done: 1, failed: 0, missing: 0 };
      },
    });
    assert.equal(drains, 2);
    assert.equal(result?.['decision'], 'published');
  });

  it('merges a chunk again that gained a result, and builds on the fuller one whichever ends last', async () => {
    const second = Promise.withResolvers<undefined>();
    let merges = 0;
    const activities: Partial<Activities> = {
      drainDoneQueue: inTurn({ ...ALL_IN, done: 1, failed: 1, missing: 1, ready: [{ chunk: 1, done: 1 }] }, ALL_IN),
      mergeChunk: async ({ chunk }) => {
        if (chunk === 2) return { ref: { chunk, done: 1, failed: 0 }, done: 1, failed: 0, missing: 0 };
        merges += 1;
        if (merges === 2) return { ref: { chunk, done: 2, failed: 0 }, done: 2, failed: 0, missing: 0 };
        await second.promise;
        return { ref: { chunk, done: 1, failed: 1 }, done: 1, failed: 1, missing: 0 };
      },
    };
    const execution = await temporal().execute({
      type: 'dailyAnalysis',
      input: { day: DAY },
      activities,
      during: async (handle) => {
        // Filter, queues, plan, enqueue, two drains, and two of the three merges.
        await eventually(async () => {
          const { events } = await handle.fetchHistory();
          const ended = events?.filter((event) => event.activityTaskCompletedEventAttributes) ?? [];
          assert.equal(ended.length, 8);
        });
        second.resolve(undefined);
      },
    });
    assert.equal(merges, 2);
    const [contribution] = inputsOf(execution, 'buildContribution') as unknown as ContributionInput[];
    assert.deepEqual(byChunk(contribution).chunks, BOTH_CHUNKS);
    const drains = inputsOf(execution, 'drainDoneQueue') as unknown as DrainInput[];
    assert.deepEqual(drains[1]?.merged, [1, -1]);
  });

  it('a merge that fails for good ends the run, and nothing is published', async () => {
    const { names, failure } = await run({
      mergeChunk: async () => {
        throw ApplicationFailure.nonRetryable('damaged', FailureType.StateDamaged);
      },
    });
    assert.equal((failure?.cause as ApplicationFailure).type, FailureType.StateDamaged);
    assert.ok(!names.includes('buildContribution') && !names.includes('planPublication'));
  });

  /** Waits for as long as it is told, and finds nothing new. */
  const nothingNew = async ({ maxSeconds }: DrainInput) => {
    await temporal().env.sleep(maxSeconds * 1000);
    return { ...ALL_IN, done: 2, missing: 1, ready: [] };
  };
  // Shorter than the heartbeat time-out, since this drain does not heartbeat.
  const patience = { stragglerSeconds: 10, giveUpSeconds: 35, maxResends: 2 };

  it('passes on that a day may be replaced by less', async () => {
    for (const input of [{}, { replaceAnyway: true }]) {
      const [plan] = inputsOf(await run({}, input), 'planPublication') as unknown as { replaceAnyway?: boolean }[];
      assert.equal(plan?.replaceAnyway, input.replaceAnyway);
    }
  });

  it('T23: tells the planning that a large plan is meant only when the input says so', async () => {
    for (const input of [{}, { allowLargePlan: true }]) {
      const [plan] = inputsOf(await run({}, input), 'planTasks') as unknown as { allowLargePlan?: boolean }[];
      assert.equal(plan?.allowLargePlan, input.allowLargePlan);
    }
  });

  it('stragglers: looks whenever they are due, sends again at most twice, and goes on without them in the end', async () => {
    const execution = await run({ drainDoneQueue: nothingNew }, patience);
    const resend = (inputsOf(execution, 'recoverStragglers') as unknown as { resend: boolean }[]).map(
      (input) => input.resend,
    );
    assert.deepEqual(resend, [true, true, false]);
    // What never became complete is merged as it is.
    assert.equal(execution.names.filter((name) => name === 'mergeChunk').length, 2);
    assert.equal(execution.result?.['decision'], 'published');
  });

  it('a straggler that the look finds ends the waiting', async () => {
    let found = false;
    const execution = await run(
      {
        drainDoneQueue: async (input) => (found ? ALL_IN : nothingNew(input)),
        recoverStragglers: async () => {
          found = true;
          return { recovered: 1, resent: 0 };
        },
      },
      patience,
    );
    assert.equal(execution.names.filter((name) => name === 'recoverStragglers').length, 1);
    assert.equal(execution.names.filter((name) => name === 'drainDoneQueue').length, 2);
  });

  it('waits 20 hours by default, in calls of ten minutes', async () => {
    const { calls } = await run({ drainDoneQueue: inTurn({ ...ALL_IN, missing: 1, ready: [] }, ALL_IN) });
    const drains = calls.filter(({ name }) => name === 'drainDoneQueue');
    assert.deepEqual(
      drains.map(({ input }) => (input as DrainInput).maxSeconds),
      [600, 600],
    );
  });
});

describe('publish', () => {
  it('plans and stages again, under a new commit, when another publisher was first', async () => {
    const execution = await run({
      commitDataset: inTurn<Awaited<ReturnType<Activities['commitDataset']>>>(
        { outcome: 'moved', seq: 1 },
        { outcome: 'committed', seq: 2 },
      ),
    });
    const plans = inputsOf(execution, 'planPublication') as unknown as { attempt: number; commit: string }[];
    assert.deepEqual(
      plans.map(({ attempt }) => attempt),
      [1, 2],
    );
    assert.notEqual(plans[0]!.commit, plans[1]!.commit);
    assert.equal(execution.result?.['seq'], 2);
  });

  it('a contribution that is in already is unchanged, and the projections are repaired all the same', async () => {
    const { names, result } = await run({ planPublication: async () => ({ decision: 'no-op', snapshots: 0, seq: 7 }) });
    assert.equal(result?.['decision'], 'unchanged');
    assert.equal(result['seq'], 7);
    assert.ok(!names.includes('stageSnapshot') && !names.includes('commitDataset'));
    assert.ok(names.includes('updateProjections'));
  });

  it('what is found in the data after the commit is reported with the run', async () => {
    const warnings = ['silent: aurora/27 sent one submission on 2013-10-29, and about 150 a day before'];
    const execution = await run({ findChanges: async () => ({ changes: 1, fresh: 1, skipped: 0, warnings }) });
    assert.deepEqual(
      (inputsOf(execution, 'writeReport') as unknown as { warnings: string[] }[])[0]?.warnings,
      warnings,
    );
  });

  it('a day is published although its changes cannot be found, and warns', async () => {
    const execution = await run({
      findChanges: async () => {
        throw ApplicationFailure.nonRetryable('no right to write changes.json', FailureType.AccessDenied);
      },
    });
    assert.equal(execution.result?.['decision'], 'published');
    assert.deepEqual((inputsOf(execution, 'writeReport') as unknown as { warnings: string[] }[])[0]?.warnings, [
      changesWarning('no right to write changes.json'),
    ]);
  });

  it('a newer run of the day supersedes, before staging or at the commit', async () => {
    const before = await run({ planPublication: async () => ({ decision: 'superseded', snapshots: 0, seq: 3 }) });
    const after = await run({ commitDataset: async () => ({ outcome: 'superseded', seq: 4 }) });
    assert.deepEqual([before.result?.['decision'], before.result?.['seq']], ['superseded', 3]);
    assert.deepEqual([after.result?.['decision'], after.result?.['seq']], ['superseded', 4]);
  });

  it('gives up with CommitContended after 32 rebases', async () => {
    const execution = await run({ commitDataset: async () => ({ outcome: 'moved', seq: 1 }) });
    assert.equal((execution.failure as ApplicationFailure).type, FailureType.CommitContended);
    assert.equal(inputsOf(execution, 'commitDataset').length, 32);
  });
});

it('I11: a plan of 2,000 tasks and 20 channel/versions stays within the payload budget', async () => {
  const chunks = 20;
  const ready = Array.from({ length: chunks }, (_, index) => ({ chunk: index + 1, done: 100 }));
  const execution = await run({
    planTasks: async () => ({ ...PLAN, files: 400_000, tasks: 2000, chunkTasks: 100 }),
    drainDoneQueue: async () => ({ ...ALL_IN, done: 2000, ready }),
    planPublication: async () => ({ decision: 'publish', snapshots: 20, seq: 0 }),
    stageSnapshot: async (input) => ({ ...SNAPSHOT, channelVersion: `nightly/${input.index}` }),
  });
  assert.equal((execution.result?.['published'] as string[]).length, 20);
  assert.equal(execution.names.filter((name) => name === 'mergeChunk').length, chunks);
});
