/** `findChanges`: from published folders to changes.json (docs/changes.md, docs/formats/published.md 5.12). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Change } from '../../src/pipeline/changes/change.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import { changesFacts } from '../../src/watch/changes.ts';
import { type Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { generatedSeries, type SeriesRecipe } from '../fakes/generated-series.ts';
import { versionsOf } from '../fakes/published-space.ts';

/** Simple measures have their definition everywhere: 50 exponential buckets. */
const MEASURE = 'SIMPLE_MEASURES_firstPaint';
const STEP = { at: 25, size: 0.3 };
const NEXT = '20131030';
const PART = ['saved_session', 'Firefox', 'Linux'];
const CHANGES = `${PREFIX}changes.json`;
const signal = AbortSignal.timeout(60_000);

interface Sent {
  /** Builds of the series that the result has; none by default. */
  readonly builds?: readonly [from: number, end: number];
  readonly change?: SeriesRecipe['change'];
  readonly submissions?: number;
  /** A second operating system beside Windows, a quarter of its size, and its change. */
  readonly linux?: SeriesRecipe['change'];
}

/** A result with the measure by build date, and the submissions of the day by submission date. */
function resultOf(channelVersion: string, day: string, { builds, change, submissions = 150, linux }: Sent): string {
  const recipe = { seed: 'activity', dates: 40, submissions: 2000, worth: 1, spread: 0.7, effect: 0.005 };
  const series = generatedSeries({ ...recipe, ...(change !== undefined && { change }) });
  const slot = (
    byDate: 'by-build-date' | 'by-submission-date',
    date: string,
    counts: readonly number[],
    n: number,
    os = 'WINNT',
  ) => ({
    channelVersion,
    slot: {
      ...{ measure: MEASURE, byDate, path: `saved_session/Firefox/${os}/6.1/x86`, date },
      values: [...counts, 1, -1, -1, -1, -1, n],
      buildId: '20131028030204',
      revision: 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4',
    },
  });
  const ofBuilds = builds === undefined ? [] : series.slice(...builds);
  const counts = series[0]?.counts ?? [];
  const ofLinux =
    linux === undefined ? [] : generatedSeries({ ...recipe, seed: 'linux', submissions: 700, change: linux });
  const slots = [
    ...ofBuilds.map((dated) => slot('by-build-date', dated.date, dated.counts, dated.submissions)),
    ...ofLinux.map((dated) => slot('by-build-date', dated.date, dated.counts, dated.submissions, 'Linux')),
    slot('by-submission-date', day, counts, submissions),
    ...(linux === undefined ? [] : [slot('by-submission-date', day, counts, 40, 'Linux')]),
  ];
  return [...resultLines(slots)].map((line) => `${line}\n`).join('');
}

async function analysed(app: Application, number: number, day: string, sent: Readonly<Record<string, Sent>>) {
  const run = new DayRun(app, number, day);
  const names = Object.keys(sent);
  await run.analyse(
    names.map((name) => inputKey(name, name.replace('/', '-'), day)),
    ({ files }) => {
      const name = names.find((one) => files[0] === inputKey(one, one.replace('/', '-'), day)) ?? assert.fail();
      return { result: resultOf(name, day, sent[name] ?? {}) };
    },
  );
  await run.publish();
}

interface Written {
  readonly seq: number;
  readonly changes: readonly Change[];
  readonly leftOut: number;
  readonly skipped: readonly { channelVersion: string; folder: string; reason: string }[];
}

function written(app: Application): Written {
  return app.published.json(CHANGES) as unknown as Written;
}

