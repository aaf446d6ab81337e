/** Messages and results that somebody else, or nobody sane, has written: kept aside with a reason, and without effect on the rest. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { MailSink } from '../fakes/mail-sink.ts';
import { faultTest } from './harness/fault-test.ts';
import { base64, JUNK } from './harness/junk-messages.ts';
import { judge } from './harness/oracle.ts';
import { quarantined, reasonsOf } from './harness/quarantined.ts';
import type { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const PER_HOUR = 3;

/** The fields of a good message, changed. */
function changed(message: string, changes: object): string {
  return base64({ ...(JSON.parse(Buffer.from(message, 'base64').toString()) as object), ...changes });
}

/** Made of the messages of two tasks of the run. */
function twisted(message: string, task: { id: string; files: readonly string[] }): [body: string, reason: string][] {
  const [run = ''] = task.id.split('/');
  return [
    [changed(message, { files: [...task.files, 'one/more'] }), 'files_differ'],
    [changed(message, { id: `${run}/999`, 'target-prefix': `output/${run}/999/` }), 'unknown_task'],
    [changed(message, { 'target-prefix': undefined }), 'bad_message'],
  ];
}

async function withMails<T>(use: (mails: MailSink, settings: Record<string, string>) => Promise<T>): Promise<T> {
  const mails = await MailSink.start();
  try {
    return await use(mails, {
      TELEMETRY_ALERT_SMTP_URL: mails.url,
      TELEMETRY_ALERT_FROM: 'telemetry@localhost.localdomain',
      TELEMETRY_ALERT_TO: 'someone@localhost.localdomain',
    });
  } finally {
    await mails.stop();
  }
}

async function send(scene: Scene, bodies: readonly string[]): Promise<void> {
  // One by one: together they are larger than a batch may be.
  for (const body of bodies) assert.deepEqual(await scene.queues.send(scene.names.doneQueue, [body]), []);
}

describe('poison', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F9',
    title: 'bad messages among the good ones',
    injected: 'bad messages of every kind, twice each',
    smoke: 'first',
    story: (scene) =>
      withMails(async (mails, settings) => {
        await scene.storeDay(DAY, 12);
        const expected = [...JUNK];
        let victim = '';
        scene.analysts.script = {
          messagesOf: (task, message) => {
            victim ||= task.id;
            // "size" is nothing that anybody reads, and a report is left out where it is none.
            if (task.id !== victim) return [changed(message, { size: '12', records: '7', skipped: [] })];
            const bad = twisted(message, task);
            expected.push(...bad);
            return [...bad.map(([body]) => body), ...bad.map(([body]) => body), message];
          },
        };
        for (let copy = 0; copy < 2; copy += 1) await send(scene, JUNK.map(([body]) => body)); // prettier-ignore
        scene.watchPublished();
        scene.startWorker(settings);
        const result = await scene.runDay(DAY);
        assert.deepEqual(
          await reasonsOf(scene),
          expected.map(([, reason]) => reason).toSorted(),
          'each is in quarantine once, with its reason',
        );
        const kept = new Set((await quarantined(scene)).map(({ content }) => content));
        assert.deepEqual(expected.filter(([body]) => !kept.has(body)), [], 'as it came'); // prettier-ignore
        assert.equal(result.done, result.planned, 'O4: good messages are unaffected');
        await judge(scene, { seq: 1, results: [result] });
        await scene.until('the mail', () => (mails.mails.length > 0 ? true : undefined));
        assert.equal(mails.mails.length, 1, 'one warning mail');
        assert.match(mails.mails[0]?.text ?? '', /\d+ refusals of done messages: they are in quarantine/);
        const seen = `${kept.size} in quarantine, all ${result.done} results, one mail, nothing left`;
        return { times: 2 * expected.length, seen };
      }),
    twin: { without: 'poisonKept', fails: /in quarantine once/ },
  });

  faultTest(stage, {
    id: 'F9',
    title: 'more bad messages than the quarantine takes in an hour',
    injected: `20 bad messages, TELEMETRY_QUARANTINE_PER_HOUR=${PER_HOUR}`,
    story: (scene) =>
      withMails(async (mails, settings) => {
        await scene.storeDay(DAY, 12);
        const junk = Array.from({ length: 20 }, (_, number) => base64(`junk ${number}`));
        await send(scene, junk);
        scene.watchPublished();
        scene.startWorker({ ...settings, TELEMETRY_QUARANTINE_PER_HOUR: String(PER_HOUR) });
        const result = await scene.runDay(DAY);
        assert.equal((await quarantined(scene)).length, PER_HOUR, 'the cap holds');
        assert.equal(result.done, result.planned, 'O4: good messages get in');
        await scene.until('both mails', () => (mails.mails.length > 1 ? true : undefined));
        const subjects = mails.mails.map(({ subject = '' }) => subject.replace(/^\[.*?\] /, ''));
        assert.deepEqual(subjects, [`warns while it runs for ${DAY}`, `ended with warnings for ${DAY}`]);
        assert.match(mails.mails[0]?.text ?? '', /TELEMETRY_QUARANTINE_PER_HOUR/);
        await judge(scene, { seq: 1, results: [result], left: junk.length - PER_HOUR });
        return {
          times: junk.length,
          seen: `${PER_HOUR} in quarantine, ${junk.length - PER_HOUR} on the queue, all results, 2 mails`,
        };
      }),
    twin: { without: 'endlessQuarantine', fails: /the cap holds/ },
  });
});
