import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DrainResult } from '../../src/activities/drain.ts';
import { FailureType } from '../../src/failures.ts';
import { outputPrefix, resultKey } from '../fakes/done-messages.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { eachWithApplication, environment } from '../fakes/application.ts';
import { DONE_QUEUE } from '../fakes/names.ts';
import { doneMessage } from '../fakes/day-run.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';
import { quarantined, receipts, sent, storeResult } from '../fakes/sent-run.ts';

const sums = ({ done, failed, missing }: DrainResult): number[] => [done, failed, missing];

describe('drainDoneQueue', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('files every result, and deletes a message only after its receipt exists', async () => {
    const { day, tasks } = await sent(application(), 2);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const result = await day.drain();
    assert.deepEqual(sums(result), [2, 0, 0]);
    assert.deepEqual(result.ready, [{ chunk: 1, done: 2 }]);
    assert.deepEqual(receipts(day), ['1.done', '2.done']);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
    const steps = day.app.trace.calls.map(({ method, key }) => `${method} ${key}`);
    const deleted = steps.indexOf(`deleteMessages ${DONE_QUEUE}`);
    assert.ok(steps.findLastIndex((step) => step.startsWith('createOnce')) < deleted);
  });

  it('returns as soon as a chunk is complete, and again when the next one is', async () => {
    const { day, tasks } = await sent(application(), 4);
    for (const task of tasks) storeResult(day.app, task);
    for (const task of tasks.slice(0, 2)) day.app.queues.put(DONE_QUEUE, doneMessage(task));
    assert.deepEqual((await day.drain()).ready, [{ chunk: 1, done: 2 }]);
    for (const task of tasks.slice(2)) day.app.queues.put(DONE_QUEUE, doneMessage(task));
    const second = await day.drain({ merged: [2, -1] });
    assert.deepEqual(second.ready, [{ chunk: 2, done: 2 }]);
    assert.equal(second.missing, 0);
    assert.equal(day.app.trace.effective('get', /plan\.ndjson\.gz$/).length, 1, 'a plan is read once by a worker');
  });

  it('waits by long polls of at most 20 s, and returns when its time is up', async () => {
    const { day } = await sent(application(), 1);
    const start = day.app.clock.now;
    assert.deepEqual(sums(await day.drain({ maxSeconds: 50 })), [0, 0, 1]);
    assert.equal(day.app.clock.now - start, 50_000);
    assert.equal(day.app.trace.effective('receive').length, 3);
  });

  it('tells its workflow how far it is, long before a chunk is complete, and not more often than people look', async () => {
    const { day, tasks } = await sent(application(), 9);
    for (const task of tasks) storeResult(day.app, task);
    const { app } = day;
    let given = 0;
    const receive = app.queues.receive.bind(app.queues);
    // One result every three seconds.
    app.queues.receive = async (queue, options) => {
      app.clock.advance(3);
      const task = tasks[given];
      given += 1;
      if (task !== undefined && given < 9) app.queues.put(DONE_QUEUE, doneMessage(task));
      return receive(queue, options);
    };
    assert.deepEqual(sums(await day.drain({ chunkTasks: 9, merged: [-1], maxSeconds: 50 })), [8, 0, 1]);
    assert.deepEqual(
      app.signals.map(({ name }) => name),
      app.signals.map(() => 'drainedSoFar'),
    );
    const told = app.signals.map(({ input }) => (input as { done: number }).done);
    assert.deepEqual(told.slice(0, 3), [1, 2, 4], told.join());
  });

  it('has only the time that is left when it is tried again', async () => {
    const { day } = await sent(application(), 1);
    const start = day.app.clock.now;
    const again = { attempt: 2, scheduledTimestampMs: 1_000, currentAttemptScheduledTimestampMs: 31_000 };
    const input = day.drainInput({ maxSeconds: 50 });
    const result = await day.app.runIn(environment(again), 'drainDoneQueue', input);
    assert.deepEqual(sums(result), [0, 0, 1]);
    assert.equal(day.app.clock.now - start, 20_000);
  });

  it('takes 150 waiting messages in several rounds', async () => {
    const { day, tasks } = await sent(application(), 150);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const result = await day.drain({ merged: new Array<number>(75).fill(2) });
    assert.deepEqual(sums(result), [150, 0, 0]);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
  });

  it('asks for a few results one by one, and lists those of the run once many come', async () => {
    const { day, tasks } = await sent(application(), 150);
    for (const task of tasks) {
      // One of a run that comes late has no result yet when the others are listed.
      if (task !== tasks[140]) storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    day.app.trace.before('head', new RegExp(outputPrefix(tasks[140]!.id)), () => {
      storeResult(day.app, tasks[140]!);
    });
    const result = await day.drain({ merged: new Array<number>(75).fill(2) });
    assert.deepEqual(sums(result), [150, 0, 0]);
    const heads = day.app.trace.effective('head', /^output/).map(({ key }) => key);
    assert.equal(heads.length, 21, 'twenty before the listing, one that it did not have');
    assert.equal(heads.at(-1), resultKey(tasks[140]!.id));
    assert.equal(day.app.trace.effective('list', /^output/).length, 1);
  });

  it('a new attempt knows from the receipts what the last one did', async () => {
    const { day, tasks } = await sent(application(), 4);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    day.app.trace.fail({ method: 'deleteMessages', when: 'before' });
    await failsForNow(day.drain(), /injected/);
    assert.deepEqual(receipts(day).length, 4);
    day.app.trace.clear();
    assert.deepEqual(sums(await day.drain()), [4, 0, 0]);
    assert.equal(day.app.trace.effective('receive').length, 0);
  });

  for (const copies of ['in one batch', 'the next day']) {
    it(`the same id twice ${copies} → one receipt, counted as duplicate`, async () => {
      const { day, tasks } = await sent(application(), 3);
      storeResult(day.app, tasks[0]!);
      day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
      if (copies === 'the next day') {
        await day.drain();
        day.app.clock.advance(86_400);
      }
      day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!, { report: { records: 99 } }));
      const result = await day.drain();
      assert.equal(result.duplicates, 1);
      assert.deepEqual(sums(result), [1, 0, 2]);
      assert.deepEqual(receipts(day), ['1.done']);
      assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
    });
  }

  it('target-prefix null → a failed receipt, and the result is not even looked for', async () => {
    const { day, tasks } = await sent(application(), 1);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!, { aborted: true }));
    assert.deepEqual(sums(await day.drain()), [0, 1, 0]);
    assert.deepEqual(receipts(day), ['1.failed']);
    assert.equal(day.app.trace.effective('head', /output/).length, 0);
  });

  it('null first, result later → the result counts', async () => {
    const { day, tasks } = await sent(application(), 2);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!, { aborted: true }));
    await day.drain({ maxSeconds: 1 });
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    assert.deepEqual(sums(await day.drain()), [1, 0, 1]);
  });

  it('a merged chunk that gains a result is ready again', async () => {
    const { day, tasks } = await sent(application(), 4);
    for (const task of tasks.slice(0, 2)) day.app.queues.put(DONE_QUEUE, doneMessage(task, { aborted: true }));
    assert.deepEqual((await day.drain()).ready, [{ chunk: 1, done: 0 }]);
    storeResult(day.app, tasks[1]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[1]!));
    assert.deepEqual((await day.drain({ merged: [0, -1] })).ready, [{ chunk: 1, done: 1 }]);
  });

  it('result first, null later → null is ignored', async () => {
    const { day, tasks } = await sent(application(), 2);
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!, { aborted: true }));
    assert.deepEqual(sums(await day.drain()), [1, 0, 1]);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
  });

  it('a result that is not there yet is waited for', async () => {
    const { day, tasks } = await sent(application(), 1);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    assert.deepEqual(sums(await day.drain({ maxSeconds: 400 })), [0, 0, 1]);
    assert.equal(day.app.queues.bodies(DONE_QUEUE).length, 1);
    storeResult(day.app, tasks[0]!);
    assert.deepEqual(sums(await day.drain({ maxSeconds: 600 })), [1, 0, 0]);
  });

  it('a result that never comes fails its task with result_missing after some receives', async () => {
    const { day, tasks } = await sent(application(), 1);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    assert.deepEqual(sums(await day.drain({ maxSeconds: 3600 })), [0, 1, 0]);
    assert.equal(day.app.analysis.json(stateKeys.receipt(day.run, 1, 'failed'))['reason'], 'result_missing');
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
  });

  it('an empty result is a result', async () => {
    const { day, tasks } = await sent(application(), 1);
    storeResult(day.app, tasks[0]!, '');
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    assert.deepEqual(sums(await day.drain()), [1, 0, 0]);
  });

  it('a result larger than allowed fails its task and is never fetched', async () => {
    const { day, tasks } = await sent(application(), 1);
    storeResult(day.app, tasks[0]!, 'x'.repeat((1 << 20) + 1));
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    assert.deepEqual(sums(await day.drain()), [0, 1, 0]);
    assert.equal(day.app.analysis.json(stateKeys.receipt(day.run, 1, 'failed'))['reason'], 'result_too_large');
    assert.equal(day.app.trace.effective('get', /output/).length, 0);
  });

  it('a delete that SQS refuses → the message comes again and is deleted then', async () => {
    const { day, tasks } = await sent(application(), 2);
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    day.app.queues.refuseNext('deleteMessages', [0]);
    const result = await day.drain({ maxSeconds: 400 });
    assert.deepEqual(sums(result), [1, 0, 1]);
    assert.equal(result.duplicates, 1);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
  });

  it('a receipt whose answer was lost is a duplicate to the next attempt', async () => {
    const { day, tasks } = await sent(application(), 1);
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    day.app.trace.fail({ method: 'createOnce', key: /receipts/, when: 'after' });
    await failsForNow(day.drain(), /injected/);
    assert.deepEqual(sums(await day.drain()), [1, 0, 0]);
    assert.deepEqual(receipts(day), ['1.done']);
  });

  it('files messages of another run under that run', async () => {
    const app = application();
    const [mine, other] = [await sent(app, 2), await sent(app, 2, 2)];
    for (const task of other.tasks) {
      storeResult(app, task);
      app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const result = await mine.day.drain({ maxSeconds: 5 });
    assert.equal(result.foreign, 2);
    assert.deepEqual(sums(result), [0, 0, 2]);
    assert.deepEqual(receipts(other.day), ['1.done', '2.done']);
    assert.deepEqual(receipts(mine.day), []);
    app.trace.clear();
    assert.deepEqual((await other.day.drain()).ready, [{ chunk: 1, done: 2 }]);
  });

  it('sees what another drain filed for its run after one long poll that brought nothing', async () => {
    const app = application();
    const [mine, other] = [await sent(app, 2), await sent(app, 2, 2)];
    app.trace.before('receive', /./, async () => {
      for (const task of mine.tasks) {
        storeResult(app, task);
        app.queues.put(DONE_QUEUE, doneMessage(task));
      }
      await other.day.drain({ maxSeconds: 1 });
    });
    const start = app.clock.now;
    assert.deepEqual((await mine.day.drain({ maxSeconds: 600 })).ready, [{ chunk: 1, done: 2 }]);
    assert.ok(app.clock.now - start <= 21_000, `after ${app.clock.now - start} ms`);
  });

  it('keeps messages of a run with a damaged plan in quarantine and goes on', async () => {
    const app = application();
    const [mine, other] = [await sent(app, 1), await sent(app, 1, 2)];
    app.analysis.store(stateKeys.plan(other.day.run), 'nonsense');
    for (const { tasks } of [other, mine]) {
      storeResult(app, tasks[0]!);
      app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    }
    assert.deepEqual(sums(await mine.day.drain()), [1, 0, 0]);
    assert.deepEqual(
      quarantined(app).map(({ reason }) => reason),
      ['damaged_plan'],
    );
  });

  it('fails for good, and keeps every message, when the plan of its own run is damaged', async () => {
    const { day, tasks } = await sent(application(), 1);
    day.app.analysis.store(stateKeys.plan(day.run), 'nonsense');
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    await failsForGood(day.drain(), FailureType.StateDamaged, /plan\.ndjson\.gz is damaged/);
    assert.equal(day.app.queues.bodies(DONE_QUEUE).length, 1);
  });

  it('a missing done queue is an error that is not tried again', async () => {
    const { day } = await sent(application(), 1);
    day.app.queues.queues.delete(DONE_QUEUE);
    await failsForGood(day.drain(), FailureType.QueueMissing, /analysis-done/);
  });

  it('stops receiving when it is cancelled', async () => {
    const { day } = await sent(application(), 1);
    const env = environment();
    day.app.trace.before('receive', /./, () => {
      env.cancel();
    });
    await endsCancelled(day.app.runIn(env, 'drainDoneQueue', day.drainInput({ maxSeconds: 3600 })));
    assert.equal(day.app.trace.calls.filter(({ method }) => method === 'receive').length, 1);
  });
});
