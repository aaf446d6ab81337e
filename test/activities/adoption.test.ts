import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FailureType } from '../../src/failures.ts';
import { roundName } from '../../src/pipeline/dataset/entry-name.ts';
import { roundRun, stateKeys } from '../../src/state/keys.ts';
import { NIGHTLY, publishDay, rowResult, rowsOf } from '../fakes/adopted-days.ts';
import { type Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { DAY, DayRun, inputKey, runId } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { ADOPTED_KEY, adoptNow, BOOL_FOLDER, REVISION, storeOriginal, workedExample } from '../fakes/original-space.ts';
import { assertWhole, snapshotOf, versionsOf } from '../fakes/published-space.ts';
import { Evolution } from '../golden/v1-client.ts';

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1 << 20 } });

/** Everything below the prefix but the pointer and its projections, as stored. */
function folders(app: Application): Map<string, string> {
  const keys = app.published.keys(PREFIX).filter((key) => key.slice(PREFIX.length).includes('/'));
  return new Map(
    keys
      .filter((key) => !key.endsWith('_manifest.json'))
      .map((key) => [key, app.published.contents.get(key)!.body.toString('base64')]),
  );
}

describe('adoption', () => {
  it('leaves every folder as it is, and puts $head, manifests and sorted lists beside them', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    const before = folders(app);
    const result = await adoptNow(app);
    assert.deepEqual([result.outcome, result.seq, result.files], ['adopted', 0, { processed: 3, missing: 1 }]);
    assert.deepEqual(
      result.channelVersions.map(({ channelVersion, measures, rows }) => [channelVersion, measures, rows]),
      [
        ['aurora/27', 0, 0],
        ['nightly/28', 1, 3],
      ],
    );
    assert.deepEqual(folders(app), before);
    assertWhole(app);
    assert.deepEqual(versionsOf(app).folders.get(NIGHTLY), BOOL_FOLDER);
    assert.equal(versionsOf(app).folders.size, 2);
    assert.equal(app.published.text(`${PREFIX}FILES_PROCESSED`), `a\nb\n${ADOPTED_KEY}\n`);
    assert.equal(app.published.text(`${PREFIX}FILES_MISSING`), 'm\n');
    assert.equal(app.published.json(`${PREFIX}status.json`)['seq'], 0);
  });

  it('says so when it was done before, whatever was published since', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    const { entry } = await adoptNow(app);
    app.trace.clear();
    const again = await adoptNow(app);
    assert.deepEqual([again.outcome, again.seq, again.entry], ['already-adopted', 0, entry]);
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    assert.deepEqual((await adoptNow(app)).seq, 1);
    assert.deepEqual(app.trace.effective('replace', /versions/).length, 1, 'the pointer moved by the day alone');
  });

  it('takes the second publish of the worked example like the original (docs/formats/published.md 5.2)', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    await adoptNow(app);
    const tree = snapshotOf(app, NIGHTLY).get('filter-tree.json');
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    assertWhole(app);
    assert.deepEqual(rowsOf(app), {
      '20131028': [[0, 4, 0, 4, -1, -1, 4, 0, 4, 5]],
      '20131029': [
        [4, 3, 0, 3, -1, -1, 3, 0, 7, 8],
        [1, 0, 0, 0, -1, -1, 0, 0, 1, 9],
      ],
    });
    assert.equal(snapshotOf(app, NIGHTLY).get('filter-tree.json'), tree);
    assert.deepEqual(JSON.parse(snapshotOf(app, NIGHTLY).get('revisions.json')!), {
      BOOL: { revision: REVISION, buildId: '20131029030201', length: 9 },
    });
    assert.match(snapshotOf(app, NIGHTLY).get('histograms.json')!, /as then/, 'nothing else knows the definition');
    const { folders: named, head } = versionsOf(app);
    assert.deepEqual([named.get('aurora/27'), head.seq], ['20131031000000-27-aurora', 1]);
    assert.notEqual(named.get(NIGHTLY), BOOL_FOLDER);
    assert.equal(new Evolution(snapshotOf(app, NIGHTLY), 'BOOL', 'by-build-date').submissions(), 12);
    assert.equal(
      app.published.text(`${PREFIX}FILES_PROCESSED`).includes('f1'),
      false,
      'projections are written by the run, after the commit',
    );
    await app.run('updateProjections', undefined);
    assert.deepEqual(
      app.published.text(`${PREFIX}FILES_PROCESSED`).trimEnd().split('\n'),
      ['a', 'b', ADOPTED_KEY, inputKey(NIGHTLY, 'f1')].sort(),
    );
  });

  it('a new path after the adoption gets max + 1, and a later run of the day replaces only the day', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    await adoptNow(app);
    const arm = (count: number): string =>
      rowResult([count, 0, 0, 0, -1, -1, 0, 0, count], '20131029', '20131029030201', 'WINNT/6.1/arm');
    await publishDay(app, arm(1));
    await publishDay(app, arm(7), ['f1', 'f2'], 2);
    assert.deepEqual(
      rowsOf(app)['20131029']?.find((row) => row.at(-1) === 10),
      [14, 0, 0, 0, -1, -1, 0, 0, 14, 10],
    );
    assert.equal(new Evolution(snapshotOf(app, NIGHTLY), 'BOOL', 'by-build-date').submissions(), 24);
  });

  const lengths: [what: string, buildId: string, count: number, length: number, submissions: number][] = [
    ['newer builds with another length take the measure over', '20131030030201', 20, 10, 20],
    ['one submission of a newer build with another length is left out', '20131030030201', 1, 9, 10],
    ['an older build with another length is left out', '20131001030201', 2, 9, 10],
  ];
  for (const [what, buildId, count, length, submissions] of lengths) {
    it(`${what} (docs/formats/published.md 5.3)`, async () => {
      const app = application();
      storeOriginal(app, workedExample());
      await adoptNow(app);
      await publishDay(app, rowResult([1, 1, 0, 0, 1, -1, -1, 1, 0, count], buildId.slice(0, 8), buildId));
      const revisions = JSON.parse(snapshotOf(app, NIGHTLY).get('revisions.json')!) as Record<
        string,
        { length: number }
      >;
      assert.equal(revisions['BOOL']?.length, length);
      assert.equal(new Evolution(snapshotOf(app, NIGHTLY), 'BOOL', 'by-build-date').submissions(), submissions);
    });
  }
});

