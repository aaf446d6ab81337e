/** Histograms that were left out, by measure: from done messages to the report of the run, never more than a few names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeDay } from '../../src/commands/run-day.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DAY, DayRun, doneMessage, inputKey, resultOf } from '../fakes/day-run.ts';
import { resultKey } from '../fakes/done-messages.ts';
import { DONE_QUEUE } from '../fakes/names.ts';
import { snapshotOf } from '../fakes/published-space.ts';
import { sent } from '../fakes/sent-run.ts';

type Counts = Record<string, number>;

const TASKS = 3;
const FILES = Array.from({ length: TASKS }, (_, file) => inputKey('nightly/28', `f${file}`));
/** Of each task 60 measures: `M_0` once, `M_59` 60 times. */
const MANY = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`M_${index}`, index + 1]));
const SUM = Object.values(MANY).reduce((sum, count) => sum + count, 0);
const WORST_TEN = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`M_${59 - index}`, 60 - index]));
const times = (counts: Counts, factor: number): Counts =>
  Object.fromEntries(Object.entries(counts).map(([measure, count]) => [measure, count * factor]));

interface Stored {
  readonly badHistograms: Counts;
  readonly skipped: Counts;
}

function stored(app: Application, key: string): Stored {
  return app.analysis.json(key) as unknown as Stored;
}

/** A run whose tasks all report the same. */
async function reported(app: Application, badHistograms: Counts = MANY): Promise<DayRun> {
  const day = new DayRun(app);
  day.storeInput(FILES);
  await day.planTasks();
  await day.enqueue();
  const bad = Object.values(badHistograms).reduce((sum, count) => sum + count, 0);
  const report = { records: 1, skipped: { bad_histogram: bad }, badHistograms };
  day.answerTasks(() => ({ report }));
  return day;
}

const inReport = ({ run }: DayRun): string => `"telemetry report ${DAY} --run ${run.runId}" has all counts`;

async function runReport(day: DayRun, counts: object): Promise<{ counts: unknown; warnings: readonly string[] }> {
  const { warnings } = await day.app.run('writeReport', {
    ...{ run: day.run, day: DAY, counts: counts as never, plan: day.plan! },
    publication: { decision: 'nothing', seq: 0, attempt: null },
  });
  const report = day.app.analysis.json(stateKeys.report(day.run)) as { counts: unknown };
  return { counts: report.counts, warnings };
}

describe('bad histograms by measure', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, chunkTasks: 2 });

  it('are the 50 worst in receipts and chunks, the ten worst in the contribution and the report', async () => {
    const day = await reported(application());
    const { app, run } = day;
    const summary = await day.contribute();
    const receipt = stored(app, stateKeys.receipt(run, 1, 'done'));
    assert.equal(Object.keys(receipt.badHistograms).length, 50);
    assert.deepEqual(receipt.badHistograms['M_10'], 11);
    const head = stored(app, stateKeys.chunk(run, { chunk: 1, done: 2, failed: 0 }));
    assert.equal(Object.keys(head.badHistograms).length, 50);
    assert.deepEqual(head.badHistograms['M_10'], 22);
    const contribution = stored(app, stateKeys.contribution(run));
    assert.deepEqual(Object.entries(contribution.badHistograms), Object.entries(times(WORST_TEN, TASKS)));
    assert.deepEqual(summary.badHistograms, contribution.badHistograms);
    assert.equal(summary.skipped['bad_histogram'], TASKS * SUM);
    const { counts, warnings } = await runReport(day, summary);
    assert.deepEqual(counts, summary);
    assert.deepEqual(warnings, [
      `${TASKS * SUM} histograms of ${DAY} were left out because the numbers are wrong, most of M_59 180, M_58 177, M_57 174, M_56 171, M_55 168, M_54 165, M_53 162, M_52 159, M_51 156, M_50 153; ${inReport(day)}`,
    ]);
  });

  it('are shown when the run is followed', () => {
    const counts = { planned: 1, done: 1, failed: 0, missing: 0, files: { processed: 1, missing: 0, partial: 0 } };
    const skipped = { bad_histogram: 12 };
    const nothing = { dropped: {}, failedTasks: {}, published: [], rendered: 0, versions: null, warnings: [] };
    const result = { ...counts, skipped, ...nothing, records: 1, day: DAY, runId: 'r', seq: null, report: 's3://r' };
    const text = describeDay({ ...result, decision: 'nothing', badHistograms: { A: 2, B: 10 } });
    assert.match(text, /^bad histograms +B 10, A 2$/m);
    assert.doesNotMatch(describeDay({ ...result, decision: 'nothing' }), /bad histograms/);
  });

  it('warn when more than a twentieth of the submissions had one, not before', async () => {
    const day = await reported(application(), { A: 1 });
    const summary = await day.contribute();
    for (const [records, warns] of [
      [60, false],
      [59, true],
    ] as const) {
      const { warnings } = await runReport(day, { ...summary, records });
      assert.deepEqual(
        warnings,
        warns
          ? [`3 histograms of ${DAY} were left out because the numbers are wrong, most of A 3; ${inReport(day)}`]
          : [],
      );
    }
  });

  it('are not known of runs of earlier releases, whose documents can be read', async () => {
    const day = await reported(application());
    const { app, run } = day;
    await day.drain({ merged: [9, 9], maxSeconds: 600 });
    const without = (key: string): void => {
      const { badHistograms, ...older } = stored(app, key);
      assert.notEqual(badHistograms, undefined);
      app.analysis.store(key, JSON.stringify(older));
    };
    for (const number of [1, 2, 3]) without(stateKeys.receipt(run, number, 'done'));
    const merge = (chunk: number) => app.run('mergeChunk', { run, chunk, tasks: TASKS, chunkTasks: 2 });
    const chunks = [(await merge(1)).ref, (await merge(2)).ref];
    for (const ref of chunks) {
      assert.deepEqual(stored(app, stateKeys.chunk(run, ref)).badHistograms, {});
      without(stateKeys.chunk(run, ref));
    }
    const build = () => app.run('buildContribution', { run, day: DAY, tasks: TASKS, chunks });
    assert.deepEqual((await build()).badHistograms, {});
    without(stateKeys.contribution(run));
    const summary = await build();
    assert.deepEqual([summary.badHistograms, summary.skipped['bad_histogram']], [{}, TASKS * SUM]);
    const { badHistograms, ...counts } = summary;
    const { warnings } = await runReport(day, counts);
    assert.deepEqual(warnings, [
      `${TASKS * SUM} histograms of ${DAY} were left out because the numbers are wrong; ${inReport(day)}`,
    ]);
  });
});

