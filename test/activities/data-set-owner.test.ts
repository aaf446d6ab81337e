/** Two data sets on one analysis bucket: the second one is refused before it writes or removes anything. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createActivities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { NO_METRICS } from '../../src/metrics.ts';
import { emptyLedger, type Ledger } from '../../src/pipeline/dataset/ledger.ts';
import { serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { firstVersions, serialiseVersions } from '../../src/pipeline/dataset/versions.ts';
import { lookAtDataSet } from '../../src/setup/first-commit.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { commitLedger, readPointer } from '../../src/state/pointer.ts';
import { Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { ledgerOf } from '../fakes/published-space.ts';

const SECOND = 'v8/';
const signal = new AbortController().signal;
const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

/** The same buckets and queues, seen by the workers of a data set under another prefix. */
function beside(app: Application): Application {
  const activities = createActivities(app.ports({ publishedPrefix: SECOND }));
  return Object.assign(Object.create(Application.prototype) as Application, app, { activities });
}

/** Commits to that data set as a release without the marker did. */
function commitSecond(app: Application, ledger: Ledger): Application {
  const key = storeLedger(app, ledger);
  app.published.store(`${SECOND}versions.json`, gzipSync(serialiseVersions(firstVersions(ledger, key, new Date()))));
  return beside(app);
}

function storeLedger(app: Application, ledger: Ledger): string {
  const text = serialiseLedger(ledger);
  const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
  app.analysis.store(key, gzipSync(text));
  return key;
}

const FIRST = emptyLedger('set-up-of-v8');
const NEXT = { ...FIRST, seq: 1, commit: 'first-of-v8', parent: FIRST.commit };

async function publish(app: Application, number: number): Promise<DayRun> {
  const day = new DayRun(app, number);
  await day.analyse([inputKey('nightly/28', `n${number}`)]);
  await day.publish();
  return day;
}

describe('a second data set on one analysis bucket', () => {
  it('is found by the marker that the first commit leaves', async () => {
    const app = application();
    await publish(app, 1);
    assert.deepEqual(app.analysis.json(stateKeys.owner), { publishedBucket: 'published', publishedPrefix: PREFIX });
  });

  it('is refused by set-up, which names both', async () => {
    const app = application();
    await publish(app, 1);
    const { analysis, published } = app;
    const look = await lookAtDataSet({ analysis, published, prefix: SECOND }, signal);
    assert.deepEqual([look.state, look.blocks], ['differs', true]);
    assert.match(look.facts.join(), /s3:\/\/published\/v8\/versions\.json: it is that of s3:\/\/published\/v7\//);
    assert.match(look.facts.join(), /an analysis bucket of its own/);
    assert.equal((await lookAtDataSet({ analysis, published, prefix: PREFIX }, signal)).state, 'ok');
  });

  it('is refused by set-up also where a release without marker has committed', async () => {
    const app = application();
    await publish(app, 1);
    app.analysis.contents.delete(stateKeys.owner);
    const { analysis, published } = app;
    assert.equal((await lookAtDataSet({ analysis, published, prefix: SECOND }, signal)).state, 'differs');
    assert.equal((await lookAtDataSet({ analysis, published, prefix: PREFIX }, signal)).state, 'ok');
  });

  for (const name of ['planTasks', 'planPublication', 'commitDataset', 'planGarbage', 'removeGarbage'] as const) {
    it(`is refused by ${name}, and nothing is written or removed`, async () => {
      const app = application();
      const second = commitSecond(app, FIRST);
      await publish(app, 1);
      const day = new DayRun(second, 2);
      const garbage = { id: 'gc', force: true, maxDeletions: 1000 };
      app.analysis.store(stateKeys.garbagePlan('gc'), '{"folders":[],"objects":[],"left":0}');
      const before = [app.analysis.keys(), app.published.keys()];
      const work = {
        planTasks: () => day.planTasks(),
        planPublication: () => second.run('planPublication', day.publication()),
        commitDataset: async () => {
          const stores = { ...second.ports(), publishedPrefix: SECOND, metrics: NO_METRICS };
          const current = await readPointer(stores, signal);
          await commitLedger(
            stores,
            current,
            { ...current.ledger, seq: 1, commit: 'b', parent: 'set-up-of-v8' },
            signal,
          );
        },
        planGarbage: () => second.run('planGarbage', garbage),
        removeGarbage: () => second.run('removeGarbage', garbage),
      }[name];
      await failsForGood(work(), FailureType.WrongDataSet, /published\/v8\/.*it is that of s3:\/\/published\/v7\//);
      const clock = (keys: string[]) => keys.filter((key) => key !== stateKeys.garbageClock);
      assert.deepEqual([clock(app.analysis.keys()), app.published.keys()], before);
    });
  }

  it('keeps garbage collection from both, when releases without marker have committed for both', async () => {
    const app = application();
    await publish(app, 1);
    app.analysis.contents.delete(stateKeys.owner);
    commitSecond(app, FIRST);
    const second = commitSecond(app, NEXT);
    const garbage = { id: 'gc', force: true, maxDeletions: 1000 };
    for (const each of [app, second])
      await failsForGood(
        each.run('planGarbage', garbage),
        FailureType.WrongDataSet,
        /another data set as well.*store .* as state\/data-set\.json/,
      );
    assert.equal(app.analysis.contents.has(stateKeys.owner), false);
  });

  it('is not seen where a set-up was repeated before its first commit', async () => {
    const app = application();
    storeLedger(app, emptyLedger('lost-set-up'));
    await publish(app, 1);
    assert.equal(ledgerOf(app).seq, 1);
  });
});

describe('a commit that names', () => {
  const kinds: readonly [what: string, gone: (app: Application, key: string) => boolean][] = [
    ['a segment', (_, key) => key.startsWith('state/segments/')],
    ['a list of processed files', (_, key) => key.includes('/files-processed-')],
    ['a list of missing files', (_, key) => key.includes('/files-missing-')],
    ['a manifest', (_, key) => key.endsWith('/_manifest.json')],
  ];
  for (const [what, isGone] of kinds) {
    it(`${what} that does not exist is refused; readers see what they saw`, async () => {
      const app = application();
      const day = new DayRun(app);
      await day.analyse([inputKey('nightly/28', 'n1')]);
      await day.stage();
      const before = app.published.text(VERSIONS);
      for (const { contents } of [app.analysis, app.published])
        for (const key of [...contents.keys()].filter((each) => isGone(app, each))) contents.delete(key);
      await failsForGood(
        day.commit(),
        FailureType.CommitRefused,
        /names s3:\/\/.*which does not exist, which breaks I/,
      );
      assert.equal(app.published.text(VERSIONS), before);
    });
  }

  it('no folder, since none could be rendered, is refused: the day is not published', async () => {
    const app = application();
    await publish(app, 1);
    for (const key of app.analysis.keys('state/segments/')) app.analysis.contents.delete(key);
    const day = new DayRun(app, 2, '20131030');
    await day.analyse([inputKey('nightly/28', 'n2', '20131030')]);
    await day.stage();
    await failsForGood(day.commit(), FailureType.StateDamaged, /None of the 1 channel\/versions .* nightly\/28: /);
    const { seq }: Ledger = ledgerOf(app);
    assert.equal(seq, 1);
  });
});
