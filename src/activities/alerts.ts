/** Alerts, on a worker task queue of their own: busy activities do not delay them, and no failure here fails a run. */
import { activityInfo, cancellationSignal, log } from '@temporalio/activity';
import { failure, isOfStarterOnly } from '../failures.ts';
import { type Alert, type AlertedRun, alertFor, type Outcome } from '../alerts/alert.ts';
import type { Metrics } from '../metrics.ts';
import { type AlertChannel, type ObjectStore, PassingError } from '../ports.ts';
import { closeFailure, Delivery, findOpenFailure, openFailure } from '../state/alerts.ts';

export interface AlertPorts {
  readonly analysis: ObjectStore;
  readonly metrics: Metrics;
  readonly channels: readonly AlertChannel[];
  /** Log lines of a run that this process still has, oldest first. */
  readonly recentLog: (workflowId: string, runId: string) => readonly string[];
  readonly secrets: readonly string[];
  /** Address of the Web UI, without a final slash; null: alerts have no link. */
  readonly webUi: string | null;
  /** Requested after every verified commit; null: there is no dead man's switch. */
  readonly deadManUrl: string | null;
}

export interface NotifyInput {
  readonly run: AlertedRun;
  readonly outcome: Outcome;
}

export interface Notified {
  /** What was sent; null: nothing. */
  readonly kind: Alert['kind'] | null;
  readonly channels: readonly string[];
}

const PING_TIMEOUT_MS = 20_000;

export type AlertActivities = ReturnType<typeof createAlertActivities>;

export function createAlertActivities(ports: AlertPorts) {
  const { analysis, recentLog, secrets, deadManUrl } = ports;
  return {
    /**
     * Notifies people how a run ended, when there is news: a failure, the recovery from one, warnings. Once per
     * run and channel, however often it is tried; when a channel fails, the alert stays among the undelivered ones.
     */
    async notify({ run, outcome }: NotifyInput): Promise<Notified> {
      const signal = cancellationSignal();
      const open = await findOpenFailure(analysis, run.job, run.about, signal);
      const context = {
        link: linkOf(ports, run),
        log: outcome.kind === 'failed' ? recentLog(run.workflowId, run.runId) : [],
        secrets,
        failedSince: open?.failedAt ?? null,
      };
      const alert = alertFor(run, outcome, context);
      if (outcome.kind === 'failed' && !isOfStarterOnly(outcome.failure.type))
        await noteFailure(analysis, run, outcome, signal);
      if (alert === undefined) return { kind: null, channels: [] };
      const sent = await deliver(ports, run, alert, signal);
      ports.metrics.add('telemetry_alerts', 1, { kind: alert.kind });
      // Only now, so that the next attempt reports a recovery that could not be sent.
      if (alert.kind === 'recovered') await closeFailure(analysis, run.job, run.about, signal);
      log.info('alert sent', { job: run.job, about: run.about, kind: alert.kind, channels: sent });
      return { kind: alert.kind, channels: sent };
    },

    /** Pings the dead man's switch: a commit is in and verified. */
    async pingDeadMan({ seq }: { readonly seq: number }): Promise<void> {
      if (deadManUrl === null) return;
      const response = await fetch(deadManUrl, {
        redirect: 'error',
        signal: AbortSignal.any([cancellationSignal(), AbortSignal.timeout(PING_TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw failure('ServiceUnavailable', `The dead man's switch answered ${response.status}`);
      log.info('dead man pinged', { seq });
    },
  };
}

function linkOf({ webUi }: AlertPorts, { workflowId, runId }: AlertedRun): string | null {
  if (webUi === null) return null;
  const { namespace } = activityInfo();
  return `${webUi}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`;
}

async function noteFailure(
  analysis: ObjectStore,
  { job, about, workflowId, runId, endedAt }: AlertedRun,
  { failure: { type, message } }: Extract<Outcome, { kind: 'failed' }>,
  signal: AbortSignal,
): Promise<void> {
  await openFailure(analysis, { job, about, workflowId, runId, failedAt: endedAt, type, message }, signal);
}

/** @throws PassingError when a channel fails; channels that took the alert do not get it again */
async function deliver(
  { analysis, channels }: AlertPorts,
  { alertId }: AlertedRun,
  alert: Alert,
  signal: AbortSignal,
): Promise<string[]> {
  const delivery = new Delivery(analysis, { id: alertId, kind: alert.kind, subject: alert.subject }, signal);
  await delivery.begin();
  const failures: Error[] = [];
  for (const channel of channels) {
    if (await delivery.isTakenBy(channel.name)) continue;
    try {
      await channel.send(alert, alertId, signal);
    } catch (error) {
      failures.push(new Error(`${channel.name}: ${(error as Error).message}`, { cause: error }));
      continue;
    }
    await delivery.noteTaken(channel.name);
  }
  if (failures.length > 0) {
    const reasons = failures.map(({ message }) => message).join('; ');
    throw new PassingError(`The alert could not be sent: ${reasons}`, { cause: new AggregateError(failures) });
  }
  await delivery.end();
  return channels.map(({ name }) => name);
}
