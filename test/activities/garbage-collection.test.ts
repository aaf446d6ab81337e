/** Garbage collection over a published space: nothing that a reader or a publish can need goes, the rest does. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { assertWhole, versionsOf } from '../fakes/published-space.ts';

const DAY_MS = 86_400_000;

/** Everything that is stored now gets so much older. */
function age(app: Application, days: number): void {
  for (const store of [app.analysis, app.published]) {
    for (const [key, object] of store.contents) {
      store.contents.set(key, { ...object, lastModified: new Date(object.lastModified.getTime() - days * DAY_MS) });
    }
  }
}

function folders(app: Application): string[] {
  return [
    ...new Set(app.published.keys(PREFIX).flatMap((key) => key.slice(PREFIX.length).split('/').slice(0, -1))),
  ].sort();
}

async function publish(app: Application, number: number, file: string): Promise<string> {
  const day = new DayRun(app, number);
  await day.analyse([inputKey('nightly/28', file)]);
  assert.equal((await day.publish()).outcome, 'committed');
  return versionsOf(app).folders.get('nightly/28') ?? '';
}

const ALL = { id: 'gc-1', force: true, maxDeletions: 1000 };

async function collect(app: Application): Promise<number> {
  await app.run('planGarbage', ALL);
  return (await app.run('removeGarbage', ALL)).objects;
}

