/** Which mails people get in each situation of the watchdog: by the rule that turns the ends of runs into alerts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAlertActivities } from '../../src/activities/alerts.ts';
import type { Alert, AlertedRun, Outcome } from '../../src/alerts/alert.ts';
import { isOfStarterOnly } from '../../src/failures.ts';
import { openFailure } from '../../src/state/alerts.ts';
import type { Facts, WatchedRun } from '../../src/watch/rules/facts.ts';
import { environment } from '../fakes/application.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { FINE_SITUATIONS } from '../fakes/fine-situations.ts';
import { FOUND_SITUATIONS } from '../fakes/found-situations.ts';
import { MemoryMetrics } from '../fakes/memory-metrics.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { OPEN, WELL } from '../fakes/watched-facts.ts';

/**
 * What a run's own code reports of its end; undefined where it reports nothing: it is at work, an operator cancelled it, or
 * the server ended it, and a wrong input ends it before it begins (`test/workflows/alerting.test.ts`).
 */
function reported({ status, failure }: WatchedRun): Outcome | undefined {
  if (status === 'COMPLETED') return { kind: 'ended', warnings: [] };
  if (status !== 'FAILED' || failure === null || isOfStarterOnly(failure.type)) return undefined;
  return { kind: 'failed', step: 'rendering the filter', failure };
}

/** Subjects of what is sent when the runs end one after the other, beginning with the failures that are open. */
async function mailsOf(changes: Partial<Facts>): Promise<string[]> {
  const facts = { ...WELL, ...changes };
  const analysis = new MemoryObjectStore('analysis', new CallTrace());
  const sent: Alert[] = [];
  const activities = createAlertActivities({
    ...{ analysis, metrics: new MemoryMetrics(), recentLog: () => [], secrets: [], webUi: null, deadManUrl: null },
    channels: [
      {
        name: 'smtp',
        send: async (alert) => void sent.push(alert),
        verify: async () => undefined,
        close: () => undefined,
      },
    ],
  });
  const runs = 'known' in facts.runs ? facts.runs.known.runs : [];
  const ofRuns = new Set(runs.filter(({ status }) => status === 'FAILED').map(({ about }) => about));
  const open = 'known' in facts.leftovers ? facts.leftovers.known.openFailures : [];
  for (const failure of open.filter(({ about }) => !ofRuns.has(about)))
    await openFailure(analysis, { ...OPEN, ...failure, workflowId: 'w', runId: 'r' }, new AbortController().signal);
  for (const [index, run] of runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).entries()) {
    const outcome = reported(run);
    const { job, about, workflowId, startedAt, endedAt } = run;
    const times = { startedAt, endedAt: endedAt ?? startedAt };
    const alerted: AlertedRun = {
      ...{ job, about, workflowId, ...times, alertId: `run-${index}`, runId: `run-${index}` },
      ...{ workflowType: 'dailyAnalysis', attempt: 1, facts: {} },
    };
    if (outcome !== undefined) await environment().run(() => activities.notify({ run: alerted, outcome }));
  }
  return sent.map(({ subject }) => subject);
}

describe('mails', () => {
  for (const [name, changes, , mails] of FOUND_SITUATIONS)
    it(`of ${name}`, async () => {
      assert.deepEqual(await mailsOf(changes), mails);
    });

  for (const [name, changes, mails] of FINE_SITUATIONS)
    it(`of ${name}, where nothing is wrong`, async () => {
      assert.deepEqual(await mailsOf(changes), mails);
    });

  it('are told of in 40 situations and more', () => {
    assert.ok(FOUND_SITUATIONS.length + FINE_SITUATIONS.length >= 40);
  });
});
