/** What a large day costs a run: activities at once, events and bytes of its history, payloads (docs/operating.md 12). */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SNAPSHOT } from '../fakes/stage-activities.ts';
import { temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('time-skipping');

interface Attributes {
  readonly scheduledEventId?: string;
  readonly activityType?: { readonly name: string };
}
interface HistoryEvent extends Readonly<Record<string, Attributes | string | undefined>> {
  readonly eventId: string;
}

it('stages 5,000 snapshots, never more than 100 at once', async () => {
  const { historyJson, names } = await temporal().execute({
    type: 'dailyAnalysis',
    input: { day: '20131029' },
    activities: {
      planPublication: async () => ({ decision: 'publish', snapshots: 5000, seq: 0 }),
      stageSnapshot: async ({ index }) => ({ ...SNAPSHOT, channelVersion: `nightly/${index}` }),
    },
  });
  assert.equal(names.filter((name) => name === 'stageSnapshot').length, 5000);
  assert.equal(atOnce(historyJson), 100);
});

function atOnce(historyJson: string): number {
  const { events } = JSON.parse(historyJson) as { events: HistoryEvent[] };
  let [open, most] = [0, 0];
  for (const event of events) {
    if (event['activityTaskScheduledEventAttributes'] !== undefined) open += 1;
    if (event['activityTaskCompletedEventAttributes'] !== undefined) open -= 1;
    most = Math.max(most, open);
  }
  return most;
}
