import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForNow } from '../fakes/failures.ts';
import { versionsOf } from '../fakes/published-space.ts';

const FILES = ['a', 'b', 'c'].map((file) => inputKey('nightly/28', file));
const NEXT = '20131030';

describe('updateProjections', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const lines = (app: Application, name: string): string[] =>
    app.published
      .text(PREFIX + name)
      .split('\n')
      .slice(0, -1);
  const update = (app: Application) => app.run('updateProjections', undefined);

  async function published(
    app: Application,
    number: number,
    keys: readonly string[],
    lost: string[] = [],
    day?: string,
  ) {
    const run = new DayRun(app, number, day);
    await run.analyse(keys, ({ files }) => ({ aborted: lost.includes(files[0] ?? '') }));
    await run.publish();
    return run;
  }

  it('every file of the data set is in exactly one of the lists', async () => {
    const app = application();
    await published(app, 1, FILES, [FILES[1]!]);
    await published(app, 2, [inputKey('nightly/28', 'd', NEXT)], [], NEXT);
    assert.equal((await update(app)).seq, 2);
    assert.deepEqual(lines(app, 'FILES_PROCESSED'), [FILES[0], FILES[2], inputKey('nightly/28', 'd', NEXT)]);
    assert.deepEqual(lines(app, 'FILES_MISSING'), [FILES[1]]);
  });

  it('a file whose result comes in a later run moves from FILES_MISSING to FILES_PROCESSED', async () => {
    const app = application();
    await published(app, 1, FILES, [FILES[1]!]);
    await update(app);
    app.clock.advance(60);
    await published(app, 2, FILES);
    await update(app);
    assert.deepEqual(lines(app, 'FILES_PROCESSED'), FILES);
    assert.deepEqual(lines(app, 'FILES_MISSING'), []);
  });

  it('status.json says what versions.json says', async () => {
    const app = application();
    await published(app, 1, FILES);
    await update(app);
    const status = app.published.json(`${PREFIX}status.json`);
    const { head, folders } = versionsOf(app);
    assert.deepEqual([status['seq'], status['commit'], status['at']], [head.seq, head.commit, head.at]);
    assert.deepEqual(status['channelVersions'], Object.fromEntries(folders));
  });

  it('status.json says why files of a day are missing', async () => {
    const app = application();
    await published(app, 1, FILES, [FILES[1]!]);
    await update(app);
    const { days } = app.published.json(`${PREFIX}status.json`) as { days: Record<string, Record<string, unknown>> };
    assert.deepEqual(days['20131029']?.['missingReasons'], { aborted: 1 });
  });

  it('starts again when a commit came while it was writing', async () => {
    const app = application();
    await published(app, 1, FILES);
    const second = new DayRun(app, 2, NEXT);
    await second.analyse([inputKey('nightly/28', 'd', NEXT)]);
    await second.stage();
    app.trace.before('put', /status/, async () => {
      await second.commit();
    });
    assert.equal((await update(app)).seq, 2);
    assert.equal(lines(app, 'FILES_PROCESSED').length, 4);
    assert.equal(app.published.json(`${PREFIX}status.json`)['seq'], 2);
  });

  for (const name of ['FILES_PROCESSED', 'FILES_MISSING', 'status.json']) {
    it(`a lost answer at ${name} is no loss: the retry ends it`, async () => {
      const app = application();
      await published(app, 1, FILES);
      app.trace.fail({ method: 'put', key: new RegExp(name), when: 'after' });
      await failsForNow(update(app), /injected/);
      await update(app);
      assert.equal(app.published.json(`${PREFIX}status.json`)['seq'], 1);
      assert.deepEqual(lines(app, 'FILES_PROCESSED'), FILES);
    });
  }

  it('an empty data set has empty lists', async () => {
    const app = application();
    await update(app);
    assert.deepEqual(lines(app, 'FILES_PROCESSED'), []);
    assert.deepEqual(lines(app, 'FILES_MISSING'), []);
  });
});
