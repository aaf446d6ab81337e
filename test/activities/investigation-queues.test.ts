import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { FailureType } from '../../src/failures.ts';
import { eachWithApplication, environment } from '../fakes/application.ts';
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
