import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MANIFEST_NAME } from '../../src/pipeline/dataset/manifest.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { assertWhole, assertWrittenOnce, snapshotOf, submissionsOf, versionsOf } from '../fakes/published-space.ts';

const FILES = Array.from({ length: 6 }, (_, n) => inputKey(n % 3 === 0 ? 'aurora/27' : 'nightly/28', `f${n}`));

/** A run in which messages come in a given order, some of them twice. */
async function published(app: Application, number: number, order: readonly number[]): Promise<DayRun> {
  const day = new DayRun(app, number);
  day.storeInput(FILES);
  await day.planTasks();
  await day.enqueue();
  const sent = app.queues.drain(TASK_QUEUE);
  for (const index of order) app.queues.put(TASK_QUEUE, sent[index] ?? '');
  day.answerTasks();
  await day.contribute();
  return day;
}

function shown(app: Application): unknown {
  return [...versionsOf(app).folders.keys()].map((name) => [
    name,
    [...snapshotOf(app, name)].filter(([file]) => file !== MANIFEST_NAME),
  ]);
}

describe('a whole day over fakes', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('I9: any order and any repetition of deliveries publishes the same bytes', async () => {
    const app = application();
    const first = await published(app, 1, [0, 1, 2, 3, 4, 5]);
    await first.publish();
    const expected = shown(app);
    let number = 1;
    const orders = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5], { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        app.queues.drain(DONE_QUEUE);
        app.clock.advance(60);
        const again = await published(app, (number += 1), order);
        await again.publish();
        assert.deepEqual(shown(app), expected);
      }),
      { numRuns: 10 },
    );
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it('I3: faults at any one write, and a retry of that stage, publish what an undisturbed run does', async () => {
    const app = application();
    const keys = [
      /plan\.ndjson/,
      /run-index/,
      /receipts/,
      /chunks/,
      /segments/,
      /contribution/,
      /publications/,
      /ledgers/,
      /v7\//,
    ];
    for (const [index, key] of keys.entries()) {
      for (const when of ['before', 'after'] as const) {
        app.clock.advance(60);
        const day = new DayRun(app, 2 * index + (when === 'before' ? 100 : 101));
        app.trace.fail({ method: 'createOnce', key, when });
        const stage = async <T>(work: () => Promise<T>): Promise<T> => {
          try {
            return await work();
          } catch (error) {
            assert.match(String(error), /injected/);
            return work();
          }
        };
        day.storeInput(FILES);
        await stage(() => day.planTasks());
        await day.enqueue();
        day.answerTasks();
        await stage(() => day.contribute());
        await stage(() => day.stage());
        await stage(() => day.commit());
        assert.equal(submissionsOf(app, 'nightly/28'), 4);
        assert.equal(submissionsOf(app, 'aurora/27'), 2);
        assertWhole(app);
      }
    }
    assert.equal(versionsOf(app).folders.size, 2);
  });

  it('the report of a run lies beside its state and warns about what deserves a look', async () => {
    const day = new DayRun(application());
    const { runId, planAt, channelVersions, ...counts } = await day.analyse(FILES, ({ id }) => ({
      aborted: id.endsWith('/1'),
    }));
    await day.publish();
    const { report, warnings } = await day.app.run('writeReport', {
      run: day.run,
      day: DAY,
      plan: day.plan ?? assert.fail(),
      counts,
      publication: { decision: 'published', seq: 1, attempt: null },
    });
    assert.equal(report, `s3://analysis/${day.run.prefix}report.json`);
    assert.deepEqual(warnings, [
      `1 analysis task of ${DAY} gave no result (given up by the worker); "telemetry files ${DAY} --missing" names the files`,
      `1 input file of ${DAY} could not be read (given up by the worker); "telemetry files ${DAY} --missing" names it`,
    ]);
    assert.deepEqual(day.app.analysis.json(`${day.run.prefix}report.json`)['warnings'], warnings);
  });
});
