import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { answerForeign, foreignId, foreignMessage } from '../fakes/foreign-launcher.ts';
import { DONE_QUEUE } from '../fakes/names.ts';
import { assertWhole, submissionsOf, versionsOf } from '../fakes/published-space.ts';
import { Round } from '../fakes/round.ts';

const NIGHTLY = 'nightly/28';
const file = (name: string): string => inputKey(NIGHTLY, name);

function quarantined(app: Application): string[] {
  const keys = app.analysis.keys('state/quarantine/');
  return keys.map((key) => (app.analysis.json(key) as { reason: string }).reason).sort();
}

function waiting(app: Application): string[] {
  return app.analysis.keys(stateKeys.allWaiting).map((key) => key.slice(stateKeys.allWaiting.length));
}

describe('continuous aggregation', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, adoptForeignResults: true });

  it('publishes what another launcher asked for, once, as an entry of its own', async () => {
    const app = application();
    for (const number of [1, 2, 3]) answerForeign(app, { number, files: [file(`a${number}`), file(`b${number}`)] });
    app.queues.put(DONE_QUEUE, foreignMessage({ number: 2, files: [file('a2'), file('b2')] }));
    const round = new Round(app, 1);
    assert.equal(await round.collect(), 3);
    assert.deepEqual(app.queues.bodies(DONE_QUEUE), []);
    assert.equal(await round.whole(), 'committed');
    assert.equal(submissionsOf(app, NIGHTLY), 6);
    assert.deepEqual(waiting(app), []);
    assertWhole(app);
  });

  it('returns at once when enough results wait, also those that another drain took', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('a')] });
    const day = new DayRun(app);
    day.storeInput([file('own')]);
    await day.planTasks();
    await day.drain({ maxSeconds: 30 });
    assert.deepEqual(waiting(app), [`${foreignId(1)}.done`]);
    const start = app.clock.now;
    assert.equal(await new Round(app, 1).collect(1), 1);
    assert.equal(app.clock.now, start);
  });

  it('files the messages of a day that is being drained elsewhere, which finds their receipts', async () => {
    const app = application();
    const day = new DayRun(app);
    day.storeInput([file('own1'), file('own2')]);
    await day.planTasks();
    await day.enqueue();
    day.answerTasks();
    assert.equal(await new Round(app, 1).collect(), 0);
    assert.deepEqual(app.queues.bodies(DONE_QUEUE), []);
    const { done, missing } = await day.drain();
    assert.deepEqual([done, missing], [2, 0]);
  });

  it('a result that comes again after its round is in the data set is neither counted nor quarantined', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('a')] });
    const first = new Round(app, 1);
    await first.collect();
    await first.whole();
    answerForeign(app, { number: 1, files: [file('a')] });
    const second = new Round(app, 2);
    assert.equal(await second.collect(), 1);
    const { plan, settled, overlapping } = await second.plan();
    assert.deepEqual([plan.tasks, settled, overlapping], [0, 1, 0]);
    assert.deepEqual([waiting(app), quarantined(app)], [[], []]);
  });

  it('a result with an input file that a day counts is quarantined as duplicate_input; the others are published', async () => {
    const app = application();
    const day = new DayRun(app);
    await day.analyse([file('d1'), file('d2')]);
    await day.publish();
    answerForeign(app, { number: 1, files: [file('x'), file('d2')] });
    answerForeign(app, { number: 2, files: [file('y')] });
    const round = new Round(app, 1);
    await round.collect();
    assert.equal(await round.whole(), 'committed');
    assert.equal(submissionsOf(app, NIGHTLY), 3);
    assert.deepEqual(quarantined(app), ['duplicate_input']);
    const [key] = app.analysis.keys('state/quarantine/');
    const { message } = app.analysis.json(key ?? '') as { message: string };
    assert.match(message, new RegExp(`${foreignId(1)}.*d2.*${DAY}`));
    assert.deepEqual(waiting(app), []);
  });

  it('of two results of one round with a common file the older one counts', async () => {
    const app = application();
    answerForeign(app, { number: 7, files: [file('a'), file('b')] });
    const round = new Round(app, 1);
    await round.collect();
    app.clock.advance(5);
    answerForeign(app, { number: 3, files: [file('b'), file('c')] });
    await round.collect();
    const plan = await round.plan();
    assert.deepEqual([plan.plan.tasks, plan.overlapping], [1, 1]);
    await round.contribute(plan);
    await round.publish();
    assert.equal(submissionsOf(app, NIGHTLY), 2);
  });

  it('a day that commits while the round is under way sends the round back to plan again', async () => {
    const app = application();
    const day = new DayRun(app);
    await day.analyse([file('d1')]);
    answerForeign(app, { number: 1, files: [file('d1')] });
    answerForeign(app, { number: 2, files: [file('y')] });
    const round = new Round(app, 1);
    await round.collect();
    await round.contribute(await round.plan());
    await day.publish();
    assert.equal(await round.publish(), 'overlapping');
    const next = new Round(app, 2);
    assert.equal(await next.whole(), 'committed');
    assert.equal(submissionsOf(app, NIGHTLY), 2);
    assert.deepEqual(quarantined(app), ['duplicate_input']);
    assert.equal(await round.publish(2), 'overlapping');
  });

  it('a day takes the place of a round with the same file; what else the round had is published again', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('d1')] });
    answerForeign(app, { number: 2, files: [file('y')] });
    const round = new Round(app, 1);
    await round.collect();
    await round.whole();
    const day = new DayRun(app);
    await day.analyse([file('d1'), file('d2')]);
    assert.deepEqual(await day.publish(), { outcome: 'committed', seq: 2 });
    assert.equal(submissionsOf(app, NIGHTLY), 2, 'the day alone');
    const next = new Round(app, 2);
    const plan = await next.plan();
    assert.deepEqual([plan.returned, plan.overlapping, plan.plan.tasks], [2, 1, 1]);
    await next.contribute(plan);
    assert.equal(await next.publish(), 'committed');
    assert.equal(submissionsOf(app, NIGHTLY), 3);
    assertWhole(app);
  });

  it('a round that was never published gives its results back to the next one', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('a')] });
    const lost = new Round(app, 1);
    await lost.collect();
    await lost.contribute(await lost.plan());
    const next = new Round(app, 2);
    assert.equal(await next.whole(), 'committed');
    assert.equal(await lost.publish(), 'overlapping', 'it may not come into the data set any more');
    assert.equal(submissionsOf(app, NIGHTLY), 1);
  });

  for (const key of [/taken/, /receipts\/1/, /plan\.ndjson/]) {
    it(`plans the same round when the answer to ${String(key)} is lost`, async () => {
      const app = application();
      for (const number of [1, 2, 3]) answerForeign(app, { number, files: [file(`a${number}`)] });
      const round = new Round(app, 1);
      await round.collect();
      app.trace.fail({ method: 'createOnce', key, when: 'after' });
      await assert.rejects(round.plan(), /injected/);
      answerForeign(app, { number: 4, files: [file('late')] });
      await round.collect();
      assert.equal((await round.plan()).plan.tasks, 3);
      await round.contribute(await round.plan());
      assert.equal(await round.publish(), 'committed');
      await round.settle();
      assert.equal(submissionsOf(app, NIGHTLY), 3);
      assert.deepEqual(waiting(app), [`${foreignId(4)}.done`]);
    });
  }

  it('a task given up puts its files into FILES_MISSING, until it is done after all', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('a')], aborted: true });
    answerForeign(app, { number: 2, files: [file('b')] });
    const first = new Round(app, 1);
    await first.collect();
    await first.whole();
    await app.run('updateProjections', undefined);
    assert.equal(app.published.text('v7/FILES_MISSING'), `${file('a')}\n`);
    answerForeign(app, { number: 1, files: [file('a')] });
    const second = new Round(app, 2);
    await second.collect();
    assert.equal(await second.whole(), 'committed');
    await app.run('updateProjections', undefined);
    assert.equal(app.published.text('v7/FILES_MISSING'), '');
    assert.equal(submissionsOf(app, NIGHTLY), 2);
  });

  it('takes at most so many results, the oldest first', async () => {
    const app = application();
    const round = new Round(app, 1);
    for (const number of [5, 4, 3]) {
      answerForeign(app, { number, files: [file(`a${number}`)] });
      await round.collect();
      app.clock.advance(60);
    }
    const { plan } = await round.plan(2);
    assert.equal(plan.tasks, 2);
    await round.settle();
    assert.deepEqual(waiting(app), [`${foreignId(3)}.done`]);
  });

  for (const [title, files, reason] of [
    ['without input files', [], 'no_files'],
    ['with a line break in a key', [`${'a'.repeat(9)}\nv7/x`], 'bad_file_key'],
  ] as const) {
    it(`a message ${title} is quarantined as ${reason}`, async () => {
      const app = application();
      answerForeign(app, { number: 1, files, result: '' });
      assert.equal(await new Round(app, 1).collect(), 0);
      assert.deepEqual(quarantined(app), [reason]);
    });
  }

  it('a damaged result fails alone', async () => {
    const app = application();
    answerForeign(app, { number: 1, files: [file('a')], result: 'no result\n' });
    answerForeign(app, { number: 2, files: [file('b')] });
    const round = new Round(app, 1);
    await round.collect();
    assert.equal(await round.whole(), 'committed');
    assert.equal(submissionsOf(app, NIGHTLY), 1);
    assert.equal(quarantined(app).length, 1);
    assert.deepEqual([...versionsOf(app).folders.keys()], [NIGHTLY]);
  });
});

describe('where results of other launchers are not wanted', () => {
  const application = eachWithApplication();

  it('a drain quarantines them, and continuous aggregation refuses to start', async () => {
    const app = application();
    await failsForGood(
      app.run('aggregationSettings', undefined),
      FailureType.ForeignResultsRefused,
      /TELEMETRY_FOREIGN_RESULTS=adopt/,
    );
    answerForeign(app, { number: 1, files: [file('a')] });
    assert.equal(await new Round(app, 1).collect(), 0);
    assert.deepEqual(quarantined(app), ['unknown_run']);
  });
});
