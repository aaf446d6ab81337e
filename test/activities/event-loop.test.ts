/** What grows with the files of a day is done in the worker threads, or in pieces: a heartbeat is never late for it. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Activities, createActivities } from '../../src/activities/index.ts';
import { planLine } from '../../src/pipeline/task-queue/plan.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { compressedTasks, createPlan } from '../../src/state/plan.ts';
import { createThreadPool } from '../../src/threads/pool.ts';
import { type Application, eachWithApplication, environment, PREFIX } from '../fakes/application.ts';
import { DayRun, inputKey, runId } from '../fakes/day-run.ts';
import { atScale } from '../fakes/at-scale.ts';
import { longestTurn } from '../fakes/event-loop-turns.ts';

const MAX_TURN_MS = 200;
const KEYS = atScale ? 300_000 : 60_000;
const TASK_KEYS = 200;
const TASKS = KEYS / TASK_KEYS;
const CHUNK_TASKS = 100;
const CHUNKS = TASKS / CHUNK_TASKS;
/** Every twentieth file of a task could not be read; the first task of a chunk was lost. */
const UNREAD_EVERY = 20;

/** In no order. */
const KEY = Array.from({ length: KEYS }, (_, index) => inputKey('nightly/28', `f-${(index * 7919) % KEYS}`));
const filesOf = (number: number): string[] => KEY.slice((number - 1) * TASK_KEYS, number * TASK_KEYS);
const isLost = (number: number): boolean => number % CHUNK_TASKS === 1;
const isUnread = (_: string, index: number): boolean => index % UNREAD_EVERY === 0;

const unreadOf = (number: number): string[] => filesOf(number).filter(isUnread);

const signal = new AbortController().signal;
const skip = typeof process.threadCpuUsage === 'function' ? false : 'this Node does not tell the CPU time of a thread';

describe('the event loop of a worker', { skip }, () => {
  const application = eachWithApplication();
  const threads = createThreadPool(1);
  after(() => threads.close());

  /** Runs an activity with threads as the worker does. */
  async function withoutBlocking<Name extends keyof Activities>(
    app: Application,
    name: Name,
    input: Parameters<Activities[Name]>[0],
  ): Promise<Awaited<ReturnType<Activities[Name]>>> {
    type Result = Awaited<ReturnType<Activities[Name]>>;
    const activity = createActivities({ ...app.ports(), threads })[name] as (given: typeof input) => Promise<Result>;
    const { ms, value } = await longestTurn(() =>
      environment().run<[typeof input], Result, typeof activity>(activity, input),
    );
    assert.ok(ms < MAX_TURN_MS, `${name} held it for ${ms} ms`);
    return value;
  }

  it(`is free while a day of ${KEYS} files is built, committed and shown`, async () => {
    const app = application();
    const day = new DayRun(app);
    const tasks = Array.from({ length: TASKS }, (_, index) => index + 1);
    await storePlan(day, tasks);
    const chunks = storeChunks(day);
    const input = { run: day.run, day: day.day, tasks: TASKS, chunks };
    const { files, done } = await withoutBlocking(app, 'buildContribution', input);

    const read = (number: number): string[] => filesOf(number).filter((key, index) => !isUnread(key, index));
    const lost = (number: number): string[] =>
      isLost(number)
        ? filesOf(number).map((key) => `${key}\tno_result`)
        : unreadOf(number).map((key) => `${key}\tbad_container`);
    const processed = tasks.flatMap((number) => (isLost(number) ? [] : read(number))).toSorted();
    const missing = tasks.flatMap(lost).toSorted();
    assert.equal(done, TASKS - CHUNKS);
    assert.deepEqual(files, { processed: processed.length, missing: missing.length, partial: 0 });
    const { filesProcessedKey, filesMissingKey } = app.analysis.json(stateKeys.contribution(day.run));
    const [processedText, missingText] = [asText(processed), asText(missing)];
    // Whole texts in a message would be too long.
    assert.ok(app.analysis.text(String(filesProcessedKey)) === processedText);
    assert.ok(app.analysis.text(String(filesMissingKey)) === missingText);

    const publication = { run: day.run, attempt: 1, commit: 'commit-1' };
    // Not measured: the test runner follows every promise, and this one reads a list, in pieces, with one for each key.
    await app.run('planPublication', publication);
    assert.equal((await withoutBlocking(app, 'commitDataset', publication)).outcome, 'committed');
    await withoutBlocking(app, 'updateProjections', undefined);
    assert.ok(app.published.text(`${PREFIX}FILES_PROCESSED`) === processedText);
    assert.ok(app.published.text(`${PREFIX}FILES_MISSING`) === missingText.replaceAll(/\t.*/g, ''));
  });

  it('is free while the plan of a round with as many files is compressed', async () => {
    const tasks = Array.from({ length: TASKS }, (_, index) => ({
      ...{ id: `${runId(1)}/${index + 1}`, size: 0 },
      files: filesOf(index + 1),
    }));
    const { ms, value } = await longestTurn(() => compressedTasks(tasks));
    assert.ok(ms < MAX_TURN_MS, `it was held for ${ms} ms`);
    assert.ok(gunzipSync(value).toString() === asText(tasks.map(planLine)));
  });
});

function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

async function storePlan(day: DayRun, tasks: readonly number[]): Promise<void> {
  const { runId } = day.run;
  const lines = tasks.map((number) => planLine({ id: `${runId}/${number}`, files: filesOf(number), size: TASK_KEYS }));
  const head = {
    ...{ runId, day: day.day, filter: null, job: { name: 'd', owner: 'o', code: 'c', targetQueue: 'q' } },
    limits: { maxFiles: TASK_KEYS, maxBytes: 1, maxMessageBytes: 1 },
    ...{ files: KEYS, tasks: tasks.length, bytes: KEYS, skipped: {}, missingKeys: [] },
  };
  await createPlan(day.app.analysis, day.run, head, gzipSync(asText(lines)), signal);
}

/** Heads without slots: what merging them costs is in the threads already. */
function storeChunks(day: DayRun): { chunk: number; done: number; failed: number }[] {
  return Array.from({ length: CHUNKS }, (_, index) => {
    const numbers = Array.from({ length: CHUNK_TASKS }, (__, task) => index * CHUNK_TASKS + task + 1);
    const good = numbers.filter((number) => !isLost(number));
    const ref = { chunk: index + 1, done: good.length, failed: 0 };
    const head = {
      chunk: index + 1,
      done: good.map((number) => ({ number, etag: `"${number}"` })),
      ...{ failed: [], missing: numbers.filter(isLost), parts: [] },
      filesFailed: good.flatMap((number) =>
        filesOf(number)
          .filter(isUnread)
          .map((key) => ({ key, reason: 'bad_container' })),
      ),
      ...{ filesPartial: [], records: 1, skipped: {}, badHistograms: {}, dropped: {} },
    };
    day.app.analysis.store(stateKeys.chunk(day.run, ref), JSON.stringify(head));
    return ref;
  });
}
