/** What reaches people over real SMTP: one mail for a failed run, one for the recovery, and no run suffers when nobody can be reached. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateSamples } from '../../local/samples/generate.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { DAY_TEMPLATE } from '../fakes/application.ts';
import { MailSink } from '../fakes/mail-sink.ts';
import { Deployment, until } from './deployment.ts';

const DAY = '20131029';
const SECRET = 'canary-hmac-secret-4711';
const FROM = 'telemetry@example.org';
const TO = 'telemetry-alerts@example.org';

let folder: string;
let template: string;
let mails: MailSink;
let brokenChat: Server;
let chatRequests = 0;
let deployment: Deployment;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alerts-'));
  template = join(folder, 'filter.json.in');
  await generateSamples({
    ...{ seed: 'alerts', days: [DAY], directory: folder, submissionsPerFile: 40 },
    ...{ measures: 6, channelVersions: ['nightly/28'] },
  });
  mails = await MailSink.start();
  brokenChat = createServer((_, response) => {
    chatRequests += 1;
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(brokenChat, 'listening');
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(folder, 'definitions'),
    TELEMETRY_FILTER_TEMPLATE: template,
    TELEMETRY_ALERT_SMTP_URL: mails.url,
    TELEMETRY_ALERT_FROM: FROM,
    TELEMETRY_ALERT_TO: TO,
    TELEMETRY_ALERT_WEBHOOK_URL: `http://127.0.0.1:${(brokenChat.address() as AddressInfo).port}/`,
    TELEMETRY_ALERT_WEBHOOK_SECRET: SECRET,
    TELEMETRY_WEB_UI: 'http://127.0.0.1:8233',
  });
  await deployment.load(join(folder, 'submissions'));
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
});
after(async () => {
  await deployment.stop();
  await mails.stop();
  brokenChat.close();
  await rm(folder, { recursive: true, force: true });
});

async function runDay(): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return deployment.telemetry('run-day', '--day', DAY, '--json');
}

/** The run waits until its alert is told, or for a quarter of an hour; a test does not. */
async function runDayUntilMail(count: number): Promise<void> {
  const started = await deployment.telemetry('run-day', '--day', DAY, '--detach');
  assert.equal(started.code, 0, started.stderr);
  await until(`mail ${count}`, async () => (mails.mails.length >= count ? true : undefined), 60_000);
}

describe('alerts', () => {
  it('a failed run sends exactly one mail, with the sections of a cronic report and the link', async () => {
    await writeFile(template, '{"version": 1, "dimensions": "none"}');
    await runDayUntilMail(1);
    // The second channel fails: the alert is tried again, and the mail is not sent twice.
    await until('a second try of the broken channel', async () => (chatRequests >= 2 ? true : undefined), 30_000);
    assert.equal(mails.mails.length, 1);
    const [mail] = mails.mails;
    assert.equal(mail?.subject, `[daily-analysis] failed for ${DAY}`);
    assert.equal(mail.from?.text, FROM);
    const text = mail.text ?? '';
    if (process.env['SHOW_MAIL'] !== undefined) process.stdout.write(`${mail.subject}\n\n${text}\n`);
    for (const part of [
      'RESULT CODE: InvalidFilter',
      'WHAT TO DO: Correct the filter template',
      'ERROR OUTPUT:',
      'COUNTS:',
      'LOG:',
      `http://127.0.0.1:8233/namespaces/default/workflows/daily-analysis-${DAY}/`,
    ]) {
      assert.ok(text.includes(part), `${part} in\n${text}`);
    }
    assert.ok(!text.includes(SECRET));
    assert.doesNotMatch(text, /[{}]|\(none\)/, 'no JSON, no empty section');
  });

  it('F24: a channel that is broken leaves the run as it was, and its alert among the undelivered ones', async () => {
    const shown = await deployment.temporal('workflow', 'show', '--workflow-id', `daily-analysis-${DAY}`, '-o', 'json');
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(!shown.stdout.includes(SECRET), '128: no secret in the history');
    const undelivered = await until(
      'an undelivered alert',
      async () => {
        const keys: string[] = [];
        for await (const entry of deployment.analysis.list(stateKeys.allUndelivered))
          if (entry.kind === 'object') keys.push(entry.key);
        return keys.length > 0 ? keys : undefined;
      },
      10_000,
    );
    assert.equal(undelivered.length, 1);
    // Nobody waits a quarter of an hour for a test: the run is told to stop waiting, as an operator would.
    const ended = await deployment.temporal('workflow', 'terminate', '--workflow-id', `daily-analysis-${DAY}`);
    assert.equal(ended.code, 0, ended.stderr);
  });

  it('the day run again with what was wrong put right sends one recovery; the next one only its warnings', async () => {
    brokenChat.removeAllListeners('request');
    brokenChat.on('request', (_, response) => response.writeHead(204).end());
    await rm(template);
    await writeFile(template, DAY_TEMPLATE);
    const { code, stderr } = await runDay();
    assert.equal(code, 0, stderr);
    assert.equal(mails.mails.length, 2);
    assert.equal(mails.mails[1]?.subject, `[daily-analysis] recovered for ${DAY}`);
    assert.match(mails.mails[1].text ?? '', /FAILED SINCE: /);
    const again = await runDay();
    assert.equal(again.code, 0, again.stderr);
    const subjects = mails.mails.slice(2).map(({ subject }) => subject);
    assert.deepEqual(subjects, [`[daily-analysis] ended with warnings for ${DAY}`], 'samples have corrupt files');
  });
});
