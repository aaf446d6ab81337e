/**
 * docs/security.md T15: with every secret setting set to a canary and every channel broken for a while, no canary comes
 * to rest anywhere.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { generateSamples } from '../../local/samples/generate.ts';
import { environmentSchema } from '../../src/settings.ts';
import { DAY_TEMPLATE } from '../fakes/application.ts';
import { canariesIn, objectTexts } from '../fakes/canaries.ts';
import { Deployment } from '../system/deployment.ts';

const DAY = '20131029';
const PASSWORD = 'canary pass/word';
const WEBHOOK_PATH = '/services/canary-hook-token';
const DEAD_MAN_PATH = '/ping/canary-dead-man';
const HMAC = 'canary-hmac-secret-4711';
/** A service that is down refuses so often. */
const REFUSALS = 2;

let folder: string;
let template: string;
let deployment: Deployment;
let smtp: SMTPServer;
let http: Server;
const mails: string[] = [];
const posted: string[] = [];
const refused = { smtp: 0, webhook: 0, deadMan: 0 };
let canaries: readonly string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  template = join(folder, 'filter.json.in');
  await generateSamples({
    ...{ seed: 'secrets', days: [DAY], directory: folder, submissionsPerFile: 40 },
    ...{ measures: 6, channelVersions: ['nightly/28'] },
  });
  smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username = '', password = '' }, _session, done) => {
      refused.smtp += 1;
      // Such servers exist: the answer repeats what it was asked.
      if (refused.smtp <= REFUSALS) done(new Error(`${username} with the password ${password} is unknown`));
      else done(null, { user: username });
    },
    onData: (stream, _session, done) => {
      void Array.fromAsync(stream as AsyncIterable<Buffer>).then((parts) => {
        mails.push(Buffer.concat(parts).toString('utf8'));
        done();
      });
    },
  });
  const listening = smtp.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  http = createServer((request, response) => {
    void (async () => {
      posted.push((await Array.fromAsync(request as AsyncIterable<Buffer>)).join(''));
      const which = request.url?.startsWith(WEBHOOK_PATH) === true ? 'webhook' : 'deadMan';
      refused[which] += 1;
      const status = refused[which] <= REFUSALS ? 500 : 204;
      response.writeHead(status).end(status === 500 ? `cannot serve ${request.url ?? ''}` : undefined);
    })();
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const settings = {
    TELEMETRY_ALERT_SMTP_URL: `smtp://someone:${encodeURIComponent(PASSWORD)}@127.0.0.1:${(listening.address() as AddressInfo).port}`,
    TELEMETRY_ALERT_WEBHOOK_URL: `${address}${WEBHOOK_PATH}?key=canary-query`,
    TELEMETRY_ALERT_WEBHOOK_SECRET: HMAC,
    TELEMETRY_DEAD_MAN_URL: address + DEAD_MAN_PATH,
  };
  const secret = Object.entries(environmentSchema.shape).filter(([, setting]) => setting.meta()?.['secret'] === true);
  assert.deepEqual(secret.map(([name]) => name).toSorted(), Object.keys(settings).toSorted(), 'a canary for each');
  deployment = await Deployment.start({
    ...settings,
    TELEMETRY_ALERT_FROM: 'telemetry@example.org',
    TELEMETRY_ALERT_TO: 'oncall@example.org',
    TELEMETRY_DEFINITIONS: join(folder, 'definitions'),
    TELEMETRY_FILTER_TEMPLATE: template,
    TELEMETRY_LOG_LEVEL: 'debug',
  });
  const awsSecret = deployment.stack.env['AWS_SECRET_ACCESS_KEY'] ?? '';
  assert.ok(awsSecret.length >= 12);
  canaries = [
    ...[PASSWORD, encodeURIComponent(PASSWORD), HMAC, awsSecret],
    ...['canary-hook-token', 'canary-query', 'canary-dead-man'],
  ];
  await deployment.load(join(folder, 'submissions'));
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
});
after(async () => {
  // First what keeps this process alive: a deployment that did not start cannot be stopped.
  smtp.close(() => undefined);
  http.closeAllConnections();
  http.close();
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

const seenIn = (text: string): string[] => canariesIn(text, canaries);

async function histories(): Promise<string[]> {
  const listed = await deployment.temporal('workflow', 'list', '-o', 'json');
  const runs = JSON.parse(listed.stdout) as { execution: { workflowId: string; runId: string } }[];
  return Promise.all(
    runs.map(async ({ execution: { workflowId, runId } }) => {
      const args = ['--workflow-id', workflowId, '--run-id', runId, '-o', 'json'];
      return (await deployment.temporal('workflow', 'show', ...args)).stdout;
    }),
  );
}

describe('secrets', () => {
  it('a day that fails and one that succeeds are told through channels that refuse at first', async () => {
    await writeFile(template, '{"version": 1, "dimensions": "none"}');
    const failed = await deployment.telemetry('run-day', '--day', DAY);
    assert.equal(failed.code, 2, failed.stderr);
    await writeFile(template, DAY_TEMPLATE);
    const published = await deployment.telemetry('run-day', '--day', DAY);
    assert.equal(published.code, 0, published.stderr);
    for (const output of [failed, published]) assert.deepEqual(seenIn(output.stdout + output.stderr), []);
    assert.equal(mails.length, 2);
    for (const [channel, requests] of Object.entries(refused)) assert.ok(requests > REFUSALS, channel);
  });

  it('T15: none is in a history, and the histories do tell of the refusals', async () => {
    const texts = await histories();
    assert.equal(texts.length, 2);
    for (const text of texts) assert.deepEqual(seenIn(text), []);
    assert.match(texts.join('\n'), /The webhook answered 500/);
  });

  it('T15: none is in a log, though the logs tell of the refusals', async () => {
    const names = (await readdir(deployment.directory)).filter((name) => name.endsWith('.log'));
    const logs = await Promise.all(names.map((name) => readFile(join(deployment.directory, name), 'utf8')));
    assert.equal(logs.length, 2);
    for (const log of logs) assert.deepEqual(seenIn(log), []);
    assert.match(logs.join('\n'), /someone with the password … is unknown/);
    assert.match(logs.join('\n'), /The webhook answered 500/);
    assert.match(logs.join('\n'), /dead man's switch answered 500/);
  });

  it('T15: none is in an object of the analysis or the published bucket', async () => {
    const stored = [...(await objectTexts(deployment.analysis)), ...(await objectTexts(deployment.published))];
    assert.ok(stored.length > 20);
    for (const [key, text] of stored) assert.deepEqual(seenIn(`${key}\n${text}`), [], key);
  });

  it('T15: none is in a mail or a request to another service', () => {
    for (const text of [...mails, ...posted]) assert.deepEqual(seenIn(text), []);
    assert.ok(posted.some((body) => body.includes(`failed for ${DAY}`)));
  });

  it('the search would find one', () => {
    for (const canary of canaries) {
      assert.ok(seenIn(`x ${canary} y`).includes(canary));
      assert.ok(seenIn(Buffer.from(`around ${canary} it`).toString('base64')).includes(canary));
    }
  });
});