describe('adopted files', () => {
  it('a day that has one of them is refused, and the data set stays as it is', async () => {
    const app = application();
    const files = workedExample();
    files.set('FILES_PROCESSED', `${inputKey(NIGHTLY, 'f2')}\n`);
    storeOriginal(app, files);
    const { entry } = await adoptNow(app);
    const day = new DayRun(app);
    // As a filter that takes files of other days would bring them in.
    day.leavesOutAdopted = false;
    await day.analyse([inputKey(NIGHTLY, 'f1'), inputKey(NIGHTLY, 'f2')]);
    await failsForGood(
      day.stage(),
      FailureType.InvalidInput,
      new RegExp(`${DAY} cannot be published.*f2\\.lzma.*${entry}.*investigate`),
    );
    assert.equal(versionsOf(app).head.seq, 0);
  });

  it('the day of the migration is analysed without them, and the others are published', async () => {
    const app = application();
    const files = workedExample();
    files.set('FILES_PROCESSED', `${inputKey(NIGHTLY, 'f2')}\n${inputKey(NIGHTLY, 'f1', '20131028')}\n`);
    storeOriginal(app, files);
    await adoptNow(app);
    const day = new DayRun(app);
    await day.analyse([inputKey(NIGHTLY, 'f1'), inputKey(NIGHTLY, 'f2')]);
    assert.deepEqual([day.plan?.files, day.plan?.skipped], [1, { adopted: 1 }]);
    assert.equal((await day.publish()).outcome, 'committed');
    await app.run('updateProjections', undefined);
    const processed = app.published.text(`${PREFIX}FILES_PROCESSED`).split('\n');
    for (const key of ['f1', 'f2']) assert.ok(processed.includes(inputKey(NIGHTLY, key)), key);
  });

  it('a day after the adoption does not read its lists', async () => {
    const app = application();
    const files = workedExample();
    files.set('FILES_PROCESSED', `${inputKey(NIGHTLY, 'f2')}\n`);
    storeOriginal(app, files);
    const { entry } = await adoptNow(app);
    assert.match(entry, /^adopted-2013-10-30/);
    const later = new DayRun(app, 1, '20131031');
    later.storeInput([inputKey(NIGHTLY, 'f1', later.day)]);
    app.trace.clear();
    await later.planTasks();
    assert.ok(!app.trace.calls.some(({ key }) => key.includes('files-processed')));
  });

  it('a file that the original missed may be analysed, and is missing no longer', async () => {
    const app = application();
    const files = workedExample();
    files.set('FILES_MISSING', `${inputKey(NIGHTLY, 'f1')}\nm\n`);
    storeOriginal(app, files);
    await adoptNow(app);
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    await app.run('updateProjections', undefined);
    assert.equal(app.published.text(`${PREFIX}FILES_MISSING`), 'm\n');
    assert.match(app.published.text(`${PREFIX}FILES_PROCESSED`), /f1\.lzma/);
  });

  it('a round of continuous aggregation that has one of them is planned again', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    await adoptNow(app);
    const run = roundRun('20131101T000000.000Z', runId(7));
    const list = `${run.prefix}files-processed-0.gz`;
    app.analysis.store(list, gzipSync(`${ADOPTED_KEY}\n`));
    app.analysis.store(
      stateKeys.contribution(run),
      JSON.stringify({
        runId: run.runId,
        day: roundName('20131101T000000.000Z'),
        planAt: '2013-11-01T00:00:00.000Z',
        planned: 1,
        done: 1,
        failed: 0,
        missing: 0,
        files: { processed: 1, missing: 0, partial: 0 },
        filesProcessedKey: list,
        filesMissingKey: list,
        ...{ records: 1, skipped: {}, dropped: {}, failedTasks: {} },
        segments: [],
      }),
    );
    const plan = await app.run('planPublication', { run, attempt: 1, commit: 'c' });
    assert.equal(plan.decision, 'overlapping');
  });
});
