/** The runs of which histories are kept: one for every branch that a deploy could break in a workflow that is under way. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { counted } from '../../src/pipeline/plain-text.ts';
import { finishWithMissing, resendMissing } from '../../src/workflows/operator-control.ts';
import { progressQuery } from '../../src/workflows/run-progress.ts';
import { eventually } from '../fakes/eventually.ts';
import { CONTINUE_SOON, type Scenario } from '../fakes/temporal.ts';
import { ALL_IN, drainUntilCancelled, inTurn, PLAN, WEBSITE } from '../fakes/stage-activities.ts';

const DAY = '20131029';
type PublicationPlan = Awaited<ReturnType<Activities['planPublication']>>;
type Commit = Awaited<ReturnType<Activities['commitDataset']>>;

/** A drain in which a task is open until its time is up; then everything is in. */
function lateDrain(): Activities['drainDoneQueue'] {
  let calls = 0;
  return async ({ maxSeconds }) => {
    calls += 1;
    if (calls > 1) return { ...ALL_IN, ready: [{ chunk: 2, done: 1 }] };
    await delay(maxSeconds * 1000);
    return { ...ALL_IN, done: 2, missing: 1, ready: [{ chunk: 1, done: 2 }] };
  };
}

/** A round is due at the first look; after it nothing comes any more. */
function fullThenIdle(): Activities['collectWaiting'] {
  let calls = 0;
  return async () => {
    calls += 1;
    return calls === 1 ? { waiting: 3, duplicates: 0, quarantined: 0, held: 0 } : drainUntilCancelled();
  };
}

async function published(handle: Parameters<NonNullable<Scenario['during']>>[0], rounds: number): Promise<void> {
  const { facts } = await handle.query(progressQuery);
  assert.match(facts['published'] ?? '', new RegExp(`^${counted(rounds, 'round')},`));
}

const draining = Promise.withResolvers<undefined>();

const daily = (scenario: Omit<Scenario, 'type' | 'input'> & { input?: object }): Scenario => ({
  ...scenario,
  type: 'dailyAnalysis',
  input: { day: DAY, ...scenario.input },
});

/** A round is published as soon as it is due, then the run is stopped. */
const oneRound = (): Scenario => ({
  type: 'continuousAggregation',
  input: { roundResults: 3 },
  activities: { collectWaiting: fullThenIdle() },
  during: async (handle) => {
    await eventually(() => published(handle, 1));
    await handle.executeUpdate('stop');
  },
});

