/** F14 without end: a run that always loses to other publishers gives up while its history has room to say so. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { SNAPSHOT } from '../fakes/stage-activities.ts';
import { temporalForTests } from '../fakes/temporal.ts';

/** Temporal ends a run at this many. */
const SERVER_EVENTS = 51_200;
const CHANNEL_VERSIONS = 1000;
/** How often a run that publishes little tries. */
const MAX_ATTEMPTS = 32;

describe('a run that always loses to other publishers', () => {
  const temporal = temporalForTests('time-skipping');

  it(`of ${CHANNEL_VERSIONS} channel/versions gives up before Temporal ends it`, async (context) => {
    const { failure, names, historyJson } = await temporal().execute({
      type: 'dailyAnalysis',
      input: { day: '20131029' },
      activities: {
        planPublication: async () => ({ decision: 'publish', snapshots: CHANNEL_VERSIONS, seq: 0 }),
        stageSnapshot: async ({ index }) => ({ ...SNAPSHOT, channelVersion: `nightly/${index}` }),
        commitDataset: async () => ({ outcome: 'moved', seq: 1 }),
      },
    });
    const attempts = names.filter((name) => name === 'commitDataset').length;
    const { events } = JSON.parse(historyJson) as { events: unknown[] };
    context.diagnostic(`${events.length} events in ${attempts} attempts`);
    assert.ok(failure instanceof ApplicationFailure && failure.type === 'CommitContended');
    assert.match(failure.message, new RegExp(`committed first ${attempts} times in a row`));
    assert.ok(attempts > 1 && attempts < MAX_ATTEMPTS, `${attempts} attempts`);
    assert.ok(events.length > 40_000 && events.length < SERVER_EVENTS, `${events.length} events`);
  });
});
