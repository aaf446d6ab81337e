/** `telemetry verify` over what real processes published: nothing found, then each of the things it must find. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { generateSamples } from '../../local/samples/generate.ts';
import type { ObjectStore } from '../../src/ports.ts';
import type { VerifyReport } from '../../src/verify/verification.ts';
import { Deployment, type Output } from '../system/deployment.ts';

const DAYS = ['20131028', '20131029'];
const LIST = 'v7/FILES_PROCESSED';
/** Of no commit. */
const FOLDER = '20131101000000-28-nightly';
let samples: string;
let deployment: Deployment;

before(async () => {
  samples = await mkdtemp(join(tmpdir(), 'samples-'));
  await generateSamples({
    ...{ seed: 'verify', days: DAYS, directory: samples, submissionsPerFile: 20 },
    ...{ measures: 6, channelVersions: ['nightly/28', 'aurora/27'] },
  });
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: '4',
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

/** One object, folder or list broken in each of the ways that must be found; gives what is to be found. */
async function breakEverything(): Promise<string[]> {
  const { analysis, published } = deployment;
  const missing = `${await currentFolder('nightly/28')}revisions.json`;
  await published.delete([missing]);
  const file = await keyLike(published, await currentFolder('aurora/27'), /GC_MS-by-build-date/);
  await published.put(file, gzipSync('{}'));
  const segment = await keyLike(analysis, 'state/segments/nightly/28/', /20131028/);
  await analysis.put(segment, Buffer.from('other'));
  const chunk = await keyLike(analysis, 'state/runs/20131029/', /chunks\/2-[\d-]+\.json$/);
  const head = JSON.parse((await analysis.get(chunk)).body.toString('utf8')) as { done: object[] };
  const done = [{ number: 1, etag: '"x"' }, ...head.done.slice(1)];
  await analysis.put(chunk, Buffer.from(JSON.stringify({ ...head, done })));
  const { body } = await published.get(LIST);
  await published.put(LIST, body.subarray(0, body.lastIndexOf('\n', body.length - 2) + 1));
  await published.put(`v7/${FOLDER}/filter-tree.json`, gzipSync('{}'));
  return [
    `error I1 double-task s3://telemetry-analysis/${chunk.replace(/[^/]+$/, '')}`,
    `error I4 missing s3://telemetry-dashboard/${missing}`,
    `error I4 wrong-hash s3://telemetry-dashboard/${file}`,
    `error I6 wrong-hash s3://telemetry-analysis/${segment}`,
    // The task whose place the doubled one took.
    `error I8 wrong-count s3://telemetry-analysis/${chunk.replace(/[^/]+$/, '')}`,
    `error C9 stale-projection s3://telemetry-dashboard/${LIST}`,
    `error GC unreferenced s3://telemetry-dashboard/v7/${FOLDER}/`,
  ];
}

describe('telemetry verify', () => {
  it('finds nothing in what was published: every folder rendered again, byte for byte', async () => {
    const { code, report, found } = await verify();
    assert.deepEqual([code, found], [0, []]);
    const { days, folders, rendered, superseded } = report.counts;
    assert.deepEqual([days, folders, rendered, superseded], [2, 2, 2, 2]);
    const text = await deployment.telemetry('verify', '--quick');
    assert.match(text.stdout, /^The data set is whole: commit 2 of .*, 2 days, 2 folders/);
    assert.deepEqual([text.code, text.stderr], [0, '']);
  });

  it('a folder that a publish of ours began is a note: exit code 1 only with --strict', async () => {
    await deployment.published.put(`v7/${FOLDER}/filter-tree.json`, gzipSync('{}'));
    await deployment.analysis.put(`state/folder-claims/${FOLDER}`, Buffer.from('a run'));
    const { code, found } = await verify('--quick');
    assert.deepEqual([code, found], [0, [`note GC unreferenced s3://telemetry-dashboard/v7/${FOLDER}/`]]);
    assert.equal((await verify('--quick', '--strict')).code, 1);
    await deployment.analysis.delete([`state/folder-claims/${FOLDER}`]);
  });

  it('finds a missing object, wrong hashes, a double task id, a stale projection and an unreferenced folder', async () => {
    const expected = await breakEverything();
    const { code, found, report } = await verify();
    assert.deepEqual([code, found.toSorted()], [1, expected.toSorted()]);
    const whatOf = (kind: string): string | undefined => report.findings.find((each) => each.kind === kind)?.what;
    assert.equal(whatOf('double-task'), 'task 1 of 20131029: merged twice');
    assert.match(whatOf('stale-projection') ?? '', /ends before line \d+, which should be saved_session/);
  });

  it('check repairs the projection, as verify says', async () => {
    await deployment.telemetry('check');
    assert.ok(!(await verify('--quick')).found.some((each) => each.includes('stale-projection')));
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
