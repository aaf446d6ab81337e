/** The runs of which histories are kept: one for every branch that a deploy could break in a workflow that is under way. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/errors.ts';
import { finishWithMissing, resendMissing } from '../../src/workflows/operator-control.ts';
import { eventually } from '../fakes/eventually.ts';
import { ALL_IN, drainUntilCancelled, inTurn, PLAN, WEBSITE } from '../fakes/stage-activities.ts';
import type { Scenario } from '../fakes/temporal.ts';

const DAY = '20131029';
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

const draining = Promise.withResolvers<undefined>();

const daily = (scenario: Omit<Scenario, 'type' | 'input'> & { input?: object }): Scenario => ({
  ...scenario,
  type: 'dailyAnalysis',
  input: { day: DAY, ...scenario.input },
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
