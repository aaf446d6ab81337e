import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { type Application, eachWithApplication, environment } from '../fakes/application.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';
import { failsForGood } from '../fakes/failures.ts';

describe('queues of an investigation', () => {
  const application = eachWithApplication();

  it('are a pair of their own, made once and removed together', async () => {
    const app = application();
    const pair = await app.run('createInvestigationQueues', { name: 'gc' });
    assert.deepEqual(await app.run('createInvestigationQueues', { name: 'gc' }), pair);
    assert.equal(app.queues.queues.get(pair.taskQueue)?.settings.visibilitySeconds, 1800);
    assert.equal(app.queues.queues.get(pair.doneQueue)?.settings.visibilitySeconds, 300);
    await app.run('removeInvestigationQueues', pair);
    await app.run('removeInvestigationQueues', pair);
    assert.deepEqual([...app.queues.queues.keys()], [TASK_QUEUE, DONE_QUEUE]);
  });

  it('belong to one run of the name at a time: another one is refused until it has ended', async () => {
    const app = application();
    const pair = await app.run('createInvestigationQueues', { name: 'gc', runId: 'first' });
    assert.deepEqual(await app.run('createInvestigationQueues', { name: 'gc', runId: 'first' }), pair);
    app.runsAtWork.add('first');
    await failsForGood(
      app.run('createInvestigationQueues', { name: 'gc', runId: 'second' }),
      FailureType.InvalidInput,
      /An investigation gc is at work already, as run first; wait for its end, or choose another name/,
    );
    assert.ok(app.queues.queues.has(pair.taskQueue), 'the queues of the first are still there');
    await app.run('createInvestigationQueues', { name: 'other', runId: 'second' });
    app.runsAtWork.delete('first');
    await app.run('createInvestigationQueues', { name: 'gc', runId: 'second' });
    app.runsAtWork.add('second');
    await failsForGood(
      app.run('createInvestigationQueues', { name: 'gc', runId: 'third' }),
      FailureType.InvalidInput,
      /as run second/,
    );
  });

  it('that are those of production are an error', async () => {
    const app = application();
    const { doneQueue } = await app.run('createInvestigationQueues', { name: 'gc' });
    const careless = createActivities(app.ports({ doneQueue }));
    const create = (name: string) => careless.createInvestigationQueues({ name });
    await failsForGood(
      environment().run(create, 'gc'),
      FailureType.InvalidInput,
      /production queue; choose another name/,
    );
  });
});

describe('queues that a terminated investigation has left', () => {
  const application = eachWithApplication();
  const HOUR = 3600;
  const collect = (app: Application) => app.run('removeLeftInvestigationQueues', undefined);
  const open = (app: Application): string[] =>
    [...app.queues.queues.keys()].filter((queue) => queue !== TASK_QUEUE && queue !== DONE_QUEUE);

  async function leave(app: Application, name: string, runId: string): Promise<string[]> {
    const { taskQueue, doneQueue } = await app.run('createInvestigationQueues', { name, runId });
    return [taskQueue, doneQueue];
  }

  it('are removed, and those of runs at work and of unknown ones stay', async () => {
    const app = application();
    await leave(app, 'left', 'terminated');
    const atWork = await leave(app, 'at-work', 'running');
    app.runsAtWork.add('running');
    // An earlier release did not say which run has a name.
    const { taskQueue, doneQueue } = await app.run('createInvestigationQueues', { name: 'unknown' });
    const foreign = `${TASK_QUEUE}-inv-x`;
    await app.queues.create(foreign, { visibilitySeconds: 1, delaySeconds: 0, retentionSeconds: 60 });
    app.clock.advance(2 * HOUR);
    assert.deepEqual(await collect(app), { investigations: 1, first: ['left'] });
    assert.deepEqual(open(app).toSorted(), [...atWork, taskQueue, doneQueue, foreign].toSorted());
    assert.deepEqual(await collect(app), { investigations: 0, first: [] });
  });

  it('stay while their run may be too young for Temporal to list it', async () => {
    const app = application();
    const queues = await leave(app, 'young', 'just-begun');
    app.clock.advance(HOUR / 2);
    assert.deepEqual(await collect(app), { investigations: 0, first: [] });
    assert.deepEqual(open(app), queues);
  });

  it('stay when a new run takes the name at the same moment', async () => {
    const app = application();
    await leave(app, 'gc', 'terminated');
    app.clock.advance(2 * HOUR);
    app.trace.before('replace', /investigation-owners/, async () => {
      await app.run('createInvestigationQueues', { name: 'gc', runId: 'new' });
    });
    assert.deepEqual(await collect(app), { investigations: 0, first: [] });
    assert.equal(open(app).length, 2);
  });

  it('keep a new run waiting while they are removed, so that it does not lose its own', async () => {
    const app = application();
    await leave(app, 'gc', 'terminated');
    app.clock.advance(2 * HOUR);
    let refused: unknown;
    app.trace.before('remove', /gc-tasks/, async () => {
      refused = await app
        .run('createInvestigationQueues', { name: 'gc', runId: 'new' })
        .catch((error: unknown) => error);
    });
    assert.deepEqual(await collect(app), { investigations: 1, first: ['gc'] });
    assert.match(String(refused), /are being removed/);
    assert.deepEqual(open(app), []);
    assert.equal((await leave(app, 'gc', 'new')).length, 2);
    assert.equal(open(app).length, 2);
  });

  it('are removed by the next collection when one was killed in the middle, and block the name for minutes only', async () => {
    const app = application();
    await leave(app, 'gc', 'terminated');
    app.clock.advance(2 * HOUR);
    app.trace.fail({ method: 'remove', key: /gc-done/, error: new Error('killed') });
    await assert.rejects(collect(app), /killed/);
    assert.equal(open(app).length, 1);
    app.clock.advance(2 * HOUR);
    assert.equal((await collect(app)).investigations, 1);
    assert.deepEqual(open(app), []);

    await leave(app, 'gc', 'again');
    app.clock.advance(2 * HOUR);
    app.trace.fail({ method: 'remove', key: /gc-done/, error: new Error('killed') });
    await assert.rejects(collect(app), /killed/);
    app.clock.advance(HOUR / 4);
    assert.equal((await leave(app, 'gc', 'later')).length, 2);
  });
});
