/** `telemetry check` and `status` as an operator runs them, against a deployment in which one thing after the other is broken by hand. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { generateSamples } from '../../local/samples/generate.ts';
import { Deployment, type Output, until } from '../system/deployment.ts';

const DAY = '20131029';

let folder: string;
let template: string;
let deployment: Deployment;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watch-'));
  await generateSamples({
    ...{ seed: 'watch', days: [DAY], directory: folder, submissionsPerFile: 40 },
    ...{ measures: 6, channelVersions: ['nightly/28'] },
  });
  template = join(folder, 'filter.json.in');
  await copyFile('filter.json.in', template);
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(folder, 'definitions'),
    TELEMETRY_FILTER_TEMPLATE: template,
  });
  await deployment.load(join(folder, 'submissions'));
});
after(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

const check = (...args: string[]): Promise<Output> => deployment.telemetry('check', ...args);

const status = (): Promise<Output> => deployment.telemetry('status');

interface StatusFacts {
  readonly findings: readonly unknown[];
  /** Newest first. */
  readonly runs: readonly { readonly job: string; readonly about: string; readonly status: string }[];
}

async function statusFacts(): Promise<StatusFacts> {
  const { code, stdout, stderr } = await deployment.telemetry('status', '--json');
  assert.equal(code, 0, stderr);
  const { findings, facts } = JSON.parse(stdout) as {
    findings: unknown[];
    facts: { runs: { known: { runs: StatusFacts['runs'] } } };
  };
  return { findings, runs: facts.runs.known.runs };
}

/** Temporal lists the end of a run a moment after it. */
const untilFound = (): Promise<Output> =>
  until(
    'a finding',
    async () => {
      const output = await check();
      return output.code === 0 ? undefined : output;
    },
    20_000,
  );
const untilSilent = (): Promise<Output> =>
  until(
    'silence',
    async () => {
      const output = await check();
      return output.code === 0 ? output : undefined;
    },
    20_000,
  );

async function show(title: string): Promise<void> {
  if (process.env['SHOW_STATUS'] === undefined) return;
  const { code, stdout, stderr } = await status();
  process.stdout.write(`===== ${title}: exit ${code}\n${stdout}${stderr}\n`);
}

/** The one finding whose line begins so; fails with everything that was said. */
function assertOnlyLine({ code, stdout, stderr }: Output, pattern: RegExp, exitCode = 1): void {
  const lines = stdout.split('\n').filter(Boolean);
  assert.equal(lines.length, 1, stdout + stderr);
  assert.match(lines[0] ?? '', pattern);
  assert.match(lines[0] ?? '', / → \S/, 'it says what to do');
  assert.equal(code, exitCode, stderr);
}

const assertSilent = ({ code, stdout, stderr }: Output): void => {
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
};

