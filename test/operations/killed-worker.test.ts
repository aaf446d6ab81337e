/** kill -9 of the Temporal worker in the middle of the drain: another worker ends the run, and no byte differs. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { generateSamples } from '../../local/samples/generate.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { Deployment, until } from '../system/deployment.ts';

const DAY = '20131029';
let samples: string;

before(async () => {
  samples = await mkdtemp(join(tmpdir(), 'samples-'));
  await generateSamples({
    ...{ seed: 'killed', days: [DAY], directory: samples, submissionsPerFile: 20 },
    ...{ measures: 6, channelVersions: ['nightly/28'] },
  });
});
after(() => rm(samples, { recursive: true, force: true }));

async function deploy(): Promise<Deployment> {
  const settings = {
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: '1',
    TELEMETRY_CHUNK_TASKS: '4',
    TELEMETRY_ANALYSIS_TASKS_AT_ONCE: '1',
    // What the killed worker had received comes back after this.
    TELEMETRY_DONE_VISIBILITY_SECONDS: '10',
  };
  const deployment = await Deployment.start(settings);
  await deployment.load(join(samples, 'submissions'));
  return deployment;
}

async function receipts(deployment: Deployment): Promise<number> {
  let count = 0;
  for await (const entry of deployment.analysis.list(`state/runs/${DAY}/`))
    if (entry.kind === 'object' && entry.key.endsWith('.done')) count += 1;
  return count;
}

async function runDay(deployment: Deployment): Promise<DailyAnalysisResult> {
  const { code, stdout, stderr } = await deployment.telemetry('run-day', '--day', DAY, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as DailyAnalysisResult;
}

async function undisturbed(): Promise<{ result: DailyAnalysisResult; files: Map<string, string> }> {
  const deployment = await deploy();
  try {
    deployment.startProcess('worker');
    deployment.startProcess('analysis-worker');
    return { result: await runDay(deployment), files: await deployment.exported() };
  } finally {
    await deployment.stop();
  }
}

it('a worker killed while draining is replaced: same counts, same bytes as an undisturbed run', async () => {
  const expected = await undisturbed();
  const deployment = await deploy();
  try {
    const victim = deployment.startProcess('worker');
    deployment.startProcess('analysis-worker');
    const running = runDay(deployment);
    const seen = await until(
      'some receipts',
      async () => ((await receipts(deployment)) >= 3 ? receipts(deployment) : undefined),
      60_000,
    );
    assert.ok(seen < expected.result.planned, 'the drain was still going on');
    await deployment.kill(victim, 'SIGKILL');
    deployment.startProcess('worker');
    const result = await running;
    const withoutIds = (whole: DailyAnalysisResult) => ({
      ...{ ...whole, runId: '', report: '' },
      warnings: whole.warnings.map((warning) => warning.replaceAll(whole.runId, '')),
    });
    assert.deepEqual(withoutIds(result), withoutIds(expected.result));
    assert.equal(result.seq, 1, 'one commit');
    assert.deepEqual(await deployment.exported(), expected.files);
  } finally {
    await deployment.stop();
  }
});
