import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { resultKey } from '../fakes/done-messages.ts';
import { parseReceipt } from '../../src/pipeline/done-queue/receipt.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { decodeTaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { type Application, eachWithApplication, environment } from '../fakes/application.ts';
import { TASK_QUEUE } from '../fakes/names.ts';
import { DayRun, inputKey, resultOf } from '../fakes/day-run.ts';
import { eventually } from '../fakes/eventually.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';

const TASKS = 25;

async function planned(app: Application, tasks = TASKS, name = 'f'): Promise<DayRun> {
  const day = new DayRun(app);
  day.storeInput(
    Array.from({ length: tasks }, (_, file) => inputKey('nightly/28', `${name}${String(file).padStart(3, '0')}`)),
  );
  await day.planTasks();
  app.trace.clear();
  return day;
}

function numbers(app: Application): number[] {
  return app.queues.bodies(TASK_QUEUE).map((body) => Number(decodeTaskMessage(body).id.split('/')[1]));
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe('enqueueTasks', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('sends every task once, in batches of at most ten', async () => {
    const day = await planned(application());
    assert.deepEqual(await day.enqueue(), { tasks: TASKS, resumedAt: 0 });
    assert.deepEqual(numbers(day.app), upTo(TASKS));
    assert.equal(day.app.trace.effective('send').length, 3);
  });

  it('closes a batch that would be larger than a message may be', async () => {
    const app = application();
    app.queues.maxBytes = 8000;
    const day = await planned(app, TASKS, 'f'.repeat(700));
    await day.enqueue();
    assert.deepEqual(numbers(app), upTo(TASKS));
    assert.ok(app.trace.effective('send').length > 3);
  });

  it('resumes behind the task that the last heartbeat named', async () => {
    const day = await planned(application());
    const result = await day.app.run(
      'enqueueTasks',
      { run: day.run, taskQueue: TASK_QUEUE },
      { attempt: 2, heartbeatDetails: { sent: 20 } },
    );
    assert.deepEqual(result, { tasks: 5, resumedAt: 20 });
    assert.deepEqual(numbers(day.app), upTo(25, 21));
  });

  it('its heartbeats never name a task that is not on the queue, and never one less than an earlier attempt did', async () => {
    const day = await planned(application());
    const env = environment({ attempt: 2, heartbeatDetails: { sent: 10 } });
    const beats: number[] = [];
    env.on('heartbeat', ({ sent }: { sent: number }) => {
      beats.push(sent);
      assert.ok(sent <= 10 || numbers(day.app).includes(sent));
    });
    await day.app.runIn(env, 'enqueueTasks', { run: day.run, taskQueue: TASK_QUEUE });
    assert.ok(beats.every((sent) => sent >= 10));
    assert.equal(beats.at(-1), TASKS);
  });

  for (const details of [undefined, null, 7, 'x', {}, { sent: '20' }, { next: 20 }]) {
    it(`starts over when the heartbeat was ${JSON.stringify(details)}`, async () => {
      const day = await planned(application(), 3);
      const input = { run: day.run, taskQueue: TASK_QUEUE };
      assert.equal((await day.app.run('enqueueTasks', input, { heartbeatDetails: details })).tasks, 3);
    });
  }

  it('a partial refusal by SQS fails the attempt with nothing of its batch noted as sent', async () => {
    const day = await planned(application());
    day.app.queues.refuseNext('send', []);
    day.app.queues.refuseNext('send', [3]);
    const env = environment();
    const beats: number[] = [];
    env.on('heartbeat', ({ sent }: { sent: number }) => beats.push(sent));
    await assert.rejects(day.app.runIn(env, 'enqueueTasks', { run: day.run, taskQueue: TASK_QUEUE }), {
      type: FailureType.SqsRefused,
      nonRetryable: false,
    });
    assert.equal(Math.max(...beats), 10);
    const input = { run: day.run, taskQueue: TASK_QUEUE };
    await day.app.run('enqueueTasks', input, { attempt: 2, heartbeatDetails: { sent: 10 } });
    assert.deepEqual(
      [...new Set(numbers(day.app))].sort((a, b) => a - b),
      upTo(TASKS),
    );
  });

  it('a missing queue is an error that is not tried again', async () => {
    const day = await planned(application());
    day.app.queues.queues.delete(TASK_QUEUE);
    await failsForGood(day.enqueue(), FailureType.QueueMissing, /analysis-tasks/);
  });

  it('a damaged plan is an error that is not tried again', async () => {
    const day = await planned(application());
    const key = stateKeys.plan(day.run);
    const { body } = await day.app.analysis.get(key);
    for (const damaged of [body.subarray(0, body.length - 20), Buffer.from('nonsense'), Buffer.alloc(0)]) {
      day.app.analysis.store(key, damaged);
      await failsForGood(day.enqueue(), FailureType.StateDamaged, /plan/);
    }
  });

  it('sends no further batch once it is cancelled', async () => {
    const day = await planned(application(), 200);
    const env = environment();
    env.on('heartbeat', ({ sent }: { sent: number }) => {
      if (sent >= 10) env.cancel();
    });
    await endsCancelled(day.app.runIn(env, 'enqueueTasks', { run: day.run, taskQueue: TASK_QUEUE }));
    assert.deepEqual(numbers(day.app), upTo(80), 'those that were on their way');
  });

  it('has several batches on their way; a heartbeat names a task only when all before it are on the queue', async () => {
    const day = await planned(application(), 200);
    const { queues } = day.app;
    const env = environment();
    const beats: number[] = [];
    env.on('heartbeat', ({ sent }: { sent: number }) => beats.push(sent));
    const answers: (() => void)[] = [];
    const send = queues.send.bind(queues);
    queues.send = async (...args) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return send(...args);
    };
    const enqueued = day.app.runIn(env, 'enqueueTasks', { run: day.run, taskQueue: TASK_QUEUE });
    await eventually(async () => {
      assert.equal(answers.length, 8);
    });
    for (const later of answers.slice(1)) later();
    await eventually(async () => {
      assert.equal(numbers(day.app).length, 70);
    });
    assert.equal(Math.max(...beats), 0, 'the first batch is still on its way');
    queues.send = send;
    answers[0]?.();
    assert.deepEqual(await enqueued, { tasks: 200, resumedAt: 0 });
    assert.equal(beats.at(-1), 200);
    assert.deepEqual(
      numbers(day.app).sort((a, b) => a - b),
      upTo(200),
    );
  });
});

