/** What the largest legal day costs a run: activities at once, events and bytes of its history, payloads (docs/operating.md 21). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Activities } from '../../src/activities/index.ts';
import { KNOWN_REASONS } from '../../src/pipeline/known-reasons.ts';
import { atScale } from '../fakes/at-scale.ts';
import { ALL_IN, PLAN, SNAPSHOT } from '../fakes/stage-activities.ts';
import { type Execution, payloadsOf, temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('time-skipping');

/** Temporal refuses a payload of 2 MiB; the sums of lists that it is made of stay far below. */
const MAX_PAYLOAD_BYTES = 256 << 10;
/** Temporal ends a run at these. */
const SERVER_EVENTS = 51_200;
const SERVER_BYTES = 50 << 20;

const TASKS = atScale ? 20_000 : 2000;
const CHUNKS = TASKS / 100;
const CHANNEL_VERSIONS = atScale ? 1000 : 200;
const SNAPSHOTS = atScale ? 5000 : 300;
/** The patience of a run, 20 hours, in calls of ten minutes that bring nothing. */
const IDLE_CALLS = 120;

/** The longest names that can be published, every known reason, the largest counts. */
const NAME = (index: number): string => `${String(index).padStart(255, 'c')}/${'1'.repeat(255)}`;
const BAD = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`${10 + index}`.padStart(128, 'M'), Number.MAX_SAFE_INTEGER]),
);
const REASONS = Object.fromEntries(KNOWN_REASONS.map((reason) => [reason, Number.MAX_SAFE_INTEGER]));
const LARGEST: Partial<Activities> = {
  renderFilter: async () => ({
    version: 1,
    dimensions: [{ field_name: 'reason', allowed_values: ['x'.repeat(65_000)] }],
  }),
  planTasks: async () => ({ ...PLAN, files: 4_020_000, tasks: TASKS, chunkTasks: 100, skipped: REASONS }),
  buildContribution: async ({ run, day }) => ({
    ...{ planned: TASKS, done: TASKS, failed: 0, missing: 0, records: Number.MAX_SAFE_INTEGER, runId: run.runId, day },
    ...{ files: { processed: 4_020_000, missing: 0, partial: 0 }, planAt: '2013-10-30T13:31:00.000Z' },
    ...{ missingReasons: REASONS, skipped: REASONS, badHistograms: BAD, dropped: REASONS, failedTasks: REASONS },
    channelVersions: CHANNEL_VERSIONS,
  }),
  stageSnapshot: async ({ index }) => ({
    ...SNAPSHOT,
    channelVersion: NAME(index),
    folder: `20131030133100-${NAME(index)}`,
    damage: 'x'.repeat(1000),
  }),
  writeReport: async () => ({
    report: 's3://a/report.json',
    warnings: Array.from({ length: 21 }, () => 'x'.repeat(1000)),
  }),
};

/** Nothing for a long time, then one chunk a call: the most calls that a drain can take. */
function slowDrain(): Activities['drainDoneQueue'] {
  let calls = 0;
  return async ({ merged }) => {
    calls += 1;
    assert.equal(merged.length, CHUNKS);
    const chunk = calls - IDLE_CALLS;
    const done = Math.max(0, chunk) * 100;
    const ready = chunk < 1 ? [] : [{ chunk, done: 100 }];
    return { ...ALL_IN, done, missing: TASKS - done, ready };
  };
}

interface HistoryEvent {
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { readonly name: string } };
  readonly activityTaskCompletedEventAttributes?: object;
}

interface Figures {
  readonly events: number;
  readonly bytes: number;
  readonly largestPayload: number;
  readonly atOnce: number;
}

/** Of the history, up to the first activity of a name. */
function figures({ historyJson }: Execution, until = 'none'): Figures {
  const { events } = JSON.parse(historyJson) as { events: HistoryEvent[] };
  const end = events.findIndex((event) => event.activityTaskScheduledEventAttributes?.activityType.name === until);
  const part = end < 0 ? events : events.slice(0, end);
  let [open, atOnce] = [0, 0];
  for (const event of part) {
    if (event.activityTaskScheduledEventAttributes !== undefined) open += 1;
    if (event.activityTaskCompletedEventAttributes !== undefined) open -= 1;
    atOnce = Math.max(atOnce, open);
  }
  const payloads = [...payloadsOf(part)].map((payload) => Buffer.from(payload, 'base64').length);
  // As JSON, which is longer than what the server stores.
  const bytes = Buffer.byteLength(JSON.stringify(part));
  return { events: part.length, bytes, largestPayload: Math.max(...payloads), atOnce };
}

describe('a run', () => {
  it(`of ${SNAPSHOTS} snapshots has at most 100 activities at once`, async (context) => {
    const execution = await temporal().execute({
      type: 'dailyAnalysis',
      input: { day: '20131029' },
      activities: {
        planPublication: async () => ({ decision: 'publish', snapshots: SNAPSHOTS, seq: 0 }),
        stageSnapshot: async ({ index }) => ({ ...SNAPSHOT, channelVersion: `nightly/${index}` }),
      },
    });
    assert.equal(execution.names.filter((name) => name === 'stageSnapshot').length, SNAPSHOTS);
    assert.equal(execution.result?.['rendered'], SNAPSHOTS);
    assert.equal((execution.result['published'] as string[]).length, 100);
    const whole = figures(execution);
    context.diagnostic(JSON.stringify(whole));
    assert.equal(whole.atOnce, 100);
    assert.ok(whole.events < SERVER_EVENTS, `${whole.events} events`);
  });

  it(`of ${TASKS} tasks and ${CHANNEL_VERSIONS} channel/versions with the longest names fits its history`, async (context) => {
    const execution = await temporal().execute({
      type: 'dailyAnalysis',
      input: { day: '20131029' },
      activities: {
        ...LARGEST,
        drainDoneQueue: slowDrain(),
        planPublication: async () => ({ decision: 'publish', snapshots: CHANNEL_VERSIONS, seq: 0 }),
      },
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
    });
    const merges = figures(execution, 'planPublication');
    const whole = figures(execution);
    const told = Buffer.byteLength(JSON.stringify(execution.told));
    context.diagnostic(JSON.stringify({ merges, whole, told }));
    assert.equal(execution.result?.['rendered'], CHANNEL_VERSIONS);
    assert.equal(execution.names.filter((name) => name === 'mergeChunk').length, CHUNKS);
    assert.ok(merges.events < 4000, `${merges.events} events until the merges are done`);
    assert.ok(whole.events < 10_000, `${whole.events} events`);
    assert.ok(whole.bytes < SERVER_BYTES / 4, `${whole.bytes} bytes`);
    assert.equal(whole.atOnce, 100);
    assert.ok(told < MAX_PAYLOAD_BYTES, `${told} bytes for the alert`);
  });
});
