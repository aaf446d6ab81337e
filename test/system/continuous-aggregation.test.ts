/** Results that another launcher asked for, on the done queue of a day that is being analysed: everything counts once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import pMap from 'p-map';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { generateSamples } from '../../local/samples/generate.ts';
import { NO_REPORT } from '../../src/pipeline/done-queue/done-message.ts';
import { encodeDoneMessage, resultKey } from '../fakes/done-messages.ts';
import type { RoundOutcome } from '../../src/workflows/continuous-aggregation.ts';
import { FOREIGN_RUN } from '../fakes/foreign-launcher.ts';
import { inputKey, resultOf } from '../fakes/day-run.ts';
import { Deployment, until } from './deployment.ts';

const DAY = '20131029';
const DONE_QUEUE = 'telemetry-analysis-done';
const RESULTS = 100;
const DUPLICATES = 20;
const OVERLAPPING = 10;
/** Only the overlapping results have it, so that none of them can be taken for the day's own. */
const FOREIGN_MEASURE = 'CYCLE_COLLECTOR_FOREIGN';
/** One that the samples do not have. */
const CHANNEL_VERSION = 'esr/17';

let samples: string;
let deployment: Deployment;
let queues: ReturnType<typeof createMessageQueues>;

before(async () => {
  samples = await mkdtemp(join(tmpdir(), 'samples-'));
  await generateSamples({
    ...{ seed: 'foreign', days: [DAY], directory: samples, submissionsPerFile: 20 },
    ...{ measures: 6, channelVersions: ['nightly/28', 'aurora/27'] },
  });
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: '4',
    TELEMETRY_FOREIGN_RESULTS: 'adopt',
    TELEMETRY_ROUND_RESULTS: '40',
  });
  await deployment.load(join(samples, 'submissions'));
  queues = createMessageQueues({ region: 'us-west-2', endpoint: deployment.stack.env['AWS_ENDPOINT_URL_SQS'] });
});
after(async () => {
  queues.close();
  await deployment.stop();
  await rm(samples, { recursive: true, force: true });
});

async function inputKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of deployment.input.list('')) if (entry.kind === 'object') keys.push(entry.key);
  return keys;
}

/** Good files that the sample template's filter admits. */
const isOfTheDay = new RegExp(`^saved_session/Firefox/[^/]+/[^/]+/\\d{14}\\.${DAY}\\.v2\\.log\\.[0-9a-f]+\\.lzma$`);

/** Stores the results of tasks numbered from `first`, one file each, and reports them. */
async function report(first: number, files: readonly string[], measure = 'GC_MS'): Promise<void> {
  const bodies = await pMap(
    files,
    async (key, index) => {
      const id = `${FOREIGN_RUN}/${first + index}`;
      const result = Buffer.from(resultOf([key], measure));
      await deployment.analysis.put(resultKey(id), result);
      const task = { id, name: 'other', owner: 'other', code: '', targetQueue: DONE_QUEUE, files: [key], size: 1 };
      return encodeDoneMessage(task, { aborted: false, report: { ...NO_REPORT, records: 1 } });
    },
    { concurrency: 16 },
  );
  await send(bodies);
}

async function send(bodies: readonly string[]): Promise<void> {
  for (let index = 0; index < bodies.length; index += 10) {
    assert.deepEqual(await queues.send(DONE_QUEUE, bodies.slice(index, index + 10)), []);
  }
}

async function submissions(channelVersion: string): Promise<number> {
  const byBuild = (await deployment.exported()).get(`${channelVersion}/GC_MS-by-build-date.json`) ?? '{}';
  const rows = Object.values(JSON.parse(byBuild) as Record<string, number[][]>).flat();
  return rows.reduce((sum, row) => sum + (row.at(-2) ?? 0), 0);
}

async function quarantinedReasons(): Promise<Record<string, number>> {
  const reasons: Record<string, number> = {};
  for await (const entry of deployment.analysis.list('state/quarantine/')) {
    if (entry.kind !== 'object') continue;
    const { body } = await deployment.analysis.get(entry.key);
    const { reason } = JSON.parse(body.toString('utf8')) as { reason: string };
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  return reasons;
}

async function publishNow(): Promise<RoundOutcome> {
  const { code, stdout, stderr } = await deployment.telemetry('aggregate', '--publish-now', '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as RoundOutcome;
}

it('100 foreign results beside a daily run, some twice, some with files of the day: each file counts once', async () => {
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
  const started = await deployment.telemetry('aggregate', '--detach');
  assert.equal(started.code, 0, started.stderr);

  const files = Array.from({ length: RESULTS }, (_, n) => inputKey(CHANNEL_VERSION, `f${String(n)}`));
  const ofTheDay = (await inputKeys()).filter((key) => isOfTheDay.test(key)).slice(0, OVERLAPPING);
  assert.equal(ofTheDay.length, OVERLAPPING);
  const day = deployment.telemetry('run-day', '--day', DAY, '--json');
  await report(1, files);
  await report(RESULTS + 1, ofTheDay, FOREIGN_MEASURE);
  await report(1, files.slice(0, DUPLICATES));
  const { code, stdout, stderr } = await day;
  assert.equal(code, 0, stderr);
  const analysed = JSON.parse(stdout) as { planned: number; done: number; missing: number };
  assert.equal(analysed.done, analysed.planned);

  // A round may be sent back by the day's commit; the next one finds its results.
  const seen = await until(
    'all results in the data set',
    async () => {
      await publishNow();
      const count = await submissions(CHANNEL_VERSION);
      return count >= RESULTS ? count : undefined;
    },
    60_000,
  );
  assert.equal(seen, RESULTS);
  assert.equal((await publishNow()).decision, 'nothing');
  assert.deepEqual(await quarantinedReasons(), { duplicate_input: OVERLAPPING });
  const shown = [...(await deployment.exported()).keys()];
  assert.deepEqual(
    shown.filter((name) => name.includes(`/${FOREIGN_MEASURE}-`)),
    [],
    'what the overlapping results would have added is nowhere',
  );

  const stopped = await deployment.telemetry('aggregate', '--stop');
  assert.equal(stopped.code, 0, stopped.stderr);
  const late = await deployment.telemetry('aggregate', '--publish-now');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^Continuous aggregation is not running; start it with "telemetry aggregate"$/m);
  assert.equal((await queues.receive(DONE_QUEUE, { waitSeconds: 0, visibilitySeconds: 1 })).length, 0);
});