/** By the middle of the file name: `<workflow type>.<case>.v<n>.json`. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'dailyAnalysis.published': daily({}),
  'dailyAnalysis.no-input': daily({
    activities: { planTasks: async () => ({ ...PLAN, files: 0, tasks: 0, bytes: 0 }) },
  }),
  'dailyAnalysis.unchanged': daily({
    activities: { planPublication: async () => ({ decision: 'no-op', snapshots: 0, seq: 7 }) },
  }),
  'dailyAnalysis.publication-moved': daily({
    activities: { commitDataset: inTurn<Commit>({ outcome: 'moved', seq: 1 }, { outcome: 'committed', seq: 2 }) },
  }),
  // v1: of a release that staged all snapshots at once.
  'dailyAnalysis.many-snapshots': daily({
    activities: { planPublication: async () => ({ decision: 'publish', snapshots: 120, seq: 0 }) },
  }),
  'dailyAnalysis.straggler-resend': daily({
    input: { stragglerSeconds: 1, giveUpSeconds: 100 },
    activities: { drainDoneQueue: lateDrain() },
  }),
  'dailyAnalysis.chunk-merged-again': daily({
    activities: {
      drainDoneQueue: inTurn(
        { ...ALL_IN, done: 1, failed: 1, missing: 1, ready: [{ chunk: 1, done: 1 }] },
        { ...ALL_IN, ready: ALL_IN.ready },
      ),
    },
  }),
  'dailyAnalysis.alerts': daily({}),
  'dailyAnalysis.changes': daily({}),
  'dailyAnalysis.failed': daily({
    activities: {
      planTasks: async () => {
        throw ApplicationFailure.nonRetryable('no such queue', FailureType.QueueMissing);
      },
    },
  }),
  'dailyAnalysis.update-finish-with-missing': daily({
    activities: { drainDoneQueue: drainUntilCancelled },
    during: async (handle) => {
      await eventually(() => handle.executeUpdate(finishWithMissing));
    },
  }),
  'dailyAnalysis.update-resend-missing': daily({
    activities: { drainDoneQueue: drainUntilCancelled },
    during: async (handle) => {
      await eventually(() => handle.executeUpdate(resendMissing));
      await handle.executeUpdate(finishWithMissing);
    },
  }),
  'continuousAggregation.round-when-due': oneRound(),
  'continuousAggregation.changes': oneRound(),
  'continuousAggregation.continued': {
    type: 'continuousAggregation',
    input: { roundResults: 3 },
    serverArgs: CONTINUE_SOON,
    activities: { collectWaiting: inTurn({ waiting: 3, duplicates: 0, quarantined: 0, held: 0 }) },
    during: async (handle) => {
      const first = handle.firstExecutionRunId;
      await eventually(async () => {
        const { runId } = await handle.describe();
        assert.notEqual(runId, first);
      });
      await handle.terminate();
    },
  },
  'continuousAggregation.publish-now-and-stop': {
    type: 'continuousAggregation',
    input: { carried: { publishedAt: 0, rounds: 4, results: 40 } },
    activities: { collectWaiting: drainUntilCancelled },
    during: async (handle) => {
      await eventually(() => handle.executeUpdate('publishNow'));
      await handle.executeUpdate('stop');
    },
  },
  'continuousAggregation.overtaken': {
    type: 'continuousAggregation',
    activities: {
      collectWaiting: drainUntilCancelled,
      planPublication: inTurn<PublicationPlan>(
        { decision: 'overlapping', snapshots: 0, seq: 3 },
        { decision: 'publish', snapshots: 1, seq: 3 },
      ),
    },
    during: async (handle) => {
      await eventually(() => handle.executeUpdate('stop'));
    },
  },
  'continuousAggregation.nothing-waits': {
    type: 'continuousAggregation',
    activities: {
      collectWaiting: drainUntilCancelled,
      planRound: async () => ({ plan: { ...PLAN, files: 0, tasks: 0 }, overlapping: 2, settled: 0, returned: 0 }),
    },
    during: async (handle) => {
      await eventually(() => handle.executeUpdate('stop'));
    },
  },
  'investigation.collected': { type: 'investigation', input: { name: 'gc', day: DAY } },
  'investigation.cancelled': {
    type: 'investigation',
    input: { name: 'gc', keys: ['a/b'] },
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
  'garbageCollection.removed': { type: 'garbageCollection', input: {} },
  'garbageCollection.left-queues': {
    type: 'garbageCollection',
    activities: { removeLeftInvestigationQueues: async () => ({ investigations: 1, first: ['gc'] }) },
  },
  'garbageCollection.dry-run': { type: 'garbageCollection', input: { dryRun: true } },
  'garbageCollection.refused': {
    type: 'garbageCollection',
    activities: {
      planGarbage: async () => {
        throw ApplicationFailure.nonRetryable('more than half of the folders would go', FailureType.GarbageRefused);
      },
    },
  },
  'websiteUpdate.published': { type: 'websiteUpdate', input: {} },
  'websiteUpdate.unchanged': {
    type: 'websiteUpdate',
    activities: { publishWebsite: async () => ({ ...WEBSITE, outcome: 'unchanged', uploaded: 0, deleted: 0 }) },
  },
  'websiteUpdate.refused': {
    type: 'websiteUpdate',
    input: { force: false },
    activities: {
      publishWebsite: async () => {
        throw ApplicationFailure.nonRetryable('The website is not published', FailureType.WebsiteRefused);
      },
    },
  },
  'websiteUpdate.not-configured': {
    type: 'websiteUpdate',
    activities: { describeWebsite: async () => ({ source: null, site: 's3://site/' }) },
  },
};
