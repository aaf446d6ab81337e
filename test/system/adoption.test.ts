/** A space of the original in the published bucket: adopted by the command, then a day on top of it by real processes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import pMap from 'p-map';
import type { AdoptionResult } from '../../src/adoption/adoption.ts';
import { generateSamples } from '../../local/samples/generate.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { atScale } from '../fakes/at-scale.ts';
import { workedExample } from '../fakes/original-space.ts';
import { sameNumber } from '../golden/compare-published.ts';
import { filesOfTar } from '../golden/tar.ts';
import { leafIds, type Row } from '../golden/v1-client.ts';
import { Deployment } from './deployment.ts';

const PREFIX = 'v7/';
const JSON_HEADERS = { contentType: 'application/json', contentEncoding: 'gzip' };

/** Puts the original's space where the stack has set up an empty data set. */
async function storeOriginal({ published }: Deployment, files: ReadonlyMap<string, string>): Promise<void> {
  await published.delete([`${PREFIX}versions.json`]);
  await pMap(
    files,
    async ([name, text]) =>
      name.startsWith('FILES_')
        ? published.put(PREFIX + name, Buffer.from(text))
        : published.put(PREFIX + name, gzipSync(text), JSON_HEADERS),
    { concurrency: 16 },
  );
}

async function read({ published }: Deployment, name: string): Promise<string> {
  const { body } = await published.get(PREFIX + name);
  return (body[0] === 0x1f ? gunzipSync(body) : body).toString('utf8');
}

async function versions(deployment: Deployment): Promise<Record<string, string>> {
  return JSON.parse(await read(deployment, 'versions.json')) as Record<string, string>;
}

