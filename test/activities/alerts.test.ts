import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createHmac } from 'node:crypto';
import {
  type AlertPorts,
  createAlertActivities,
  type Notified,
  type NotifyInput,
} from '../../src/activities/alerts.ts';
import { webhookChannel } from '../../src/alerts/webhook.ts';
import type { Alert, AlertedRun, Outcome } from '../../src/alerts/alert.ts';
import { stateKeys } from '../../src/state/keys.ts';
import type { AlertChannel } from '../../src/ports.ts';
import { environment } from '../fakes/application.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { MemoryMetrics } from '../fakes/memory-metrics.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

/** A channel that remembers, and refuses while it is told to. */
class MemoryChannel implements AlertChannel {
  readonly name: string;
  readonly sent: { readonly alert: Alert; readonly id: string }[] = [];
  isBroken = false;

  constructor(name: string) {
    this.name = name;
  }

  async send(alert: Alert, id: string): Promise<void> {
    if (this.isBroken) throw new Error('refused');
    this.sent.push({ alert, id });
  }

  async verify(): Promise<void> {
    if (this.isBroken) throw new Error('refused');
  }

  close(): void {
    this.isBroken = true;
  }
}

const FAILED: Outcome = {
  kind: 'failed',
  step: 'planning',
  failure: { type: 'QueueMissing', message: 'no such queue', activity: 'planTasks', timeout: null },
};
const ENDED: Outcome = { kind: 'ended', warnings: [] };

let store: MemoryObjectStore;
let mail: MemoryChannel;
let chat: MemoryChannel;
let ports: AlertPorts;

beforeEach(() => {
  store = new MemoryObjectStore('analysis', new CallTrace());
  mail = new MemoryChannel('smtp');
  chat = new MemoryChannel('webhook');
  ports = {
    analysis: store,
    metrics: new MemoryMetrics(),
    channels: [mail, chat],
    recentLog: (workflowId, runId) => [`log of ${workflowId} ${runId}`],
    secrets: [],
    webUi: 'http://127.0.0.1:8233',
    deadManUrl: null,
  };
});

function run(alertId: string, about = '20131029'): AlertedRun {
  return {
    job: 'daily-analysis',
    about,
    alertId,
    workflowId: `daily-analysis-${about}`,
    runId: alertId,
    workflowType: 'dailyAnalysis',
    attempt: 1,
    startedAt: '2013-10-30T13:31:00.000Z',
    endedAt: '2013-10-30T13:32:00.000Z',
    facts: {},
  };
}

async function notify(input: NotifyInput): Promise<string | null> {
  const activities = createAlertActivities(ports);
  return (await environment().run((): Promise<Notified> => activities.notify(input))).kind;
}

const kinds = (channel: MemoryChannel): string[] => channel.sent.map(({ alert }) => alert.kind);