describe('a list of bad histograms that breaks the rules', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const deep = '['.repeat(60) + ']'.repeat(60);

  for (const [name, json, kept, refused] of [
    ['names what is no measure', '{"../../x":1,"GC_MS":2}', { GC_MS: 2 }, 1],
    ['counts more than was left out', '{"GC_MS":4294967295}', {}, 1],
    ['is no object', '"GC_MS"', {}, 1],
    ['holds objects', `{"GC_MS":${deep}}`, {}, 1],
    [
      'has 9,000 names',
      JSON.stringify(Object.fromEntries([...Array(9000).keys()].map((n) => [`M_${n}`, 0]))),
      {},
      9000,
    ],
  ] as const) {
    it(`(it ${name}) costs its message nothing but what is wrong, and the others of the batch nothing`, async () => {
      const { day, tasks } = await sent(application(), 2);
      const { app } = day;
      for (const task of tasks) app.analysis.store(resultKey(task.id), resultOf(task.files));
      const [bad, good] = tasks.map((task) =>
        doneMessage(task, { report: { skipped: { bad_histogram: 5 }, badHistograms: { A: 3 } } }),
      );
      const changed = Buffer.from(bad ?? '', 'base64')
        .toString()
        .replace('{"A":3}', json);
      app.queues.put(DONE_QUEUE, Buffer.from(changed).toString('base64'));
      app.queues.put(DONE_QUEUE, good ?? '');
      const { done, quarantined } = await day.drain();
      assert.deepEqual([done, quarantined], [2, 0]);
      const [first, second] = [1, 2].map((number) => stored(app, stateKeys.receipt(day.run, number, 'done')));
      assert.deepEqual(first?.badHistograms, kept);
      assert.deepEqual(first.skipped, { bad_histogram: 5, bad_report: refused });
      assert.deepEqual([second?.badHistograms, second?.skipped], [{ A: 3 }, { bad_histogram: 5 }]);
    });
  }
});

describe('a row of a single bucket', () => {
  const application = eachWithApplication();

  it('is in no folder, and the run says so', async () => {
    const path = '20131029/saved_session/Firefox/WINNT/6.1/x86';
    const row = (values: string) => `{"${path}":{"values":[${values}],"buildId":"20131029030201","revision":""}}`;
    const day = new DayRun(application());
    const { runId, planAt, channelVersions, ...counts } = await day.analyse([inputKey('nightly/28', 'a')], () => ({
      result: [
        `nightly/28/GOOD/by-build-date\t${row('1,0,0,-1,-1,0,0,1')}\n`,
        `nightly/28/ONE/by-build-date\t${row('1,0,-1,-1,0,0,1')}\n`,
      ].join(''),
    }));
    await day.publish();
    const publication = { decision: 'published', seq: 1, attempt: 1 };
    const { warnings } = await day.app.run('writeReport', {
      ...{ run: day.run, day: DAY, plan: day.plan!, counts, publication },
    });
    assert.equal(snapshotOf(day.app, 'nightly/28').has('ONE-by-build-date.json'), false);
    assert.ok(
      warnings.some((warning) => /rows of results are not shown.*\(nightly\/28: 1\)/.test(warning)),
      warnings.join('\n'),
    );
  });
});
