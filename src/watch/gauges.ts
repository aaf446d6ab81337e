/** The state of the deployment as gauges, once a minute, so that Prometheus sees it even when no run is at work. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Logger } from '../observability.ts';
import { dataSetStores } from '../state/owner.ts';
import { readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from '../activities/ports.ts';
import { deadLetterQueue } from '../names.ts';
import { stateKeys } from '../state/keys.ts';
import { listAtMost } from '../state/listing.ts';

const INTERVAL_MS = 60_000;
const LOOK_TIMEOUT_MS = 30_000;
const MAX_COUNTED = 1000;

type GaugePorts = Pick<ActivityPorts, 'analysis' | 'published' | 'queues' | 'metrics' | 'settings'>;

/** Looks now and every minute, until the returned function is called. A look that fails leaves the values as they were. */
export function startGauges(ports: GaugePorts, logger: Logger): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const look = async (): Promise<void> => {
    ports.metrics.set('telemetry_event_loop_lag_seconds', delay.percentile(99) / 1e9);
    delay.reset();
    try {
      await readGauges(ports, AbortSignal.timeout(LOOK_TIMEOUT_MS));
    } catch (err) {
      // `telemetry_gauges_timestamp_seconds` stands still, which is what the alert rule looks at.
      logger.warn({ err }, 'gauges could not be read');
    }
  };
  const timer = setInterval(() => void look(), INTERVAL_MS);
  void look();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}

/** @throws whatever a store or queue answers with; gauges set before it keep their new value */
async function readGauges(ports: GaugePorts, signal: AbortSignal): Promise<void> {
  const { analysis, queues, metrics, settings } = ports;
  const { versions, ledger } = await readPointer(dataSetStores(ports), signal);
  metrics.set('telemetry_last_commit_timestamp_seconds', Date.parse(versions.head.at) / 1000);
  metrics.set('telemetry_commit_seq', versions.head.seq);
  const pending = [...ledger.channelVersions.values()].map(({ definitionsPending }) => definitionsPending.length);
  metrics.set(
    'telemetry_definitions_pending',
    pending.reduce((sum, measures) => sum + measures, 0),
  );
  metrics.set('telemetry_open_failures', await count(stateKeys.openFailures));
  metrics.set('telemetry_undelivered_alerts', await count(stateKeys.allUndelivered));
  for (const queue of [settings.taskQueue, settings.doneQueue].flatMap((name) => [name, deadLetterQueue(name)])) {
    const depth = await queues.depth(queue, signal);
    for (const [state, messages] of Object.entries(depth)) {
      metrics.set('telemetry_queue_messages', messages as number, { queue, state });
    }
  }
  metrics.set('telemetry_gauges_timestamp_seconds', Date.now() / 1000);

  async function count(prefix: string): Promise<number> {
    return (await listAtMost(analysis, prefix, MAX_COUNTED, signal)).counted.count;
  }
}
