/** What the drain does with messages that break the protocol, and with more of them than the quarantine takes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DrainResult } from '../../src/activities/drain.ts';
import { outputPrefix } from '../fakes/done-messages.ts';
import { stateKeys } from '../../src/state/keys.ts';
import type { TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DONE_QUEUE } from '../fakes/names.ts';
import { doneMessage, runId } from '../fakes/day-run.ts';
import { failsForNow } from '../fakes/failures.ts';
import { quarantined, sent, storeResult } from '../fakes/sent-run.ts';

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const base64Text = (text: string): string => Buffer.from(text).toString('base64');
const sums = ({ done, failed, missing }: DrainResult): number[] => [done, failed, missing];

describe('drainDoneQueue, messages that break the protocol', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  const poison: readonly [title: string, reason: string, body: (task: TaskMessage, good: object) => string][] = [
    ['32: body not base64', 'not_base64', () => '!!not base64!!'],
    ['33: base64 of non-JSON', 'bad_json', () => Buffer.from('{"id":').toString('base64')],
    ['33: base64 of a JSON array', 'bad_json', () => base64([1])],
    ['33: no id', 'bad_message', (_, good) => base64({ ...good, id: undefined })],
    ['33: no files', 'bad_message', (_, good) => base64({ ...good, files: undefined })],
    ['33: files that are no texts', 'bad_message', (_, good) => base64({ ...good, files: [1] })],
    ['36: no target-prefix', 'bad_message', (_, good) => base64({ ...good, 'target-prefix': undefined })],
    ['37: another bucket form', 'bad_prefix', (_, good) => base64({ ...good, 'target-prefix': 's3://other/output/' })],
    ['an id with a path in it', 'bad_message', (_, good) => base64({ ...good, id: '../../secret/1' })],
    ['45: a run nobody planned here', 'unknown_run', (_, good) => base64(withId(good, `${runId(77)}/1`))],
    ['a task that the plan does not have', 'unknown_task', (_, good) => base64(withId(good, `${runId(1)}/99`))],
    ['files that are not those of the plan', 'files_differ', (_, good) => base64({ ...good, files: ['a/b'] })],
  ];
  const withId = (good: object, id: string): object => ({ ...good, id, 'target-prefix': outputPrefix(id) });

  for (const [title, reason, body] of poison) {
    it(`${title} → quarantine with its reason, deleted, and the next message is handled`, async () => {
      const { day, tasks } = await sent(application(), 1);
      const [task] = tasks;
      storeResult(day.app, task!);
      const good = JSON.parse(Buffer.from(doneMessage(task!), 'base64').toString()) as object;
      const bad = body(task!, good);
      day.app.queues.put(DONE_QUEUE, bad);
      day.app.queues.put(DONE_QUEUE, doneMessage(task!));
      const result = await day.drain();
      assert.deepEqual(sums(result), [1, 0, 0]);
      assert.equal(result.quarantined, 1);
      const [entry, ...others] = quarantined(day.app);
      assert.deepEqual(others, []);
      assert.equal(entry?.reason, reason);
      assert.equal(entry.content, bad);
      assert.match(entry.message, /analysis-done/);
      assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
    });
  }

  it('a quarantine object that cannot be stored keeps the message on the queue', async () => {
    const { day } = await sent(application(), 1);
    day.app.queues.put(DONE_QUEUE, 'poison!');
    day.app.trace.fail({ method: 'createOnce', key: /quarantine/ });
    await failsForNow(day.drain(), /injected/);
    assert.equal(day.app.queues.bodies(DONE_QUEUE).length, 1);
  });

  it('an error over one message costs no other of its batch anything', async () => {
    const { day, tasks } = await sent(application(), 5);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    day.app.trace.fail({ method: 'createOnce', key: /receipts\/1\.done/ });
    await failsForNow(day.drain(), /injected/);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), [doneMessage(tasks[0]!)]);
    const receipts = [2, 3, 4, 5].map((number) => stateKeys.receipt(day.run, number, 'done'));
    assert.deepEqual(day.app.analysis.keys(stateKeys.receipts(day.run)).toSorted(), receipts);
  });

  it('a message nested 5,000 deep is quarantined, and the good ones beside it count', async () => {
    const { day, tasks } = await sent(application(), 1);
    for (const member of ['id', 'target-prefix'])
      day.app.queues.put(DONE_QUEUE, `{"${member}":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const drained = await day.drain({ maxSeconds: 5 });
    assert.deepEqual([drained.done, drained.quarantined], [1, 2]);
  });

  it('the same poison twice is one object', async () => {
    const { day } = await sent(application(), 1);
    for (let copy = 0; copy < 2; copy += 1) day.app.queues.put(DONE_QUEUE, 'poison!');
    assert.equal((await day.drain({ maxSeconds: 5 })).quarantined, 2);
    assert.equal(quarantined(day.app).length, 1);
  });

  const friendly: readonly [title: string, body: (good: Record<string, unknown>) => string][] = [
    ['34: plain JSON body', (good) => JSON.stringify(good)],
    ['37: target-prefix without its final slash', (good) => base64(changed(good, (prefix) => prefix.slice(0, -1)))],
    [
      '39: a repeated key',
      (good) => base64({ ...good, files: [...(good['files'] as string[]), ...(good['files'] as string[])] }),
    ],
    ['40: unknown extra fields', (good) => base64({ ...good, later: { version: 9 } })],
  ];
  const changed = (good: Record<string, unknown>, change: (prefix: string) => string): object => ({
    ...good,
    'target-prefix': change(String(good['target-prefix'])),
  });

  for (const [title, body] of friendly) {
    it(`${title} → accepted`, async () => {
      const { day, tasks } = await sent(application(), 1);
      storeResult(day.app, tasks[0]!);
      const good = JSON.parse(Buffer.from(doneMessage(tasks[0]!), 'base64').toString()) as Record<string, unknown>;
      day.app.queues.put(DONE_QUEUE, body(good));
      assert.deepEqual(sums(await day.drain()), [1, 0, 0]);
      assert.deepEqual(quarantined(day.app), []);
    });
  }

  const forged: readonly unknown[] = [
    '',
    '/',
    '.',
    '..',
    '../',
    'output/',
    'output/../state/',
    `output/${runId(1)}/1/../2/`,
    `output/${runId(1)}/2/`,
    `output/${runId(2)}/1/`,
    `/output/${runId(1)}/1/`,
    `output//${runId(1)}/1/`,
    `output/${runId(1)}/1//`,
    `output/${runId(1)}/1/\u0000`,
    `OUTPUT/${runId(1)}/1/`,
    `s3://analysis/output/${runId(1)}/1/`,
    'state/ledgers/',
    'v7/versions.json',
    `output%2F${runId(1)}%2F1%2F`,
    0,
    true,
    ['output/'],
    { toString: 'output/' },
  ];
  for (const prefix of forged) {
    it(`forged target-prefix ${JSON.stringify(prefix)} touches no key but those of its own task`, async () => {
      const { day, tasks } = await sent(application(), 1);
      const good = JSON.parse(Buffer.from(doneMessage(tasks[0]!), 'base64').toString()) as object;
      day.app.queues.put(DONE_QUEUE, base64({ ...good, 'target-prefix': prefix }));
      assert.equal((await day.drain({ maxSeconds: 5 })).quarantined, 1);
      assert.deepEqual(
        quarantined(day.app).map(({ reason }) => reason),
        ['bad_prefix'],
      );
      const expected = ['state/quarantine/', 'state/quarantine-hours/', 'state/run-index/', day.run.prefix, DONE_QUEUE];
      for (const { key } of day.app.trace.calls) {
        assert.ok(
          expected.some((start) => key.startsWith(start)),
          key,
        );
      }
    });
  }

  it('a message without files is refused when the plan has some for its task', async () => {
    const { day, tasks } = await sent(application(), 1);
    const good = JSON.parse(Buffer.from(doneMessage(tasks[0]!), 'base64').toString()) as object;
    day.app.queues.put(DONE_QUEUE, base64({ ...good, files: [] }));
    assert.equal((await day.drain({ maxSeconds: 5 })).quarantined, 1);
    assert.deepEqual(
      quarantined(day.app).map(({ reason }) => reason),
      ['files_differ'],
    );
  });
});

describe('drainDoneQueue, more bad messages than the quarantine takes in an hour', () => {
  const application = eachWithApplication({
    pack: { maxFiles: 0, maxBytes: 1000 },
    quarantine: { perHour: 3, pauseSeconds: 0 },
  });
  const flood = (app: Application, count: number, from = 0): void => {
    for (let each = 0; each < count; each += 1) app.queues.put(DONE_QUEUE, `junk ${from + each}`);
  };
  const junk = (app: Application): number => app.queues.bodies(DONE_QUEUE).filter((body) => /junk/.test(body)).length;

  it('keeps as many as the cap says, leaves the others on the queue, and says so at once', async () => {
    const { day, tasks } = await sent(application(), 2);
    flood(day.app, 8);
    storeResult(day.app, tasks[0]!);
    day.app.queues.put(DONE_QUEUE, doneMessage(tasks[0]!));
    const result = await day.drain({ maxSeconds: 600 });
    assert.deepEqual([result.quarantined, result.held, ...sums(result)], [3, 5, 1, 0, 1]);
    assert.equal(quarantined(day.app).length, 3);
    assert.equal(junk(day.app), 5);
    assert.equal(day.app.metrics.values.get('telemetry_held_messages'), 5);
  });

  it('once that is known, good messages behind the flood still get in', async () => {
    const { day, tasks } = await sent(application(), 2);
    flood(day.app, 25);
    for (const task of tasks) {
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const result = await day.drain({ maxSeconds: 600, heldIsKnown: true });
    assert.deepEqual(sums(result), [2, 0, 0]);
    assert.equal(junk(day.app), 22);
  });

  it('another drain, or another attempt, has no budget of its own; the next hour has', async () => {
    const { day } = await sent(application(), 1);
    flood(day.app, 4);
    assert.equal((await day.drain({ maxSeconds: 5 })).quarantined, 3);
    flood(day.app, 2, 100);
    const second = await day.drain({ maxSeconds: 5 });
    assert.deepEqual([second.quarantined, second.held], [0, 2]);
    day.app.clock.advance(3600);
    const later = await day.drain({ maxSeconds: 5 });
    assert.deepEqual([later.quarantined, later.held], [3, 0]);
    assert.equal(junk(day.app), 0);
  });

  it('the same poison over and over costs the budget once', async () => {
    const { day } = await sent(application(), 1);
    for (let copy = 0; copy < 9; copy += 1) flood(day.app, 1);
    const result = await day.drain({ maxSeconds: 5 });
    assert.deepEqual([result.quarantined, result.held, junk(day.app)], [9, 0, 0]);
  });

  it('counts no more than the cap when it looks for what is spent', async () => {
    const { day } = await sent(application(), 1);
    day.app.analysis.pageSize = 2;
    const hour = new Date().toISOString().slice(0, 13);
    for (let mark = 0; mark < 50; mark += 1)
      day.app.analysis.store(stateKeys.quarantineMark(hour, String(mark).padStart(64, '0')), '');
    flood(day.app, 1);
    assert.equal((await day.drain({ maxSeconds: 5 })).held, 1);
    assert.equal(day.app.trace.effective('list', /quarantine-hours/).length, 2);
  });
});

describe('drainDoneQueue, messages that break a parser', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, chunkTasks: 100 });

  it('60 messages that no parser survives are quarantined, and all good ones between them count', async () => {
    const { day, tasks } = await sent(application(), 30);
    const deep = (index: number): string => `${'['.repeat(5000 + index)}${']'.repeat(5000 + index)}`;
    for (let index = 0; index < 60; index += 1) {
      // Two for each good one, so that all of them come before the last good one ends the drain.
      day.app.queues.put(DONE_QUEUE, base64Text(`{"id":${deep(index)}}`));
      const task = tasks[(index - 1) / 2];
      if (task === undefined) continue;
      storeResult(day.app, task);
      day.app.queues.put(DONE_QUEUE, doneMessage(task));
    }
    const drained = await day.drain({ maxSeconds: 5 });
    assert.deepEqual([...sums(drained), drained.quarantined], [30, 0, 0, 60]);
    assert.deepEqual(day.app.queues.bodies(DONE_QUEUE), []);
  });
});