describe('findChanges', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const find = (app: Application) => app.run('findChanges', undefined);
  const both = { 'nightly/28': { builds: [0, 35], change: STEP }, 'aurora/27': { builds: [0, 35] } } as const;

  function readsOf(app: Application, from: number): string[] {
    return app.trace.calls
      .slice(from)
      .filter(({ service, method }) => service === 'published' && method.startsWith('get'))
      .map(({ key }) => key);
  }

  it('tells of a step: which measure, when, how much and how sure', async () => {
    const app = application();
    await analysed(app, 1, DAY, both);
    const result = await find(app);
    assert.deepEqual(result, { changes: 1, fresh: 1, skipped: 0, warnings: [] });
    const { seq, changes, leftOut, skipped } = written(app);
    assert.deepEqual([seq, leftOut, skipped], [1, 0, []]);
    const [change] = changes;
    assert.equal(change?.id, `nightly/28/${MEASURE}/by-build-date/20130927`);
    assert.deepEqual(
      [change.kind, change.by, change.date, change.direction, change.filter],
      ['step', 'build', '20130927', 'up', []],
    );
    // Its buckets are wider than those that the series was drawn for: 1.3 ** 1.12 is 1.34.
    assert.ok(Math.abs((change.relative ?? 0) - 0.34) < 0.05, String(change.relative));
    assert.ok((change.qValue ?? 1) < 1e-6 && (change.pValue ?? 1) <= (change.qValue ?? 0));
    const { headers } = app.published.contents.get(CHANGES)!;
    assert.deepEqual(headers, {
      contentType: 'application/json',
      contentEncoding: 'gzip',
      cacheControl: 'no-cache',
    });
  });

  it('tells of a step of one operating system that all submissions do not show', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'nightly/28': { builds: [0, 40], linux: { at: 30, size: 0.13 } } });
    await find(app);
    const { changes, skipped } = written(app);
    assert.deepEqual(skipped, []);
    assert.deepEqual(
      changes.map(({ id, filter }) => [id, filter]),
      [[`nightly/28/${MEASURE}/by-build-date/20131002/in/saved_session/Firefox/Linux`, PART]],
    );
    app.clock.advance(86_400);
    await analysed(app, 2, NEXT, { 'nightly/28': {} });
    assert.equal((await find(app)).fresh, 0);
    assert.deepEqual(
      written(app).changes.map(({ id }) => id),
      changes.map(({ id }) => id),
    );
  });

  it('a damaged filter tree costs the parts of its folder only', async () => {
    const app = application();
    await analysed(app, 1, DAY, both);
    const folder = versionsOf(app).folders.get('nightly/28') ?? assert.fail();
    app.published.store(`${PREFIX}${folder}/filter-tree.json`, 'nonsense');
    assert.equal((await find(app)).skipped, 1);
    const { changes, skipped } = written(app);
    assert.equal(changes.length, 1);
    assert.match(skipped[0]?.reason ?? '', /^only its largest parts: filter-tree\.json is not JSON/);
  });

  it('reads only folders that are new, and keeps what it found in the others', async () => {
    const app = application();
    await analysed(app, 1, DAY, both);
    await find(app);
    const [before] = written(app).changes;
    app.clock.advance(86_400);
    await analysed(app, 2, NEXT, { 'aurora/27': { submissions: 140 }, 'beta/26': {} });
    const from = app.trace.calls.length;
    const { fresh } = await find(app);
    assert.equal(fresh, 1);
    const { changes, seq } = written(app);
    assert.deepEqual([changes.find(({ kind }) => kind === 'step'), seq], [before, 2]);
    const nightly = versionsOf(app).folders.get('nightly/28') ?? assert.fail();
    assert.deepEqual(
      readsOf(app, from).filter((key) => key.includes(nightly)),
      [],
    );
  });

  it('a change keeps its id while more builds come in', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'nightly/28': { builds: [0, 28], change: STEP } });
    await find(app);
    const ids = written(app).changes.map(({ id }) => id);
    app.clock.advance(86_400);
    await analysed(app, 2, NEXT, { 'nightly/28': { builds: [28, 40], change: STEP } });
    assert.equal((await find(app)).fresh, 0);
    assert.deepEqual(
      written(app).changes.map(({ id }) => id),
      ids,
    );
  });

  it('a channel/version that falls silent is a warning, a finding and a change', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'nightly/28': {}, 'aurora/27': {} });
    assert.deepEqual((await find(app)).warnings, []);
    app.clock.advance(86_400);
    await analysed(app, 2, NEXT, { 'nightly/28': {} });
    const text = 'aurora/27 sent no submission on 2013-10-30, and about 150 a day before';
    assert.deepEqual((await find(app)).warnings, [`silent: ${text}; "telemetry changes" shows more`]);
    assert.deepEqual(
      written(app).changes.map(({ id, kind }) => [id, kind]),
      [['aurora/27/silence/20131030', 'silence']],
    );
    const { silences } = await changesFacts({ published: app.published, publishedPrefix: PREFIX }, signal);
    assert.deepEqual(silences, [{ channelVersion: 'aurora/27', date: NEXT, text }]);
  });

  it('a folder without summaries is left out, said, and costs the others nothing', async () => {
    const app = application();
    await analysed(app, 1, DAY, both);
    const folder = versionsOf(app).folders.get('aurora/27') ?? assert.fail();
    for (const key of app.published.keys(`${PREFIX}${folder}/_`))
      if (!key.endsWith('_manifest.json')) app.published.contents.delete(key);
    assert.equal((await find(app)).skipped, 1);
    const { skipped, changes } = written(app);
    assert.deepEqual(skipped, [
      { channelVersion: 'aurora/27', folder, reason: 'it has no summaries, as folders of earlier releases' },
    ]);
    assert.equal(changes.length, 1);
  });

  for (const [what, text] of [
    ['no JSON', 'nonsense'],
    [
      'rows of two lengths',
      '{"M":{"build":{"20131028":[1,2,3,4,5,6,7,8],"20131029":[1,2,3,4,5,6,7]},"submission":{}}}',
    ],
    ['rows that are no numbers', '{"M":{"build":{"20131028":["x"]},"submission":{}}}'],
    ['no gzip to the end', gzipSync('{"M":{}}').subarray(0, 20)],
  ] as const) {
    it(`a summary with ${what} leaves its folder out, and no other`, async () => {
      const app = application();
      await analysed(app, 1, DAY, both);
      const folder = versionsOf(app).folders.get('aurora/27') ?? assert.fail();
      app.published.store(`${PREFIX}${folder}/_summary-0.json`, text);
      assert.equal((await find(app)).skipped, 1);
      const { skipped, changes } = written(app);
      assert.match(
        skipped[0]?.reason ?? '',
        new RegExp(`s3://published/${PREFIX}${folder}/_summary-0.json is damaged`),
      );
      assert.equal(changes.length, 1);
    });
  }

  for (const [what, text] of [
    ['damaged', '{"format":1,"changes":[{'],
    ['of another release', '{"format":2}'],
    ['no gzip to the end', gzipSync('{"format":1}').subarray(0, 20)],
  ] as const) {
    it(`a changes.json that is ${what} is made again`, async () => {
      const app = application();
      await analysed(app, 1, DAY, both);
      app.published.store(CHANGES, text);
      assert.equal((await find(app)).changes, 1);
    });
  }

  it('looks again when a commit came meanwhile', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'aurora/27': {} });
    app.clock.advance(86_400);
    app.trace.before('put', /changes/, () =>
      analysed(app, 2, NEXT, { 'nightly/28': { builds: [0, 35], change: STEP } }),
    );
    const { changes } = await find(app);
    assert.equal(written(app).seq, 2);
    assert.equal(changes, 2);
  });

  it('tells of other buckets, and not of a new measure then', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'nightly/28': { builds: [0, 20] } });
    await find(app);
    const folder = versionsOf(app).folders.get('nightly/28') ?? assert.fail();
    app.published.store(
      `${PREFIX}${folder}/histograms.json`,
      JSON.stringify({ [MEASURE]: { kind: 'exponential', low: 1, high: 30_000, n_buckets: 30 } }),
    );
    app.clock.advance(86_400);
    await analysed(app, 2, NEXT, { 'nightly/28': { builds: [20, 21] } });
    await find(app);
    const told = () => written(app).changes.map(({ kind, measure }) => [kind, measure]);
    assert.deepEqual(told(), [['buckets', MEASURE]]);
    app.clock.advance(86_400);
    await analysed(app, 3, '20131031', { 'nightly/28': { builds: [21, 22] } });
    await find(app);
    assert.deepEqual(told(), [['buckets', MEASURE]]);
  });
});

describe('findChanges where alerts tell of changes', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, alertChanges: true });

  it('warns of what is new, once', async () => {
    const app = application();
    await analysed(app, 1, DAY, { 'nightly/28': { builds: [0, 35], change: STEP } });
    const { warnings } = await app.run('findChanges', undefined);
    assert.match(warnings.join('; '), /^changed: SIMPLE_MEASURES_firstPaint of nightly\/28 went up by (?:29|3\d) % /);
    assert.deepEqual((await app.run('findChanges', undefined)).warnings, []);
  });
});
