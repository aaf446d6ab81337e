import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { PreconditionFailedError } from '../../src/ports.ts';
import { eachWithApplication, environment, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';
import { assertWhole, assertWrittenOnce, ledgerOf, submissionsOf, versionsOf } from '../fakes/published-space.ts';

const NIGHTLY = ['a', 'b'].map((file) => inputKey('nightly/28', file));
const AURORA = [inputKey('aurora/27', 'c')];
const NEXT = '20131030';
const onNext = (channelVersion: string, file: string): string => inputKey(channelVersion, file, NEXT);

describe('publishing a day', () => {
  const application = eachWithApplication();

  it('I4: readers see nothing before the commit, and then everything at once', async () => {
    const day = new DayRun(application());
    await day.analyse([...NIGHTLY, ...AURORA]);
    const { folders } = await day.stage();
    assert.equal(versionsOf(day.app).folders.size, 0);
    assert.deepEqual(await day.commit(), { outcome: 'committed', seq: 1 });
    assert.deepEqual([...versionsOf(day.app).folders.values()].toSorted(), folders.toSorted());
    assert.equal(submissionsOf(day.app, 'nightly/28'), 2);
    assertWhole(day.app);
    assertWrittenOnce(day.app);
  });

  it('I5: seq grows by one, and the parent is the commit before', async () => {
    const app = application();
    const [first, second] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await first.analyse(NIGHTLY);
    await first.publish();
    const { commit } = versionsOf(app).head;
    await second.analyse([onNext('nightly/28', 'x')]);
    assert.deepEqual(await second.publish(), { outcome: 'committed', seq: 2 });
    assert.equal(versionsOf(app).head.parent, commit);
    assert.equal(submissionsOf(app, 'nightly/28'), 3);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it('keeps the folder of a channel/version that the day has nothing for', async () => {
    const app = application();
    const [first, second] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await first.analyse([...NIGHTLY, ...AURORA]);
    await first.publish();
    const before = versionsOf(app).folders.get('aurora/27');
    await second.analyse([onNext('nightly/28', 'x')]);
    await second.publish();
    assert.equal(versionsOf(app).folders.get('aurora/27'), before);
  });

  it('a new run of a day replaces the day: nothing counts twice, and what it lacks goes', async () => {
    const app = application();
    const [first, again] = [new DayRun(app, 1), new DayRun(app, 2)];
    await first.analyse([...NIGHTLY, ...AURORA]);
    await first.publish();
    await app.input.delete(AURORA);
    app.clock.advance(60);
    await again.analyse([...NIGHTLY, inputKey('nightly/28', 'late')]);
    await again.publish();
    assert.equal(ledgerOf(app).entries.get(first.day)?.records, 3);
    assert.equal(submissionsOf(app, 'nightly/28'), 3);
    assert.deepEqual([...versionsOf(app).folders.keys()], ['nightly/28']);
    assert.equal(ledgerOf(app).entries.get(first.day)?.runId, again.run.runId);
    assertWhole(app);
  });

  it('a run of the day of which every task failed takes nothing out: it is refused, and the day stays', async () => {
    const app = application();
    const [first, broken] = [new DayRun(app, 1), new DayRun(app, 2)];
    await first.analyse(NIGHTLY);
    await first.publish();
    app.clock.advance(60);
    await broken.analyse(NIGHTLY, () => ({ aborted: true }));
    await failsForGood(
      broken.stage(),
      FailureType.NothingAnalysed,
      new RegExp(`None of the .* ${first.run.runId} has it`),
    );
    assert.equal(submissionsOf(app, 'nightly/28'), NIGHTLY.length);
    assert.equal(ledgerOf(app).entries.get(first.day)?.runId, first.run.runId);
  });

  it('a first run of the day of which every task failed is not published either', async () => {
    const app = application();
    const broken = new DayRun(app, 1);
    await broken.analyse(NIGHTLY, () => ({ aborted: true }));
    await failsForGood(
      broken.stage(),
      FailureType.NothingAnalysed,
      /None of the 1 tasks.*the data set has no such day/,
    );
    assert.equal(ledgerOf(app).entries.size, 0);
  });

  it('publishing the same contribution again changes nothing', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.publish();
    const { etag } = await day.app.published.get(VERSIONS);
    day.app.trace.clear();
    assert.deepEqual(await day.stage(2), { decision: 'no-op', folders: [] });
    assert.equal((await day.app.published.get(VERSIONS)).etag, etag);
    for (const method of ['put', 'createOnce', 'replace']) {
      assert.deepEqual(
        day.app.trace.calls.filter((call) => call.service === 'published' && call.method === method),
        [],
      );
    }
  });

  it('an older run of a day does not replace a newer one', async () => {
    const app = application();
    const [older, newer] = [new DayRun(app, 9), new DayRun(app, 1)];
    await older.analyse(NIGHTLY);
    app.clock.advance(60);
    await newer.analyse([...NIGHTLY, ...AURORA]);
    await newer.publish();
    assert.equal((await older.stage()).decision, 'superseded');
  });

  it('a publication is planned once: the retry decides the same although the pointer moved', async () => {
    const app = application();
    const [day, other] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await day.analyse(NIGHTLY);
    const plan = await app.run('planPublication', day.publication());
    await other.analyse([onNext('nightly/28', 'x')]);
    await other.publish();
    assert.deepEqual(await app.run('planPublication', day.publication()), plan);
  });
});

describe('stageSnapshot', () => {
  const application = eachWithApplication();

  it('a retry after a crash uses another folder and never touches the first', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.app.run('planPublication', day.publication());
    day.app.trace.fail({ method: 'createOnce', service: 'published', key: /_manifest/, when: 'before' });
    const snapshot = { ...day.publication(), index: 0 };
    await failsForNow(day.app.run('stageSnapshot', snapshot), /injected/);
    const left = day.app.published.keys(PREFIX);
    const { folder } = await day.app.run('stageSnapshot', snapshot);
    assert.ok(left.length > 1 && left.every((key) => !key.startsWith(`${PREFIX}${folder}/`)));
    await day.commit();
    assertWhole(day.app);
    assertWrittenOnce(day.app);
  });

  it('answers with the stored snapshot after its own answer was lost', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.app.run('planPublication', day.publication());
    day.app.trace.fail({ method: 'createOnce', key: /staged-0/, when: 'after' });
    const snapshot = { ...day.publication(), index: 0 };
    await failsForNow(day.app.run('stageSnapshot', snapshot), /injected/);
    const files = day.app.published.keys(PREFIX).length;
    const { folder } = await day.app.run('stageSnapshot', snapshot);
    assert.equal(day.app.published.keys(PREFIX).length, files);
    assert.ok(day.app.published.keys(`${PREFIX}${folder}/`).length > 0);
  });

  it('two publishers in one second write into different folders', async () => {
    const app = application();
    const [one, two] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await one.analyse(NIGHTLY);
    await two.analyse([onNext('nightly/28', 'x')]);
    const [a, b] = await Promise.all([one.stage(), two.stage()]);
    assert.notDeepEqual(a.folders, b.folders);
    assertWrittenOnce(app);
  });

  it('a clock that was set back gives a later folder all the same', async () => {
    const app = application();
    const [one, two] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await one.analyse(NIGHTLY);
    await one.publish();
    const before = versionsOf(app).folders.get('nightly/28') ?? '';
    await two.analyse([onNext('nightly/28', 'x')]);
    app.clock.advance(-7200);
    await two.publish();
    assert.ok((versionsOf(app).folders.get('nightly/28') ?? '') > before);
  });

  it('uploads of all snapshots together are at most 16 at a time, and one that waits ends when it is cancelled', async () => {
    const day = new DayRun(application());
    const { app } = day;
    const channelVersions = Array.from({ length: 6 }, (_, version) => `nightly/${20 + version}`);
    await day.analyse(channelVersions.map((name) => inputKey(name, 'n')));
    await app.run('planPublication', day.publication());
    const createOnce = app.published.createOnce.bind(app.published);
    const { promise: isFull, resolve: full } = Promise.withResolvers<undefined>();
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    let [atWork, most] = [0, 0];
    app.published.createOnce = async (...given) => {
      atWork += 1;
      most = Math.max(most, atWork);
      if (atWork === 16) full(undefined);
      // All are held until one more is cancelled.
      await released;
      atWork -= 1;
      return createOnce(...given);
    };
    const stage = (index: number, env = environment()) =>
      app.runIn(env, 'stageSnapshot', { ...day.publication(), index });
    const others = channelVersions.slice(1).map((_, index) => stage(index + 1));
    await isFull;
    const env = environment();
    const waiting = stage(0, env);
    env.cancel();
    await endsCancelled(waiting);
    release(undefined);
    await Promise.all(others);
    assert.equal(most, 16);
  });

  it('uploads nothing more once it is cancelled', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.app.run('planPublication', day.publication());
    const env = environment();
    day.app.trace.before('createOnce', /folder-claims/, () => {
      env.cancel();
    });
    await endsCancelled(day.app.runIn(env, 'stageSnapshot', { ...day.publication(), index: 0 }));
    assert.deepEqual(day.app.published.keys(PREFIX), [VERSIONS]);
  });
});