describe('garbage collection', () => {
  const application = eachWithApplication();

  it('removes the folder of a commit that was replaced long ago, and parts of its chunks', async () => {
    const app = application();
    const first = await publish(app, 1, 'a');
    age(app, 1);
    const second = await publish(app, 2, 'b');
    age(app, 8);
    const parts = (): string[] =>
      app.analysis.keys('state/runs/').filter((key) => key.includes('/chunks/') && key.endsWith('.zst'));
    assert.equal(parts().length, 2);
    const summary = await app.run('planGarbage', ALL);
    assert.deepEqual([summary.folders, summary.kept], [1, 1]);
    assert.deepEqual(folders(app), [first, second].sort(), 'a plan removes nothing');
    assert.equal((await app.run('removeGarbage', ALL)).objects, summary.objects);
    assert.deepEqual(folders(app), [second]);
    assert.deepEqual(parts(), []);
    assertWhole(app);
    assert.equal(await app.run('removeGarbage', ALL).then(({ objects }) => objects >= 0), true, 'may be repeated');
  });

  it('keeps the chunks of a run that still waits, however old they are, and takes them once it has ended', async () => {
    const app = application();
    const waiting = new DayRun(app, 1);
    waiting.storeInput([inputKey('nightly/28', 'a')]);
    await waiting.planTasks();
    await waiting.enqueue();
    waiting.answerTasks();
    await waiting.drain({ maxSeconds: 600 });
    await app.run('mergeChunk', { run: waiting.run, chunk: 1, tasks: 1, chunkTasks: app.settings.chunkTasks });
    const parts = () => app.analysis.keys(`${waiting.run.prefix}chunks/`).filter((key) => key.endsWith('.zst'));
    assert.equal(parts().length, 1);
    app.runsAtWork.add(waiting.run.runId);
    age(app, 8);
    assert.equal(await collect(app), 0);
    assert.equal(parts().length, 1);

    // Planned while it had ended, as it seemed; at work when the parts are to go.
    app.runsAtWork.clear();
    await app.run('planGarbage', { ...ALL, id: 'gc-2' });
    app.runsAtWork.add(waiting.run.runId);
    assert.equal((await app.run('removeGarbage', { id: 'gc-2' })).objects, 0);
    assert.equal((await waiting.contribute()).records, 1);
    await waiting.publish();
    assertWhole(app);

    app.runsAtWork.clear();
    await app.run('planGarbage', { ...ALL, id: 'gc-3' });
    await app.run('removeGarbage', { id: 'gc-3' });
    assert.deepEqual(parts(), []);
  });

  it('removes nothing but what it may collect, whatever its stored plan names', async () => {
    const app = application();
    await publish(app, 1, 'a');
    const kept = [...app.analysis.keys('state/ledgers/'), ...app.analysis.keys('state/runs/')].filter(
      (key) => !key.includes('/chunks/'),
    );
    const candidate = (name: string) => ({ name, objects: 1, bytes: 1, lastModified: '2013-01-01T00:00:00.000Z' });
    const plan = { folders: [candidate('.'), candidate('..')], objects: kept.map(candidate), left: 0 };
    app.analysis.store(stateKeys.garbagePlan('hostile'), JSON.stringify(plan));
    assert.equal((await app.run('removeGarbage', { id: 'hostile' })).objects, 0);
    for (const key of kept) assert.ok(app.analysis.contents.has(key), key);
    assertWhole(app);
  });

  it('keeps what was current until a commit of the last 72 h', async () => {
    const app = application();
    const first = await publish(app, 1, 'a');
    age(app, 20);
    const second = await publish(app, 2, 'b');
    age(app, 2.9);
    await collect(app);
    assert.deepEqual(folders(app), [first, second].sort());
  });

  it('keeps an unnamed folder that is young, as that of a publish that goes on', async () => {
    const app = application();
    await publish(app, 1, 'a');
    age(app, 6);
    const staged = new DayRun(app, 2);
    await staged.analyse([inputKey('nightly/28', 'b')]);
    const [folder = ''] = (await staged.stage()).folders;
    age(app, 6.9);
    await collect(app);
    assert.ok(folders(app).includes(folder));
    assert.equal((await staged.commit()).outcome, 'committed');
    assertWhole(app);
  });

  it('a folder that was named between plan and removal stays', async () => {
    const app = application();
    await publish(app, 1, 'a');
    const staged = new DayRun(app, 2);
    await staged.analyse([inputKey('nightly/28', 'b')]);
    await staged.stage();
    age(app, 30);
    await app.run('planGarbage', ALL);
    assert.equal((await staged.commit()).outcome, 'committed');
    await app.run('removeGarbage', ALL);
    assertWhole(app);
  });

  it('takes its time from the store: a clock ten days ahead removes nothing', async () => {
    const app = application();
    const first = await publish(app, 1, 'a');
    const second = await publish(app, 2, 'b');
    const storeNow = new Date();
    const head = app.analysis.head.bind(app.analysis);
    mock.method(app.analysis, 'head', async (key: string) => {
      const found = await head(key);
      return key === stateKeys.garbageClock && found !== undefined ? { ...found, lastModified: storeNow } : found;
    });
    app.clock.advance(10 * 86_400);
    await collect(app);
    assert.deepEqual(folders(app), [first, second].sort());
  });

  it('refuses when versions.json cannot be read, and when a ledger of the chain is gone', async () => {
    const app = application();
    await publish(app, 1, 'a');
    const key = versionsOf(app).head.ledger;
    const ledger = app.analysis.contents.get(key);
    app.analysis.contents.delete(key);
    await failsForGood(app.run('planGarbage', ALL), FailureType.StateDamaged, /does not exist/);
    if (ledger !== undefined) app.analysis.contents.set(key, ledger);
    app.published.contents.delete(VERSIONS);
    await failsForGood(app.run('planGarbage', ALL), FailureType.PointerMissing, /versions\.json does not exist/);
  });

  it('refuses to remove more than half of the folders unless that is meant', async () => {
    const app = application();
    for (const [index, file] of ['a', 'b', 'c'].entries()) {
      await publish(app, index + 1, file);
      age(app, 1);
    }
    age(app, 20);
    await failsForGood(
      app.run('planGarbage', { ...ALL, force: false }),
      FailureType.GarbageRefused,
      /2 of 3 folders would go.*--force/,
    );
  });
});
