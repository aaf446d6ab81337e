/** The way to people is broken: no run suffers, what could not be told is seen by the watch, and nobody finds a secret anywhere. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { canariesIn, objectTexts } from '../fakes/canaries.ts';
import { LoopbackUpstream } from '../fakes/loopback-upstream.ts';
import { MailSink } from '../fakes/mail-sink.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import type { Scene, StartedDay } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const PASSWORD = 'canary pass/word';
const HOOK = '/services/canary-hook-token?key=canary-query';
const HMAC = 'canary-hmac-secret-4711';
const CANARIES = [PASSWORD, encodeURIComponent(PASSWORD), 'canary-hook-token', 'canary-query', HMAC];

/** A task that fails is what there is to tell. */
const SCENE = { script: { answer: ({ id }: { id: string }) => (id.endsWith('/1') ? 'failed' : 'done') } } as const;

interface Services {
  readonly mails: MailSink;
  readonly hook: LoopbackUpstream;
  /** Without the secret of the webhook. */
  readonly settings: Readonly<Record<string, string>>;
}

async function withServices<T>(
  refusal: ((username: string, password: string) => string) | undefined,
  use: (services: Services) => Promise<T>,
): Promise<T> {
  const [mails, hook] = await Promise.all([MailSink.start(refusal), LoopbackUpstream.start()]);
  try {
    return await use({
      mails,
      hook,
      settings: {
        TELEMETRY_ALERT_SMTP_URL: mails.url.replace('//', `//someone:${encodeURIComponent(PASSWORD)}@`),
        TELEMETRY_ALERT_FROM: 'telemetry@localhost.localdomain',
        TELEMETRY_ALERT_TO: 'someone@localhost.localdomain',
        TELEMETRY_ALERT_WEBHOOK_URL: `http://127.0.0.1:${hook.port}${HOOK}`,
        TELEMETRY_LOG_LEVEL: 'debug',
      },
    });
  } finally {
    await Promise.all([mails.stop(), hook.stop()]);
  }
}

async function historyOf(scene: Scene, { workflowId }: StartedDay): Promise<string> {
  return historyToJSON(await scene.stage.client.workflow.getHandle(workflowId).fetchHistory());
}

async function assertNoCanary(scene: Scene, history: string): Promise<void> {
  assert.deepEqual(canariesIn(history, CANARIES), [], 'no canary is in the history');
  assert.deepEqual(canariesIn(await scene.logs(), CANARIES), [], 'no canary is in a log');
  for (const store of [scene.analysis, scene.published])
    for (const [key, text] of await objectTexts(store))
      assert.deepEqual(canariesIn(`${key}\n${text}`, CANARIES), [], `no canary is in ${store.bucket}/${key}`);
}

/** The line of the watch about alerts that did not reach everybody. */
async function undelivered(scene: Scene): Promise<string | undefined> {
  const { stdout } = await scene.command('check');
  return stdout.split('\n').find((line) => line.startsWith('problem: undelivered alerts: '));
}

/** All input files but those of the task that failed. */
function counted(scene: Scene): Map<string, string> {
  const failed = [...scene.analysts.tasks.values()].filter(({ id }) => id.endsWith('/1')).flatMap(({ files }) => files);
  return new Map((scene.days.get(DAY) ?? []).filter((key) => !failed.includes(key)).map((key) => [key, '']));
}

describe('F24: the way to people is broken', { concurrency: 2 }, () => {
  const stage = faultStage(['impatient-alerts.ts']);

  faultTest(stage, {
    id: 'F24',
    title: 'no channel takes the alert: the day is published as ever, the watch tells, and no secret is anywhere',
    injected: 'SMTP refuses and repeats the password, the webhook answers 500 with its own address',
    scene: SCENE,
    story: (scene) =>
      withServices(
        (username, password) => `${username} with the password ${password} is unknown`,
        async ({ mails, hook, settings }) => {
          hook.answers.set(HOOK, (response) => response.writeHead(500).end(`cannot serve ${HOOK}`));
          await scene.storeDay(DAY, 12);
          scene.watchPublished();
          scene.startWorker({ ...settings, TELEMETRY_ALERT_WEBHOOK_SECRET: HMAC });
          const run = await scene.startDay(DAY);
          const result = await run.result();
          const history = await historyOf(scene, run);
          await assertNoCanary(scene, history);
          assert.match(history, /someone with the password … is unknown/, 'the history tells of the refusal');
          assert.match(history, /The webhook answered 500/);
          assert.deepEqual(
            [result.decision, result.done, result.failed, result.failedTasks],
            ['published', result.planned - 1, 1, { aborted: 1 }],
            'the result is the same as ever',
          );
          assert.ok(mails.refused > 2 && hook.asked.length > 2, 'both are tried again');
          assert.match((await undelivered(scene)) ?? '', /: 1 did not reach everybody, .* for 20131029 → /);
          await judge(scene, { seq: 1, results: [result], counted: counted(scene) });
          const times = mails.refused + hook.asked.length;
          return { times, seen: `published; ${times} refusals, one undelivered alert in "telemetry check", no canary` };
        },
      ),
    twin: { without: 'tellingFailures', fails: /no canary is in the history/ },
  });

  faultTest(stage, {
    id: 'F24',
    title: 'the secret of a channel is missing, and nobody notifies for a while: told once to each when both are there',
    injected: 'the webhook wants a signature; the only worker ends, another one has the secret',
    scene: SCENE,
    story: (scene) =>
      withServices(undefined, async ({ mails, hook, settings }) => {
        const accepted: string[] = [];
        hook.answers.set(HOOK, (response, { headers }) => {
          const signature = headers['x-telemetry-signature'];
          if (signature !== undefined) accepted.push(String(signature));
          response.writeHead(signature === undefined ? 401 : 204).end();
        });
        await scene.storeDay(DAY, 12);
        scene.watchPublished();
        const first = scene.startWorker(settings);
        const run = await scene.startDay(DAY);
        await scene.until('a second try', () => (hook.asked.length > 1 ? true : undefined));
        assert.match((await undelivered(scene)) ?? '', /: 1 did not reach everybody/);
        await scene.end(first, 'SIGTERM');
        const refusals = hook.asked.length;
        scene.startWorker({ ...settings, TELEMETRY_ALERT_WEBHOOK_SECRET: HMAC });
        const result = await run.result();
        assert.deepEqual([result.decision, result.failed], ['published', 1]);
        assert.equal(accepted.length, 1, 'the webhook takes it once');
        assert.equal(mails.mails.length, 1, 'the mail is sent once');
        assert.equal(await undelivered(scene), undefined);
        await assertNoCanary(scene, await historyOf(scene, run));
        await judge(scene, { seq: 1, results: [result], counted: counted(scene) });
        return {
          times: refusals,
          seen: `${refusals} refusals, then one request and one mail in all; nothing undelivered`,
        };
      }),
    twin: { without: 'toldAgain', fails: /the mail is sent once/ },
  });
});