describe('commitDataset', () => {
  const application = eachWithApplication();

  async function staged(): Promise<DayRun> {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.stage();
    return day;
  }

  it('a flip whose answer was lost is committed once', async () => {
    const day = await staged();
    day.app.trace.fail({ method: 'replace', when: 'after' });
    assert.deepEqual(await day.commit(), { outcome: 'committed', seq: 1 });
    assert.equal(day.app.trace.calls.filter(({ method }) => method === 'replace').length, 1);
    assertWhole(day.app);
  });

  it('a flip that did not happen is tried again', async () => {
    const day = await staged();
    for (const name of ['ConditionalRequestConflict', 'InternalError', 'TimeoutError']) {
      day.app.trace.fail({ method: 'replace', error: Object.assign(new Error('not now'), { name }) });
    }
    assert.deepEqual(await day.commit(), { outcome: 'committed', seq: 1 });
    assert.equal(day.app.trace.calls.filter(({ method }) => method === 'replace').length, 4);
    assert.equal(day.app.trace.effective('replace').length, 1);
  });

  it('412 for an own first try that succeeded is no defeat', async () => {
    const day = await staged();
    day.app.trace.fail({ method: 'replace', when: 'after', error: new PreconditionFailedError('not as expected') });
    assert.deepEqual(await day.commit(), { outcome: 'committed', seq: 1 });
  });

  it('the repeat of an attempt that committed and then died answers the same', async () => {
    const day = await staged();
    const first = await day.commit();
    day.app.trace.clear();
    assert.deepEqual(await day.commit(), first);
    assert.deepEqual(
      day.app.trace.calls.filter(({ method }) => method === 'replace'),
      [],
    );
  });

  it('also when another day was committed on top meanwhile', async () => {
    const day = await staged();
    await day.commit();
    const other = new DayRun(day.app, 2, NEXT);
    await other.analyse([onNext('nightly/28', 'x')]);
    await other.publish();
    assert.deepEqual(await day.commit(), { outcome: 'committed', seq: 2 });
    assert.equal(submissionsOf(day.app, 'nightly/28'), 3);
  });

  it('when another publisher was first the outcome is moved, and the rebase stages only what changed', async () => {
    const app = application();
    const [day, other] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await day.analyse([...NIGHTLY, ...AURORA]);
    const first = await day.stage();
    await other.analyse([onNext('nightly/28', 'x')]);
    await other.publish();
    assert.deepEqual(await day.commit(), { outcome: 'moved', seq: 1 });
    const second = await day.stage(2);
    const [aurora, nightly] = first.folders;
    assert.equal(second.folders[0], aurora);
    assert.notEqual(second.folders[1], nightly);
    assert.deepEqual(await day.commit(2), { outcome: 'committed', seq: 2 });
    assert.equal(submissionsOf(app, 'nightly/28'), 3);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it('a pointer that moves between reading and flipping is noticed', async () => {
    const app = application();
    const [day, other] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
    await day.analyse(NIGHTLY);
    await day.stage();
    await other.analyse([onNext('nightly/28', 'x')]);
    await other.stage();
    app.trace.before('replace', /versions/, async () => {
      await other.commit();
    });
    assert.equal((await day.commit()).outcome, 'moved');
    assert.equal(ledgerOf(app).entries.size, 1);
  });

  it('a newer run of the same day that committed first wins', async () => {
    const app = application();
    const [older, newer] = [new DayRun(app, 9), new DayRun(app, 1)];
    await older.analyse(NIGHTLY);
    await older.stage();
    app.clock.advance(60);
    await newer.analyse([...NIGHTLY, ...AURORA]);
    await newer.publish();
    assert.deepEqual(await older.commit(), { outcome: 'superseded', seq: 1 });
    assert.equal(submissionsOf(app, 'aurora/27'), 1);
  });

  it('a folder whose manifest is gone is never shown', async () => {
    const day = await staged();
    await day.app.published.delete(day.app.published.keys(PREFIX).filter((key) => key.endsWith('_manifest.json')));
    await failsForGood(day.commit(), FailureType.CommitRefused, /_manifest\.json, which does not exist/);
    assert.equal(versionsOf(day.app).head.seq, 0);
  });

  it('a ledger that cannot be stored leaves the pointer as it was', async () => {
    const day = await staged();
    day.app.trace.fail({ method: 'createOnce', key: /state\/ledgers/ });
    await failsForNow(day.commit(), /injected/);
    assert.equal(versionsOf(day.app).head.seq, 0);
    assert.equal((await day.commit()).seq, 1);
  });

  it('does not flip once it is cancelled', async () => {
    const day = await staged();
    const env = environment();
    day.app.trace.before('createOnce', /state\/ledgers/, () => {
      env.cancel();
    });
    await endsCancelled(day.app.runIn(env, 'commitDataset', day.publication()));
    assert.equal(versionsOf(day.app).head.seq, 0);
  });

  it('403 at the flip is an error that a person must correct', async () => {
    const day = await staged();
    day.app.trace.fail({ method: 'replace', error: Object.assign(new Error('no'), { name: 'AccessDenied' }) });
    await failsForGood(day.commit(), FailureType.AccessDenied, /no/);
  });
});
