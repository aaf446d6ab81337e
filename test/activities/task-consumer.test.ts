/**
 * How long a task stays with an analysis worker: while it works, however long that is; no longer than the visibility when it
 * is killed; and not at all when it is told to end.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { consumeTasks, type TaskConsumer, type TaskConsumerOptions } from '../../src/analysis-worker/task-consumer.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryMessageQueues } from '../fakes/memory-message-queues.ts';

const QUEUE = 'tasks';
/** As `setup` makes the queue, for workers that do not extend. */
const QUEUE_VISIBILITY_SECONDS = 1800;
const VISIBILITY_SECONDS = 120;

let clock: ManualClock;
let trace: CallTrace;
let queues: MemoryMessageQueues;
let errors: string[];
let consumer: TaskConsumer;

beforeEach(async () => {
  clock = new ManualClock('2013-10-30T13:31:00Z', ['Date', 'setTimeout']);
  trace = new CallTrace();
  queues = new MemoryMessageQueues(trace, clock);
  await queues.create(QUEUE, {
    ...{ visibilitySeconds: QUEUE_VISIBILITY_SECONDS, delaySeconds: 0, retentionSeconds: 345_600 },
  });
  queues.put(QUEUE, 'task');
  errors = [];
});
afterEach(() => {
  mock.timers.reset();
});

/** Whatever waits for promises only has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

/** Time passes for the worker and for SQS. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1000);
    clock.advance(1);
    await settled();
  }
}

/** A long poll that waits as long as nothing is visible, instead of moving the clock. */
const receive: TaskConsumerOptions['queues']['receive'] = async (queue, options) => {
  const { signal } = options;
  const { visible } = await queues.depth(queue);
  if (visible > 0) return queues.receive(queue, { ...options, waitSeconds: 0 });
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
};

interface Given {
  readonly handle: TaskConsumerOptions['handle'];
  readonly visibilitySeconds?: number;
}

async function consume({ handle, visibilitySeconds = VISIBILITY_SECONDS }: Given): Promise<void> {
  const calls = {
    receive,
    deleteMessages: queues.deleteMessages.bind(queues),
    changeVisibility: queues.changeVisibility.bind(queues),
  };
  const onError = (error: Error): void => {
    errors.push(error.message);
  };
  consumer = consumeTasks({ queues: calls, queue: QUEUE, visibilitySeconds, handle, onError });
  await settled();
}

/** Works until it is told to end, as a thread or a processor does. */
const endless: TaskConsumerOptions['handle'] = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

const visible = async (): Promise<number> => (await queues.depth(QUEUE)).visible;

describe('a task', () => {
  it('stays with its worker for as long as it takes', async () => {
    await consume({ handle: endless });
    for (let minute = 0; minute < 20; minute += 1) {
      await pass(60);
      assert.equal(await visible(), 0, `minute ${minute}`);
    }
    assert.deepEqual(errors, []);
    await consumer.stop();
  });

  it('of a killed worker comes again after its visibility', async () => {
    await consume({ handle: endless });
    await pass(300);
    // kill -9: no timer of the worker runs from here on.
    clock.advance(VISIBILITY_SECONDS - 40 - 1);
    assert.equal(await visible(), 0);
    clock.advance(40 + 1);
    assert.equal(await visible(), 1);
  });

  it('twin: with the visibility of the queue it stays away for half an hour', async () => {
    await consume({ handle: endless, visibilitySeconds: QUEUE_VISIBILITY_SECONDS });
    await pass(300);
    clock.advance(VISIBILITY_SECONDS);
    assert.equal(await visible(), 0);
    clock.advance(QUEUE_VISIBILITY_SECONDS - VISIBILITY_SECONDS - 300 - 1);
    assert.equal(await visible(), 0);
    clock.advance(301);
    assert.equal(await visible(), 1);
  });

  it('is handed back at once when its worker is told to end, and the next one gets it', async () => {
    await consume({ handle: endless });
    await pass(1);
    assert.equal(await visible(), 0);
    await consumer.stop();
    assert.equal(await visible(), 1);
    assert.deepEqual(errors, [], 'an end is no error');
    let got = '';
    await consume({
      handle: async ({ body }) => {
        got = body;
      },
    });
    await settled();
    assert.equal(got, 'task');
    assert.deepEqual(queues.bodies(QUEUE), [], 'deleted after it was done');
    await consumer.stop();
  });

  it('that ends well although its worker was told to end is deleted', async () => {
    let finish = (): void => undefined;
    await consume({ handle: () => new Promise((resolve) => (finish = resolve)) });
    const stopped = consumer.stop();
    finish();
    await stopped;
    assert.deepEqual(queues.bodies(QUEUE), []);
  });

  it('is not lost by requests that fail: the extension is tried again until it works', async () => {
    await consume({ handle: endless });
    for (let time = 1; time <= 3; time += 1) trace.fail({ method: 'changeVisibility', error: new Error('no network') });
    await pass(VISIBILITY_SECONDS + 60);
    assert.deepEqual(errors, ['no network', 'no network', 'no network']);
    assert.equal(await visible(), 0);
    await consumer.stop();
  });

  it('that somebody else has got in the meantime is worked on to its end, without further extensions', async () => {
    let finish = (): void => undefined;
    await consume({ handle: () => new Promise((resolve) => (finish = resolve)) });
    // The worker was suspended for longer than the visibility, and another one has received the task.
    clock.advance(VISIBILITY_SECONDS + 1);
    const [other] = await queues.receive(QUEUE, { waitSeconds: 0, visibilitySeconds: 600 });
    assert.equal(other?.receiveCount, 2);
    await pass(200);
    assert.deepEqual(errors, ['A message of tasks is no longer held']);
    finish();
    await settled();
    assert.deepEqual(queues.bodies(QUEUE), ['task'], 'the other worker has it');
    assert.equal(await visible(), 0);
    await consumer.stop();
  });

  it('that fails comes again half a minute later for each time that it was received', async () => {
    await consume({ handle: () => Promise.reject(new Error('no such file')) });
    assert.deepEqual(errors, ['no such file']);
    clock.advance(29);
    assert.equal(await visible(), 0);
    clock.advance(1);
    assert.equal(await visible(), 1);
    await consumer.stop();
  });

  it('is received again after a failed receive', async () => {
    trace.fail({ method: 'depth', error: new Error('no answer') });
    const handled: string[] = [];
    await consume({
      handle: async ({ body }) => {
        handled.push(body);
      },
    });
    assert.deepEqual([errors, handled], [['no answer'], []]);
    await pass(5);
    assert.deepEqual(handled, ['task']);
    await consumer.stop();
  });
});
