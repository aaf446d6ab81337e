/** Every metric of the worker: names, labels and meaning. Alert rules and dashboards name these and no others. */
import type { MetricMeter, MetricTags } from '@temporalio/common';

interface MetricDefinition {
  readonly description: string;
  /** Names of the labels; every value of the metric has all of them. */
  readonly labels: readonly string[];
}

/** Only grow; Prometheus appends `_total`. */
export const COUNTERS = {
  telemetry_tasks_planned: { description: 'Analysis tasks planned', labels: [] },
  telemetry_tasks: { description: 'Analysis tasks of runs whose contribution was built, by end', labels: ['outcome'] },
  telemetry_receipts: { description: 'Receipts written by drains, by outcome', labels: ['outcome'] },
  telemetry_duplicate_messages: { description: 'Done messages whose receipt existed', labels: [] },
  telemetry_quarantined: { description: 'Messages and results put in quarantine, by reason', labels: ['reason'] },
  telemetry_held_messages: {
    description: "Bad done messages left on the queue because the hour's quarantine was full",
    labels: [],
  },
  telemetry_submissions: { description: 'Submissions counted in contributions', labels: [] },
  telemetry_commits: { description: 'Commits of the data set', labels: [] },
  telemetry_flip_conflicts: { description: 'Attempts to commit that another commit overtook', labels: [] },
  telemetry_unknown_flips: {
    description: 'Commits whose answer was lost, so that the pointer was read instead',
    labels: [],
  },
  telemetry_alerts: { description: 'Alerts sent, by kind', labels: ['kind'] },
} as const satisfies Record<string, MetricDefinition>;

/** Values at the last look. */
export const GAUGES = {
  telemetry_last_commit_timestamp_seconds: {
    description: 'When the data set was committed last, unix time',
    labels: [],
  },
  telemetry_commit_seq: { description: 'Number of the last commit', labels: [] },
  telemetry_definitions_pending: { description: 'Measures published with a stand-in for their definition', labels: [] },
  telemetry_queue_messages: { description: 'Messages of an SQS queue, by state', labels: ['queue', 'state'] },
  telemetry_oldest_done_message_age_seconds: {
    description: 'Age of the oldest done message among those received last',
    labels: [],
  },
  telemetry_open_failures: { description: 'Failed runs that are still open', labels: [] },
  telemetry_undelivered_alerts: { description: 'Alerts that a channel has not taken', labels: [] },
  telemetry_event_loop_lag_seconds: { description: '99th percentile of the event loop delay, last minute', labels: [] },
  telemetry_gauges_timestamp_seconds: { description: 'When the gauges above were last set, unix time', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

export type CounterName = keyof typeof COUNTERS;
export type GaugeName = keyof typeof GAUGES;

/** What the parts of the worker raise and set. */
export interface Metrics {
  /** Raises a counter. */
  add(name: CounterName, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Sets a gauge. */
  set(name: GaugeName, value: number, labels?: Readonly<Record<string, string>>): void;
}

/** For processes without a metrics endpoint. */
export const NO_METRICS: Metrics = { add: () => undefined, set: () => undefined };

/** Metrics on the endpoint of Temporal's runtime. */
export function createMetrics(meter: MetricMeter): Metrics {
  const counters = Object.fromEntries(
    Object.entries(COUNTERS).map(([name, { description }]) => [
      name,
      meter.createCounter(name, undefined, description),
    ]),
  );
  const gauges = Object.fromEntries(
    Object.entries(GAUGES).map(([name, { description }]) => [
      name,
      meter.createGauge(name, 'float', undefined, description),
    ]),
  );
  // Without this, a rule over a counter that was never raised finds no series.
  for (const [name, { labels }] of Object.entries(COUNTERS)) if (labels.length === 0) counters[name]?.add(0);
  return {
    add: (name, value, labels: MetricTags = {}) => counters[name]?.add(value, labels),
    set: (name, value, labels: MetricTags = {}) => gauges[name]?.set(value, labels),
  };
}