describe('check and status', () => {
  it('an empty deployment: names the schedules and the workers that are not there', async () => {
    await show('empty');
    const { code, stdout } = await check();
    assert.equal(code, 1, stdout);
    for (const part of ['schedule daily-analysis: does not exist', 'no worker polls them'])
      assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
  });

  it('F23: a run at work is no finding and shown with its tasks; terminated it is one, until the day is run again', async () => {
    deployment.startProcess('worker');
    const applied = await deployment.telemetry('schedules', 'apply');
    assert.equal(applied.code, 0, applied.stderr);
    const started = await deployment.telemetry('run-day', '--day', DAY, '--detach');
    assert.equal(started.code, 0, started.stderr);
    await until(
      'the run waits for its tasks',
      async () =>
        /running .*draining the done queue; \d+ tasks?: 0 done, 0 failed, \d+ open/.test((await status()).stdout)
          ? true
          : undefined,
      60_000,
    );
    await show('running');
    assertSilent(await check());
    const ended = await deployment.temporal(
      ...['workflow', 'terminate', '--workflow-id', `daily-analysis-${DAY}`, '--reason', 'wrong filter'],
    );
    assert.equal(ended.code, 0, ended.stderr);
    const output = await untilFound();
    const terminated =
      (await check()).stdout.split('\n').find((line) => line.includes('was terminated')) ?? output.stdout;
    assert.match(
      terminated,
      /^problem: daily-analysis 20131029: was terminated .* ago by .*: wrong filter \(.* → .*"telemetry run-day --day 20131029"/,
    );
    // Its tasks wait for a worker that does not come.
    assert.match(
      (await check()).stdout,
      /problem: task queue telemetry-analysis-tasks: \d+ analysis tasks? waits?, and no analysis worker is alive/,
    );
    deployment.startProcess('analysis-worker');
    assert.equal((await deployment.telemetry('run-day', '--day', DAY, '--json')).code, 0);
    await untilSilent();
  });

  it('a healthy deployment: silence and exit code 0; a line with --verbose', async () => {
    await show('healthy');
    assertSilent(await check());
    const verbose = await check('--verbose');
    assert.equal(verbose.code, 0);
    assert.match(verbose.stdout, /^All is well: commit 1 of .* shows \d+ channel\/versions\.\n$/);
    const { findings, runs } = await statusFacts();
    assert.deepEqual(findings, []);
    // The schedules may have become due meanwhile.
    assert.deepEqual(
      runs.filter(({ about }) => about === DAY).map(({ status: state }) => state),
      ['COMPLETED', 'TERMINATED'],
    );
  });

  it('runs that the schedules start, for a day without submissions, are no finding', async () => {
    const jobs = ['daily-analysis', 'website-update', 'garbage-collection'];
    for (const id of jobs) {
      const triggered = await deployment.temporal('schedule', 'trigger', '--schedule-id', id);
      assert.equal(triggered.code, 0, triggered.stderr);
    }
    const ofSchedules = await until(
      'the runs of the schedules are at their end',
      async () => {
        const runs = (await statusFacts()).runs.filter(({ about }) => about !== DAY);
        const ended = runs.filter(({ status: state }) => state !== 'RUNNING');
        return jobs.every((job) => ended.some((run) => run.job === job)) && ended.length === runs.length
          ? ended
          : undefined;
      },
      120_000,
    );
    assert.deepEqual([...new Set(ofSchedules.map(({ status: state }) => state))], ['COMPLETED']);
    await show('after the schedules');
    assertSilent(await check());
  });

  it('stale data', async () => {
    const output = await check('--max-age-hours', '0');
    assertOnlyLine(output, /^problem: stale data: the last commit \(1\) is .* more than 0 h → .*run-day/);
  });

  it('a paused schedule, with its note', async () => {
    const toggle = (...args: string[]) =>
      deployment.temporal(
        'schedule',
        'toggle',
        '--schedule-id',
        'daily-analysis',
        '--reason',
        'queue is being moved',
        ...args,
      );
    assert.equal((await toggle('--pause')).code, 0);
    assertOnlyLine(
      await check(),
      /^problem: schedule daily-analysis: is paused, note: queue is being moved → .*--unpause/,
    );
    await show('paused');
    assert.equal((await toggle('--unpause')).code, 0);
    assertSilent(await check());
  });

  it('a failed run: one line with its error and what to do about it, until the day is run again', async () => {
    const good = await readFile(template);
    await writeFile(template, '{"version": 1, "dimensions": "none"}');
    assert.equal((await deployment.telemetry('run-day', '--day', DAY)).code, 2);
    assertOnlyLine(
      await untilFound(),
      /^problem: daily-analysis 20131029: failed .*InvalidFilter: .* → Correct the filter template/,
    );
    await show('failed');
    const id = `daily-analysis/${DAY}`;
    const unknown = await deployment.telemetry('acknowledge', 'daily-analysis/20990101', '--reason', 'x');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, new RegExp(`nothing with the id .*; ids now: ${id}`));
    const given = await deployment.telemetry('acknowledge', id, '--reason', 'the template is being changed');
    assert.equal(given.code, 0, given.stderr);
    assertSilent(await check());
    assertOnlyLine(
      await check('--verbose'),
      /^note: daily-analysis 20131029: .*acknowledged by .*: the template is being changed/,
      0,
    );
    assert.match((await deployment.telemetry('acknowledge')).stdout, /daily-analysis\/20131029 .*is being changed/);
    assert.equal((await deployment.telemetry('acknowledge', id, '--withdraw')).code, 0);
    assertOnlyLine(await check(), /^problem: daily-analysis 20131029: failed/);
    await writeFile(template, good);
    assert.equal((await deployment.telemetry('run-day', '--day', DAY, '--json')).code, 0);
    await untilSilent();
  });

  it('workflows that nobody will work on: told until they are terminated', async () => {
    const start = (...args: string[]) =>
      deployment.temporal('workflow', 'start', '--input', '{"day":"20131029"}', ...args);
    for (const [id, type, queue, line] of [
      [
        'typo-1',
        'dailyAnalysys',
        'telemetry',
        /^problem: workflow typo-1: no worker has a workflow of type dailyAnalysys/,
      ],
      [
        'typo-2',
        'dailyAnalysis',
        'telemetri',
        /^problem: workflow typo-2: it is on the worker task queue telemetri, which/,
      ],
    ] as const) {
      const started = await start('--workflow-id', id, '--type', type, '--task-queue', queue);
      assert.equal(started.code, 0, started.stderr);
      const found = await until(
        'the finding',
        async () => (await check()).stdout.split('\n').find((each) => line.test(each)),
        20_000,
      );
      assert.match(found, new RegExp(`temporal workflow terminate --workflow-id ${id}`));
      assert.equal((await deployment.temporal('workflow', 'terminate', '--workflow-id', id)).code, 0);
    }
    await untilSilent();
  });

  it('a typo in the input of a run: the run fails, and nothing stays open', async () => {
    const input = '{"day":"2013"}';
    const started = await deployment.temporal(
      ...[
        'workflow',
        'execute',
        '--workflow-id',
        'typo-3',
        '--type',
        'dailyAnalysis',
        '--task-queue',
        'telemetry',
        '--input',
        input,
      ],
    );
    assert.equal(started.code, 1, started.stdout);
    assertSilent(await check());
  });

  it('a dead letter', async () => {
    const queues = createMessageQueues({ region: 'us-west-2', endpoint: deployment.stack.links.sqs });
    const queue = 'telemetry-analysis-done-dlq';
    await queues.send(queue, ['not for us']);
    assertOnlyLine(
      await check(),
      /^problem: dead letters in telemetry-analysis-done-dlq: 1 message that .* the oldest sent .* ago → .*purge/,
    );
    await show('dead letter');
    const [message] = await queues.receive(queue, { waitSeconds: 5, visibilitySeconds: 30 });
    await queues.deleteMessages(queue, [message?.receiptHandle ?? '']);
    queues.close();
    assertSilent(await check());
  });

  it('a projection that somebody has overwritten: repaired, said once', async () => {
    for (const name of ['FILES_PROCESSED', 'FILES_MISSING', 'status.json']) {
      const { body } = await deployment.published.get(`v7/${name}`);
      await deployment.published.put(`v7/${name}`, Buffer.from('{"by": "hand"}\n'));
      assertOnlyLine(await check(), new RegExp(`^warning: projections .*${name}.*repaired from the ledger of commit`));
      assert.equal((await deployment.published.get(`v7/${name}`)).body.toString(), body.toString(), name);
      assertSilent(await check());
    }
  });

  it('a pointer that is gone: nobody can tell, exit code 2; the rest is shown', async () => {
    const { body } = await deployment.published.get('v7/versions.json');
    await deployment.published.delete(['v7/versions.json']);
    assertOnlyLine(await check(), /^unchecked: data set, projections: .*versions.json does not exist.* → Restore/, 2);
    await show('pointer gone');
    await deployment.published.put('v7/versions.json', body, {
      contentType: 'application/json',
      contentEncoding: 'gzip',
      cacheControl: 'no-cache',
    });
    assertSilent(await check());
  });

  it('a Temporal server out of reach is said, and the rest is shown; wrong options are exit code 2', async () => {
    const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { code, stdout } = await deployment.telemetryWith(nowhere, 'status');
    assert.equal(code, 2);
    assert.match(stdout, /^3 could not be checked: runs, schedules, workers\./);
    assert.match(stdout, /RUNS\nnot known: no Temporal server answers at 127\.0\.0\.1:1/);
    assert.match(stdout, /telemetry-analysis-done-dlq/);
    assert.equal((await check('--max-age-hours', 'soon')).code, 2);
  });
});
