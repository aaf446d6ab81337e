import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { MergeChunkResult } from '../../src/activities/merge.ts';
import type { ChunkHead } from '../../src/pipeline/aggregates/chunk-head.ts';
import { resultKey } from '../fakes/done-messages.ts';
import { stateKeys } from '../../src/state/keys.ts';
import type { TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { type Application, eachWithApplication, environment } from '../fakes/application.ts';
import { type Answer, DayRun, inputKey, resultOf } from '../fakes/day-run.ts';
import { endsCancelled, failsForNow } from '../fakes/failures.ts';

const FILES = ['nightly/28', 'nightly/28', 'aurora/27'].map((channelVersion, n) => inputKey(channelVersion, `f${n}`));
/** Aurora comes first in the listing: task 1; nightly: tasks 2 and 3. */
const TASKS = FILES.length;

async function drained(app: Application, answer?: (task: TaskMessage) => Answer): Promise<DayRun> {
  const day = new DayRun(app);
  day.storeInput(FILES);
  await day.planTasks();
  await day.enqueue();
  day.answerTasks(answer);
  await day.drain();
  app.trace.clear();
  return day;
}

function merge(day: DayRun): Promise<MergeChunkResult> {
  return day.app.run('mergeChunk', { run: day.run, chunk: 1, tasks: TASKS, chunkTasks: TASKS });
}

function head(day: DayRun, { ref }: MergeChunkResult): ChunkHead {
  return day.app.analysis.json(stateKeys.chunk(day.run, ref)) as unknown as ChunkHead;
}

const resultOfTask = (day: DayRun, number: number): string => resultKey(`${day.run.runId}/${number}`);

describe('mergeChunk', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, chunkTasks: TASKS });

  it('merges the results of its tasks into one part per channel/version', async () => {
    const day = await drained(application());
    const result = await merge(day);
    assert.deepEqual(result, { ref: { chunk: 1, done: 3, failed: 0 }, done: 3, failed: 0, missing: 0 });
    assert.deepEqual(
      head(day, result).parts.map(({ channelVersion, slots }) => [channelVersion, slots]),
      [
        ['aurora/27', 1],
        ['nightly/28', 1],
      ],
    );
    assert.equal(head(day, result).records, 3);
  });

  it('uses a stored head again and fetches nothing', async () => {
    const day = await drained(application());
    const first = await merge(day);
    day.app.trace.clear();
    assert.deepEqual(await merge(day), first);
    assert.equal(day.app.trace.effective('getToFile').length, 0);
    assert.equal(day.app.trace.effective('createOnce').length, 0);
  });

  for (const lost of [/chunks\/1-3-0\/nightly/, /chunks\/1-3-0\.json/]) {
    it(`the retry after a lost answer at ${String(lost)} ends in the same head`, async () => {
      const day = await drained(application());
      day.app.trace.fail({ method: 'createOnce', key: lost, when: 'after' });
      await failsForNow(merge(day), /injected/);
      const before = day.app.analysis.keys(`${day.run.prefix}chunks/1-3-0/`);
      const result = await merge(day);
      assert.equal(result.done, 3);
      for (const key of before) assert.ok(day.app.analysis.keys(`${day.run.prefix}chunks/`).includes(key));
      assert.equal(head(day, result).parts.length, 2);
    });
  }

  for (const [what, ignoresConditions] of [
    ['', false],
    [' on a store that ignores If-Match', true],
  ] as const) {
    it(`a result that was written again since its receipt is not counted, the others are${what}`, async () => {
      const day = await drained(application());
      const { analysis } = day.app;
      analysis.store(resultOfTask(day, 2), resultOf([FILES[0]!], 'CYCLE_COLLECTOR'));
      if (ignoresConditions) {
        const getToFile = analysis.getToFile.bind(analysis);
        mock.method(analysis, 'getToFile', (key: string, path: string) => getToFile(key, path));
      }
      const result = await merge(day);
      assert.deepEqual(result, { ref: { chunk: 1, done: 3, failed: 0 }, done: 2, failed: 1, missing: 0 });
      assert.deepEqual(head(day, result).failed, [{ number: 2, reason: 'result_changed' }]);
      assert.equal(head(day, result).records, 2, 'the report of the receipt does not describe what is stored now');
      assert.equal(head(day, result).parts.find(({ channelVersion }) => channelVersion === 'nightly/28')?.slots, 1);
    });
  }

  it('a result that was made too large since its receipt is not fetched', async () => {
    const day = await drained(application());
    day.app.analysis.store(resultOfTask(day, 2), 'x'.repeat(day.app.settings.maxResultBytes + 1));
    assert.deepEqual(head(day, await merge(day)).failed, [{ number: 2, reason: 'result_changed' }]);
  });

  it('a result that is gone counts as failed, and planned = done + failed + missing', async () => {
    const day = await drained(application(), ({ id }) => ({ silent: id.endsWith('/3') }));
    await day.app.analysis.delete([resultOfTask(day, 1)]);
    const result = await merge(day);
    assert.deepEqual([result.done, result.failed, result.missing], [1, 1, 1]);
    assert.deepEqual(head(day, result).failed, [{ number: 1, reason: 'result_missing' }]);
    assert.deepEqual(head(day, result).missing, [3]);
  });

  it('a result that breaks a rule is left out whole, quarantined and counted as failed', async () => {
    const bad = `${resultOf([FILES[0]!])}nightly/28/GC_MS/by-foo\t{}\n`;
    const day = await drained(application(), ({ id }) => (id.endsWith('/2') ? { result: bad } : {}));
    const result = await merge(day);
    assert.deepEqual([result.done, result.failed, result.missing], [2, 1, 0]);
    assert.deepEqual(head(day, result).failed, [{ number: 2, reason: 'result_rejected' }]);
    assert.equal(head(day, result).records, 2);
    const [key = 'nothing'] = day.app.analysis.keys('state/quarantine/');
    const entry = day.app.analysis.json(key);
    assert.equal(entry['what'], 'result');
    assert.equal(entry['content'], `s3://analysis/${resultOfTask(day, 2)}`);
  });

  it('a failed receipt keeps its reason', async () => {
    const day = await drained(application(), ({ id }) => ({ aborted: id.endsWith('/1') }));
    const result = await merge(day);
    assert.deepEqual(result.ref, { chunk: 1, done: 2, failed: 1 });
    assert.deepEqual(head(day, result).failed, [{ number: 1, reason: 'aborted' }]);
  });

  it('a chunk that gained a result since is merged under another name', async () => {
    const app = application();
    const day = await drained(app, ({ id }) => ({ aborted: id.endsWith('/1') }));
    const first = await merge(day);
    app.analysis.store(resultOfTask(day, 1), resultOf([FILES[2]!]));
    const { etag } = await app.analysis.get(resultOfTask(day, 1));
    const receipt = { id: `${day.run.runId}/1`, outcome: 'done', etag };
    app.analysis.store(stateKeys.receipt(day.run, 1, 'done'), JSON.stringify(receipt));
    const second = await merge(day);
    assert.deepEqual([second.done, second.failed], [3, 0]);
    assert.notDeepEqual(second.ref, first.ref);
    assert.equal(head(day, first).done.length, 2);
  });

  it('what workers skipped is added up over the good results only', async () => {
    const day = await drained(application(), ({ id }) => ({
      report: { skipped: { bad_json: 1 } },
      ...(id.endsWith('/2') && { result: 'nonsense\n' }),
    }));
    assert.deepEqual(head(day, await merge(day)).skipped, { bad_json: 2 });
  });

  it('fetches nothing more once it is cancelled, and leaves no head', async () => {
    const day = await drained(application());
    const env = environment();
    day.app.trace.before('getToFile', /result/, () => {
      env.cancel();
    });
    await endsCancelled(day.app.runIn(env, 'mergeChunk', { run: day.run, chunk: 1, tasks: TASKS, chunkTasks: TASKS }));
    assert.deepEqual(day.app.analysis.keys(`${day.run.prefix}chunks/`), []);
  });
});
