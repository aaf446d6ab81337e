/** What `status` and `check` find out about a data set and its queues, over the fakes; Temporal's part is in test/operations/watch.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lookAtProjections, writeProjections } from '../../src/state/projections.ts';
import { readPointer } from '../../src/state/pointer.ts';
import { stateKeys } from '../../src/state/keys.ts';
import type { DataSetFacts, Facts, LeftoverFacts } from '../../src/watch/rules/facts.ts';
import { dataSetFacts } from '../../src/watch/data-set.ts';
import { collectFacts } from '../../src/watch/collect-facts.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { inProcessThreads } from '../fakes/in-process-threads.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';
import { versionsOf } from '../fakes/published-space.ts';

const SIGNAL = AbortSignal.timeout(60_000);
const FILES = ['a', 'b'].map((file) => inputKey('nightly/28', file));
const DEAD_LETTERS = `${DONE_QUEUE}-dlq`;

describe('a look at the deployment', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const stores = ({ analysis, published }: Application) => ({ analysis, published, publishedPrefix: PREFIX });

  const folderOf = (app: Application): string =>
    versionsOf(app).folders.get('nightly/28') ?? assert.fail('not published');

  async function published(app: Application): Promise<void> {
    const run = new DayRun(app);
    await run.analyse(FILES, ({ files }) => ({ aborted: files[0] === FILES[1] }));
    await run.publish();
    await app.run('updateProjections', undefined);
  }

  function look(app: Application): Promise<Facts> {
    for (const queue of [`${TASK_QUEUE}-dlq`, DEAD_LETTERS])
      if (!app.queues.queues.has(queue))
        app.queues.queues.set(queue, {
          settings: { visibilitySeconds: 30, delaySeconds: 0, retentionSeconds: 1 },
          messages: [],
        });
    const { analysis, published: space, queues } = app;
    const temporal = () => Promise.reject(new Error('no Temporal here'));
    return collectFacts(
      { analysis, published: space, queues, temporal },
      {
        publishedPrefix: PREFIX,
        taskQueue: TASK_QUEUE,
        doneQueue: DONE_QUEUE,
        workerTaskQueue: 'telemetry',
        adoptsForeignResults: false,
      },
      new Date(app.clock.now),
    );
  }

  async function dataSet(app: Application): Promise<DataSetFacts> {
    const { dataSet: part } = await look(app);
    return 'known' in part ? part.known : assert.fail(part.unknown);
  }

  async function leftovers(app: Application): Promise<LeftoverFacts> {
    const { leftovers: part } = await look(app);
    return 'known' in part ? part.known : assert.fail(part.unknown);
  }

  it('shows commit, channel/versions and days as the ledger has them', async () => {
    const app = application();
    await published(app);
    const { seq, channelVersions, recentDays, days, firstDay } = await dataSet(app);
    assert.deepEqual([seq, days, firstDay], [1, 1, DAY]);
    const counts = { planned: 2, done: 1, failed: 1, missing: 0, filesMissing: 1 };
    assert.deepEqual(
      recentDays.map(({ planAt, ...day }) => day),
      [{ day: DAY, ...counts }],
    );
    assert.deepEqual(channelVersions, [
      {
        channelVersion: 'nightly/28',
        folder: folderOf(app),
        renderedAt: '2013-10-30T13:31:00Z',
        newestDay: DAY,
        days: 1,
        definitionsPending: 1,
        hasManifest: true,
      },
    ]);
  });

  it('an adopted history is neither a day nor a round', async () => {
    const app = application();
    await published(app);
    const { analysis, published: bucket } = app;
    const stores = { analysis, published: bucket, publishedPrefix: PREFIX };
    const { signal } = new AbortController();
    const pointer = await readPointer(stores, signal);
    const [entry = assert.fail()] = pointer.ledger.entries.values();
    const adopted = 'adopted-2013-10-01T00:00:00Z';
    const base = { key: 'k', sha: 'ab'.repeat(16), slots: 1, days: [adopted], kept: [], beneath: null };
    const channelVersions = new Map([...pointer.ledger.channelVersions].map(([name, was]) => [name, { ...was, base }]));
    const entries = new Map([...pointer.ledger.entries, [adopted, entry]]);
    const ledger = { ...pointer.ledger, entries, channelVersions };
    const facts = await dataSetFacts(stores, { ...pointer, ledger }, new Date(app.clock.now), signal);
    assert.deepEqual(
      [facts.days, facts.rounds, facts.firstDay, facts.recentDays.map(({ day }) => day)],
      [1, 0, DAY, [DAY]],
    );
    assert.deepEqual(
      facts.channelVersions.map(({ newestDay, days: count }) => [newestDay, count]),
      [[DAY, 1]],
    );
  });

  it('I4: sees that the manifest of a published folder is gone', async () => {
    const app = application();
    await published(app);
    await app.published.delete([`${PREFIX}${folderOf(app)}/_manifest.json`]);
    assert.deepEqual(
      (await dataSet(app)).channelVersions.map(({ hasManifest }) => hasManifest),
      [false],
    );
  });

  it('counts folders and rounds that the data set does not name', async () => {
    const app = application();
    await published(app);
    app.published.store(`${PREFIX}20131001000000-28-nightly/GC_MS-by-build-date.json`, '{}');
    app.published.store(`${PREFIX}not-a-folder/x`, '{}');
    app.analysis.store(`${stateKeys.rounds}20131029T133100.000Z/some-run/plan.ndjson.gz`, '');
    const { unreferencedFolders, unreferencedRounds } = await dataSet(app);
    const names = ['20131001000000-28-nightly'];
    assert.deepEqual(unreferencedFolders, { count: 1, more: false, oldest: '2013-10-01T00:00:00Z', names });
    assert.deepEqual(unreferencedRounds, { count: 1, more: false, oldest: '2013-10-29T13:31:00.000Z' });
  });

  it('tells quarantine by reason and age, results that wait, failures and alerts that are not settled', async () => {
    const app = application();
    const entry = { what: 'done_message', message: 'm', content: 'c' };
    app.analysis.store(stateKeys.quarantine('00'), JSON.stringify({ ...entry, reason: 'bad_json' }));
    app.clock.advance(25 * 3600);
    app.analysis.store(stateKeys.quarantine('01'), JSON.stringify({ ...entry, reason: 'bad_prefix' }));
    app.analysis.store(stateKeys.quarantine('02'), 'damaged');
    app.analysis.store(stateKeys.waiting('some-run/1', 'done'), '{}');
    const failure = { job: 'daily-analysis', about: DAY, failedAt: '2013-10-30T14:00:00Z', type: null, message: 'x' };
    app.analysis.store(
      stateKeys.openFailure('daily-analysis', DAY),
      JSON.stringify({ ...failure, workflowId: 'w', runId: 'r' }),
    );
    app.analysis.store(stateKeys.undelivered('r', 'failed'), JSON.stringify({ subject: '[daily-analysis] failed' }));
    const { quarantine, waiting, openFailures, undelivered } = await leftovers(app);
    assert.deepEqual([quarantine.total.count, quarantine.recent, quarantine.read], [3, 2, 3]);
    assert.deepEqual(quarantine.reasons, { bad_json: 1, bad_prefix: 1, unreadable: 1 });
    assert.equal(waiting.count, 1);
    assert.deepEqual(openFailures, [failure]);
    assert.deepEqual([undelivered.count, undelivered.subjects], [1, ['[daily-analysis] failed']]);
  });

  it('looks at dead letters without taking them, and at the other queues without receiving', async () => {
    const app = application();
    await look(app);
    app.queues.put(DONE_QUEUE, 'x');
    app.queues.put(DEAD_LETTERS, 'y');
    const sent = new Date(app.clock.now).toISOString();
    app.clock.advance(3600);
    const { queues } = await look(app);
    assert.equal(queues.find(({ queue }) => queue === DEAD_LETTERS)?.oldestAt, sent);
    const received = [DONE_QUEUE, DEAD_LETTERS].map((queue) => app.queues.queues.get(queue)?.messages[0]?.receives);
    assert.deepEqual(received, [0, 1]);
    app.clock.advance(2);
    assert.equal((await app.queues.depth(DEAD_LETTERS)).visible, 1);
  });

  it('what is out of reach hides nothing else', async () => {
    const app = application();
    await published(app);
    app.queues.queues.delete(TASK_QUEUE);
    app.published.store(VERSIONS, 'no JSON');
    const { dataSet: space, runs, queues, leftovers: rest } = await look(app);
    assert.ok('unknown' in space && space.type === 'PointerDamaged');
    assert.deepEqual(runs, { unknown: 'no Temporal here', type: null });
    assert.deepEqual(
      queues.map(({ depth }) => ('unknown' in depth ? depth.type : 'known')),
      ['QueueMissing', 'known', 'known', 'known'],
    );
    assert.ok('known' in rest);
  });

  describe('projections', () => {
    const compare = async (app: Application) =>
      lookAtProjections(stores(app), await readPointer(stores(app), SIGNAL), SIGNAL);

    it('are as the ledger says after a publish, and behind after a commit without them', async () => {
      const app = application();
      await published(app);
      assert.deepEqual(await compare(app), { differing: [], behind: false });
      const next = new DayRun(app, 2, '20131030');
      await next.analyse([inputKey('nightly/28', 'c', '20131030')]);
      await next.publish();
      assert.deepEqual(await compare(app), { differing: ['status.json'], behind: true });
    });

    for (const name of ['FILES_PROCESSED', 'FILES_MISSING', 'status.json']) {
      it(`${name}: missing, overwritten by as many bytes, or by something else is seen and repaired`, async () => {
        const app = application();
        await published(app);
        const before = app.published.text(PREFIX + name);
        const damages = [
          () => app.published.delete([PREFIX + name]),
          async () => app.published.store(PREFIX + name, before.replaceAll(/[a-z]/g, 'z')),
          async () => app.published.store(PREFIX + name, '{}'),
        ];
        for (const damage of damages) {
          await damage();
          const { differing, behind } = await compare(app);
          assert.ok(differing.includes(name), differing.join());
          assert.equal(behind, false);
          await writeProjections({ ...stores(app), threads: inProcessThreads() }, app.settings.workDirectory, SIGNAL);
          assert.deepEqual((await compare(app)).differing, []);
          assert.equal(app.published.text(PREFIX + name), before);
        }
      });
    }

    it('status.json counts what lacks, for readers without access to the state', async () => {
      const app = application();
      await published(app);
      const status = app.published.json(`${PREFIX}status.json`);
      assert.deepEqual(status['missing'], { tasks: 1, files: 1 });
      assert.deepEqual(status['definitionsPending'], { 'nightly/28': 1 });
    });
  });
});