describe('notify', () => {
  it('sends one alert per failed run and channel, however often it is tried', async () => {
    for (let attempt = 1; attempt <= 3; attempt += 1) await notify({ run: run('r1'), outcome: FAILED });
    assert.deepEqual([kinds(mail), kinds(chat)], [['failed'], ['failed']]);
    const { text } = mail.sent[0]?.alert ?? assert.fail();
    assert.match(
      text,
      /http:\/\/127\.0\.0\.1:8233\/namespaces\/[^/]+\/workflows\/daily-analysis-20131029\/r1\/history/,
    );
    assert.ok(text.includes('log of daily-analysis-20131029 r1'));
  });

  it('is silent about success, and tells one recovery after failures', async () => {
    assert.equal(await notify({ run: run('r1'), outcome: ENDED }), null);
    await notify({ run: run('r2'), outcome: FAILED });
    await notify({ run: run('r3'), outcome: FAILED });
    assert.equal(await notify({ run: run('r4'), outcome: ENDED }), 'recovered');
    assert.equal(await notify({ run: run('r5'), outcome: ENDED }), null);
    assert.deepEqual(kinds(mail), ['failed', 'failed', 'recovered']);
    assert.deepEqual(store.keys(stateKeys.openFailures), []);
  });

  it('a day that ends well is no recovery of another one', async () => {
    await notify({ run: run('r1', '20131028'), outcome: FAILED });
    assert.equal(await notify({ run: run('r2', '20131029'), outcome: ENDED }), null);
    assert.equal(store.keys(stateKeys.openFailures).length, 1);
    assert.equal(await notify({ run: run('r3', '20131028'), outcome: ENDED }), 'recovered');
  });

  it('a broken channel keeps no alert from the others, fails the attempt, and is tried again alone', async () => {
    chat.isBroken = true;
    await assert.rejects(notify({ run: run('r1'), outcome: FAILED }), /webhook: refused/);
    assert.deepEqual([kinds(mail), store.keys(stateKeys.allUndelivered).length], [['failed'], 1]);
    chat.isBroken = false;
    await notify({ run: run('r1'), outcome: FAILED });
    assert.deepEqual([kinds(mail), kinds(chat)], [['failed'], ['failed']]);
    assert.deepEqual(store.keys(stateKeys.allUndelivered), []);
  });

  it('without channels a failure is still noted for the status', async () => {
    ports = { ...ports, channels: [] };
    await notify({ run: run('r1'), outcome: FAILED });
    const [key = ''] = store.keys(stateKeys.openFailures);
    assert.deepEqual(store.json(key), {
      job: 'daily-analysis',
      about: '20131029',
      workflowId: 'daily-analysis-20131029',
      runId: 'r1',
      failedAt: '2013-10-30T13:32:00.000Z',
      type: 'QueueMissing',
      message: 'no such queue',
    });
  });
});

describe('over HTTP', () => {
  const requests: { readonly body: string; readonly headers: IncomingHttpHeaders; readonly method: string }[] = [];
  let server: Server;
  let url: string;
  let answer: { readonly status: number; readonly location?: string } = { status: 204 };

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        requests.push({ body, headers: request.headers, method: request.method ?? '' });
        const { status, location } = answer;
        response.writeHead(status, location === undefined ? {} : { location }).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.close();
  });
  beforeEach(() => {
    requests.length = 0;
    answer = { status: 204 };
  });

  it('a webhook gets signed JSON that a receiver can check', async () => {
    const channel = webhookChannel({ url, secret: 'sixteen-characters' });
    await channel.send({ kind: 'failed', subject: 's', text: 't' }, 'id-1', new AbortController().signal);
    const { body, headers } = requests[0] ?? assert.fail();
    assert.deepEqual(JSON.parse(body), { id: 'id-1', kind: 'failed', subject: 's', text: 't' });
    const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-telemetry-signature'])) ?? [];
    assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
    assert.equal(createHmac('sha256', 'sixteen-characters').update(`${time}.${body}`).digest('hex'), given);
    assert.equal(headers['idempotency-key'], 'id-1/failed');
  });

  for (const [title, refusal] of [
    ['an error', { status: 500 }],
    ['a redirect', { status: 302, location: 'http://169.254.169.254/' }],
  ] as const) {
    it(`T21: ${title} as answer is a failure, and is not followed`, async () => {
      answer = refusal;
      const channel = webhookChannel({ url, secret: undefined });
      const sending = channel.send({ kind: 'failed', subject: 's', text: 't' }, 'id-1', new AbortController().signal);
      await assert.rejects(sending);
      assert.equal(requests.length, 1);
      assert.equal(requests[0]?.headers['x-telemetry-signature'], undefined);
    });
  }

  it("the dead man's switch is asked for once; its failure is an error of the attempt", async () => {
    ports = { ...ports, deadManUrl: url };
    const activities = createAlertActivities(ports);
    const ping = (): Promise<void> => environment().run(() => activities.pingDeadMan({ seq: 3 }));
    await ping();
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['GET'],
    );
    answer = { status: 503 };
    await assert.rejects(ping(), /503/);
  });
});
