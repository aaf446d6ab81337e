/** `telemetry verify` over what real processes published: nothing found, then each of the things it must find. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { generateSamples } from '../../src/local-stack/samples/generate.ts';
import type { ObjectStore } from '../../src/ports.ts';
import type { VerifyReport } from '../../src/verify/verification.ts';
import { Deployment, type Output } from './deployment.ts';

const DAYS = ['20131028', '20131029'];
let samples: string;
let deployment: Deployment;

before(async () => {
  samples = await mkdtemp(join(tmpdir(), 'samples-'));
  await generateSamples({ seed: 'verify', days: DAYS, directory: samples, submissionsPerFile: 20 });
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: '9',
    TELEMETRY_CHUNK_TASKS: '3',
  });
  await deployment.load(join(samples, 'submissions'));
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
  for (const day of DAYS) {
    const { code, stderr } = await deployment.telemetry('run-day', '--day', day, '--json');
    assert.equal(code, 0, stderr);
  }
});

after(async () => {
  await deployment.stop();
  await rm(samples, { recursive: true, force: true });
});

async function verify(...options: string[]): Promise<Output & { report: VerifyReport; found: string[] }> {
  const output = await deployment.telemetry('verify', '--json', ...options);
  assert.notEqual(output.stdout, '', output.stderr);
  const report = JSON.parse(output.stdout) as VerifyReport;
  const found = report.findings.map(
    ({ severity, invariant, kind, where }) => `${severity} ${invariant} ${kind} ${where}`,
  );
  return { ...output, report, found };
}

async function keyLike(store: ObjectStore, prefix: string, pattern: RegExp): Promise<string> {
  for await (const entry of store.list(prefix))
    if (entry.kind === 'object' && pattern.test(entry.key)) return entry.key;
  return assert.fail(`nothing like ${String(pattern)}`);
}

async function currentFolder(channelVersion: string): Promise<string> {
  const { body } = await deployment.published.get('v7/versions.json');
  const versions = JSON.parse(gunzipSync(body).toString('utf8')) as Record<string, string>;
  return `v7/${versions[channelVersion] ?? ''}/`;
}

/** Breaks an object, looks, puts it back. */
async function broken<T>(store: ObjectStore, key: string, body: Buffer | null, look: () => Promise<T>): Promise<T> {
  const stored = await store.get(key);
  if (body === null) await store.delete([key]);
  else await store.put(key, body);
  try {
    return await look();
  } finally {
    await store.put(key, stored.body);
  }
}

describe('telemetry verify', () => {
  it('finds nothing in what was published: every folder rendered again, byte for byte', async () => {
    const { code, report, found } = await verify();
    assert.deepEqual([code, found], [0, []]);
    const { days, folders, rendered, superseded } = report.counts;
    assert.deepEqual([days, folders, rendered, superseded], [2, 6, 6, 6]);
    const text = await deployment.telemetry('verify', '--quick');
    assert.match(text.stdout, /^The data set is whole: commit 2 of .*, 2 days, 6 folders/);
    assert.deepEqual([text.code, text.stderr], [0, '']);
  });

  it('finds a missing object', async () => {
    const key = `${await currentFolder('nightly/28')}revisions.json`;
    const { code, found } = await broken(deployment.published, key, null, () => verify());
    assert.deepEqual([code, found], [1, [`error I4 missing s3://telemetry-dashboard/${key}`]]);
  });

  it('finds a wrong hash, in a folder and in a segment', async () => {
    const file = await keyLike(deployment.published, await currentFolder('nightly/28'), /GC_MS-by-build-date/);
    const segment = await keyLike(deployment.analysis, 'state/segments/nightly/28/', /20131028/);
    const { code, found } = await broken(deployment.published, file, gzipSync('{}'), () =>
      broken(deployment.analysis, segment, Buffer.from('other'), () => verify()),
    );
    assert.deepEqual(
      [code, found],
      [
        1,
        [
          `error I4 wrong-hash s3://telemetry-dashboard/${file}`,
          `error I6 wrong-hash s3://telemetry-analysis/${segment}`,
        ],
      ],
    );
  });

  it('finds a double task id', async () => {
    const key = await keyLike(deployment.analysis, 'state/runs/20131029/', /chunks\/2-[\d-]+\.json$/);
    const head = JSON.parse((await deployment.analysis.get(key)).body.toString('utf8')) as { done: object[] };
    const doubled = Buffer.from(JSON.stringify({ ...head, done: [...head.done, { number: 1, etag: '"x"' }] }));
    const { code, report } = await broken(deployment.analysis, key, doubled, () => verify());
    assert.equal(code, 1);
    const double = report.findings.filter(({ kind }) => kind === 'double-task');
    assert.deepEqual(
      double.map(({ what, action }) => [what, action]),
      [['task 1 of 20131029: merged twice', 'Run the day again: telemetry run-day --day 20131029']],
    );
  });

  it('finds a stale projection, which check then repairs as it is told', async () => {
    const key = 'v7/FILES_PROCESSED';
    const { body } = await deployment.published.get(key);
    await deployment.published.put(key, body.subarray(0, body.lastIndexOf('\n', body.length - 2) + 1));
    const { code, found, report } = await verify();
    assert.deepEqual([code, found], [1, [`error C9 stale-projection s3://telemetry-dashboard/${key}`]]);
    assert.match(report.findings[0]?.what ?? '', /ends before line \d+, which should be saved_session/);
    await deployment.telemetry('check');
    assert.deepEqual((await verify()).found, []);
  });

  it('finds an unreferenced folder; one that a publish of ours began is a note', async () => {
    const name = '20131101000000-28-nightly';
    await deployment.published.put(`v7/${name}/filter-tree.json`, gzipSync('{}'));
    const stray = await verify();
    assert.deepEqual([stray.code, stray.found], [1, [`error GC unreferenced s3://telemetry-dashboard/v7/${name}/`]]);
    await deployment.analysis.put(`state/folder-claims/${name}`, Buffer.from('a run'));
    const begun = await verify();
    assert.deepEqual([begun.code, begun.found], [0, [`note GC unreferenced s3://telemetry-dashboard/v7/${name}/`]]);
    assert.equal((await verify('--strict')).code, 1);
    await deployment.published.delete([`v7/${name}/filter-tree.json`]);
  });

  it('says that it could not look where a bucket is out of reach', async () => {
    const { code, stderr, stdout } = await deployment.telemetryWith(
      { TELEMETRY_PUBLISHED_BUCKET: 'no-such-bucket' },
      'verify',
    );
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^The data set could not be checked: /);
  });
});