async function adopt(deployment: Deployment, ...args: string[]): Promise<AdoptionResult> {
  const { code, stdout, stderr } = await deployment.telemetry('adopt', '--json', ...args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as AdoptionResult;
}

async function runDay(deployment: Deployment, day: string): Promise<DailyAnalysisResult> {
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
  const { code, stdout, stderr } = await deployment.telemetry('run-day', '--day', day, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as DailyAnalysisResult;
}

it('telemetry adopt, then a day of other channel/versions: every old entry stays', async () => {
  const samples = await mkdtemp(join(tmpdir(), 'samples-'));
  await generateSamples({
    seed: 'adoption',
    days: ['20131030'],
    directory: samples,
    submissionsPerFile: 20,
    measures: 6,
    channelVersions: ['nightly/28', 'beta/26'],
  });
  const deployment = await Deployment.start({ TELEMETRY_DEFINITIONS: join(samples, 'definitions') });
  try {
    await storeOriginal(deployment, workedExample());
    const original = await versions(deployment);

    const refused = await deployment.telemetry('adopt', '--leave-out', 'nightly/1');
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /no entry "nightly\/1" to leave out/);
    assert.equal((await adopt(deployment, '--dry-run')).outcome, 'planned');
    assert.deepEqual(await versions(deployment), original);

    const { outcome, seq } = await adopt(deployment);
    assert.deepEqual([outcome, seq], ['adopted', 0]);
    const { $head, ...adopted } = await versions(deployment);
    assert.ok($head !== undefined);
    assert.deepEqual(adopted, original);
    assert.equal((await adopt(deployment)).outcome, 'already-adopted');

    await deployment.load(join(samples, 'submissions'));
    const { decision, published } = await runDay(deployment, '20131030');
    assert.equal(decision, 'published');
    const after = await versions(deployment);
    for (const [channelVersion, folder] of Object.entries(original)) {
      if (published.includes(channelVersion)) assert.notEqual(after[channelVersion], folder);
      else assert.equal(after[channelVersion], folder);
    }
    const rows = JSON.parse(await read(deployment, `${after['nightly/28'] ?? ''}/BOOL-by-build-date.json`)) as Record<
      string,
      Row[]
    >;
    assert.deepEqual(rows['20131028'], [[0, 4, 0, 4, -1, -1, 4, 0, 4, 5]]);
    assert.match(await read(deployment, 'FILES_PROCESSED'), /^a\nb\n/);
  } finally {
    await deployment.stop();
    await rm(samples, { recursive: true, force: true });
  }
});

const data = resolve('../shared/data');
const DAY = '20131030';
/** The real file of 2013, as if it had come a day later. */
const KEY = `saved_session/Firefox/nightly/28.0a1/20131029030201.${DAY}.v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma`;

it(
  'the real folder of 2013 and the same submissions once more: all counts of the build double',
  { skip: !atScale ? 'npm run test:all runs it' : existsSync(data) ? false : 'real data is not here (../shared/data)' },
  async () => {
    const work = await mkdtemp(join(tmpdir(), 'golden-'));
    const submission = join(work, 'submissions', KEY);
    const definitions = join(work, 'definitions/mozilla-central/518f5bff0ae4/Histograms.json');
    for (const path of [submission, definitions]) await mkdir(dirname(path), { recursive: true });
    await cp(join(data, 'real/ss-ff-n-28.lzma'), submission);
    await cp(join(data, 'real/Histograms.518f5bff0ae4.json'), definitions);
    const deployment = await Deployment.start({ TELEMETRY_DEFINITIONS: join(work, 'definitions') });
    try {
      const archive = filesOfTar(gunzipSync(await readFile(join(data, 'golden/published-28.tar.gz'))));
      const files = new Map([...archive].map(([path, text]) => [path.replace(/^(?:\.\/)?published-28\//, ''), text]));
      await storeOriginal(deployment, files);
      const { channelVersions } = await adopt(deployment);
      assert.deepEqual(
        channelVersions.map(({ channelVersion, measures, rows, faults }) => [channelVersion, measures, rows, faults]),
        [['nightly/28', 452, 2362, []]],
      );
      await deployment.load(join(work, 'submissions'));
      assert.equal((await runDay(deployment, DAY)).decision, 'published');

      const folder = (await versions(deployment))['nightly/28'] ?? '';
      const before = (name: string): string => files.get(`20131101000000-28-nightly/${name}`) ?? '{}';
      const leaves = leafIds(JSON.parse(await read(deployment, `${folder}/filter-tree.json`)));
      assert.deepEqual([...leaves].sort(), [...leafIds(JSON.parse(before('filter-tree.json')))].sort());
      for (const measure of Object.keys(JSON.parse(before('revisions.json')) as object)) {
        const builds = `${measure}-by-build-date.json`;
        assertRows(before(builds), await read(deployment, `${folder}/${builds}`), doubled);
        const submissions = `${measure}-by-submission-date.json`;
        const dates = JSON.parse(await read(deployment, `${folder}/${submissions}`)) as Record<string, Row[]>;
        const { [DAY]: added = [], ...others } = dates;
        assertRows(before(submissions), JSON.stringify(others), (value) => value);
        assertRows(before(submissions), JSON.stringify({ 20131029: added }), (value) => value);
      }
    } finally {
      await deployment.stop();
      await rm(work, { recursive: true, force: true });
    }
  },
);

/** A statistic that was not recorded stays so; a sum of -1 cannot be told from that here, and there is none. */
function doubled(value: number): number {
  return value === -1 ? -1 : 2 * value;
}

function assertRows(original: string, ours: string, change: (value: number) => number): void {
  const [a, b] = [original, ours].map((text) => rowsById(text));
  assert.deepEqual([...b!.keys()].sort(), [...a!.keys()].sort());
  for (const [place, row] of a!) {
    const actual = b!.get(place)!;
    const same = row.every((value, index) => sameNumber(change(value ?? 0), actual[index] ?? 0));
    assert.ok(same, `${place}: ${actual.join()}, before: ${row.join()}`);
  }
}

/** `date/filter id` → values. */
function rowsById(text: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [date, list] of Object.entries(JSON.parse(text) as Record<string, Row[]>))
    for (const row of list) rows.set(`${date}/${row.at(-1)}`, row.slice(0, -1));
  return rows;
}