describe('recoverStragglers', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  async function stragglers(app: Application): Promise<DayRun> {
    const day = await planned(app, 5);
    app.analysis.store(stateKeys.receipt(day.run, 1, 'done'), JSON.stringify({ id: `${day.run.runId}/1`, etag: 'e' }));
    app.analysis.store(stateKeys.receipt(day.run, 2, 'failed'), JSON.stringify({ id: 'x', outcome: 'failed' }));
    app.analysis.store(resultKey(`${day.run.runId}/3`), resultOf([inputKey('nightly/28', 'f002')]));
    return day;
  }

  it('files a result whose message never came and sends only the others again', async () => {
    const day = await stragglers(application());
    const input = { run: day.run, taskQueue: TASK_QUEUE, tasks: 5, resend: true };
    assert.deepEqual(await day.app.run('recoverStragglers', input), { recovered: 1, resent: 2 });
    assert.deepEqual(numbers(day.app), [4, 5]);
    const receipt = parseReceipt(day.app.analysis.text(stateKeys.receipt(day.run, 3, 'done')));
    assert.equal(receipt.outcome, 'done');
    assert.ok(receipt.size > 0);
  });

  it('files a result that is larger than results may be as failed, as it is when its message comes', async () => {
    const day = await stragglers(application());
    const { maxResultBytes } = day.app.settings;
    day.app.analysis.store(resultKey(`${day.run.runId}/3`), 'x'.repeat(maxResultBytes + 1));
    await day.app.run('recoverStragglers', { run: day.run, taskQueue: TASK_QUEUE, tasks: 5, resend: false });
    const { outcome, reason } = parseReceipt(day.app.analysis.text(stateKeys.receipt(day.run, 3, 'failed')));
    assert.deepEqual([outcome, reason], ['failed', 'result_too_large']);
  });

  it('only looks when told not to send', async () => {
    const day = await stragglers(application());
    const input = { run: day.run, taskQueue: TASK_QUEUE, tasks: 5, resend: false };
    assert.deepEqual(await day.app.run('recoverStragglers', input), { recovered: 1, resent: 0 });
    assert.equal(day.app.trace.effective('send').length, 0);
  });

  it('heartbeats although it finds nothing', async () => {
    const day = await planned(application(), 5);
    const env = environment();
    let beats = 0;
    env.on('heartbeat', () => (beats += 1));
    await day.app.runIn(env, 'recoverStragglers', { run: day.run, taskQueue: TASK_QUEUE, tasks: 5, resend: false });
    assert.ok(beats > 0);
  });

  it('may be repeated after its answer was lost', async () => {
    const day = await stragglers(application());
    const input = { run: day.run, taskQueue: TASK_QUEUE, tasks: 5, resend: true };
    day.app.trace.fail({ method: 'send', when: 'after' });
    await failsForNow(day.app.run('recoverStragglers', input), /injected/);
    assert.deepEqual(await day.app.run('recoverStragglers', input), { recovered: 0, resent: 2 });
  });
});
