/** An operator's way with the quarantine, by the commands alone: what was refused counts once its reason is gone. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import type { Quarantined, QuarantineList, Release } from '../../src/state/quarantine-release.ts';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { resultKey } from '../fakes/done-messages.ts';
import { inputKey, resultOf } from '../fakes/day-run.ts';
import { foreignId, foreignMessage } from '../fakes/foreign-launcher.ts';
import { Deployment, type Output, until } from '../system/deployment.ts';

const DONE_QUEUE = 'telemetry-analysis-done';
const FILES = [inputKey('nightly/28', 'f1')];

let deployment: Deployment;
let queues: ReturnType<typeof createMessageQueues>;

before(async () => {
  deployment = await Deployment.start({ TELEMETRY_FOREIGN_RESULTS: 'adopt' });
  queues = createMessageQueues({ region: 'us-west-2', endpoint: deployment.stack.env['AWS_ENDPOINT_URL_SQS'] });
});
after(async () => {
  queues.close();
  await deployment.stop();
});

async function succeeds(...args: string[]): Promise<Output> {
  const output = await deployment.telemetry(...args);
  assert.equal(output.code, 0, output.stderr);
  return output;
}

async function list(): Promise<readonly Quarantined[]> {
  return (JSON.parse((await succeeds('quarantine', 'list', '--json')).stdout) as QuarantineList).listed;
}

it('a message that named a wrong file is refused, and the release of a good one reaches the data set', async () => {
  assert.equal((await succeeds('quarantine', 'list')).stdout, 'The quarantine is empty\n');
  deployment.startProcess('worker');
  await succeeds('aggregate', '--detach');

  await deployment.analysis.put(resultKey(foreignId(1)), Buffer.from(resultOf(FILES)));
  await queues.send(DONE_QUEUE, ['!']);
  const refused = await until('a refused message', async () => (await list())[0], 30_000);
  assert.equal(refused.reason, 'not_base64');
  // As if a worker had refused this one before TELEMETRY_FOREIGN_RESULTS=adopt.
  const good = {
    what: 'done_message',
    reason: 'unknown_run',
    message: 'm',
    content: foreignMessage({ number: 1, files: FILES }),
  };
  const sha = 'abc'.padEnd(64, '0');
  await deployment.analysis.put(`state/quarantine/${sha}.json`, Buffer.from(JSON.stringify(good)));

  const released = await succeeds('quarantine', 'release', sha.slice(0, 6), refused.sha, '--json');
  assert.deepEqual(
    (JSON.parse(released.stdout) as Release[]).map(({ outcome }) => outcome),
    ['released', 'released'],
  );
  await until(
    'the result in the data set',
    async () => {
      await succeeds('aggregate', '--publish-now');
      return (await deployment.exported()).get('nightly/28/GC_MS-by-build-date.json');
    },
    30_000,
  );
  const after = await list();
  assert.deepEqual(
    after.map(({ released: at }) => at !== null),
    [true, true],
  );
  await succeeds('aggregate', '--stop');
});

it('what is named wrongly ends with code 2 and says what to do', async () => {
  for (const [args, message] of [
    [['show', 'ff'], /first 6 digits/],
    [['release', 'ffffff'], /Nothing in the quarantine begins with ffffff/],
    [['list', '--limit', '0'], /--limit 0/],
  ] as const) {
    const { code, stderr, stdout } = await deployment.telemetry('quarantine', ...args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

it('an analysis worker that is told to stop reports no errors', async () => {
  const child = deployment.startProcess('analysis-worker');
  const log = async (): Promise<string> => {
    const names = await readdir(deployment.directory);
    const name = names.find((each) => each.startsWith('analysis-worker-')) ?? '';
    return readFile(join(deployment.directory, name), 'utf8');
  };
  await until(
    'a started worker',
    async () => ((await log()).includes('analysis worker started') ? true : undefined),
    30_000,
  );
  await deployment.kill(child, 'SIGTERM');
  assert.match(await log(), /analysis worker stopped/);
  assert.doesNotMatch(await log(), /"level":50/);
});
