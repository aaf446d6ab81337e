/** The report of a run: all that was staged in the document, a bounded part of it in the answer. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { latestRunOfDay } from '../../src/state/day-runs.ts';
import { dailyRun, stateKeys } from '../../src/state/keys.ts';
import { publicationOf, stagedSnapshot } from '../../src/state/publication.ts';
import { eachWithApplication } from '../fakes/application.ts';
import { DAY, DayRun } from '../fakes/day-run.ts';

const application = eachWithApplication();
const NONE = { previousFolder: null, parts: [] };
const COUNTS = {
  ...{ planned: 1, done: 1, failed: 0, missing: 0, files: { processed: 1, missing: 0, partial: 0 } },
  ...{ records: 1, skipped: {}, dropped: {}, failedTasks: {} },
};

it('of 1,000 damaged channel/versions names all of them, its answer 20 and how many more there are', async () => {
  const { app, run } = new DayRun(application());
  const signal = AbortSignal.timeout(60_000);
  const snapshots = Array.from({ length: 1000 }, (_, index) => ({ ...NONE, channelVersion: `nightly/${index}` }));
  const plan = { decision: 'publish', pointerEtag: 'e', baseLedger: 'l', seq: 1, commit: 'c', snapshots } as const;
  await publicationOf(app.analysis, run, 3, async () => ({ ...plan, snapshots }), signal);
  const damaged = { folder: null, damage: 'x'.repeat(5000), measures: 0, rows: 0, files: 0, definitionsPending: [] };
  for (const [index, snapshot] of snapshots.entries()) {
    const unseen = { lengthMismatch: 0, hidden: [], measuresLeftOut: 0, rowsLeftOut: 0, definitionFaults: [] };
    const staged = { ...snapshot, ...damaged, ...unseen, definitionsDerived: 0 };
    await stagedSnapshot(app.analysis, run, 3, index, async () => staged, signal);
  }
  const { warnings } = await app.run('writeReport', {
    ...{ run, day: DAY, counts: COUNTS, publication: { decision: 'published', seq: 2, attempt: 3 } },
    plan: { files: 1, tasks: 1, bytes: 10, skipped: {}, missingKeys: 0, chunkTasks: 100 },
  });
  assert.equal(warnings.length, 21);
  assert.equal(warnings[20], `980 more warnings: "telemetry report ${DAY} --run ${run.runId}" shows all of them`);
  assert.ok(JSON.stringify(warnings).length < 32 << 10);
  const report = app.analysis.json(stateKeys.report(run)) as {
    warnings: unknown[];
    publication: { decision: string; snapshots: { channelVersion: string }[] };
  };
  assert.equal(report.warnings.length, 1000);
  assert.equal(report.publication.snapshots[999]?.channelVersion, 'nightly/999');
});

it('of a run that staged nothing has no snapshots', async () => {
  const { app, run } = new DayRun(application());
  await app.run('writeReport', {
    ...{ run, day: DAY, counts: COUNTS, publication: { decision: 'nothing', seq: 0, attempt: null } },
    plan: { files: 0, tasks: 0, bytes: 0, skipped: {}, missingKeys: 0, chunkTasks: 100 },
  });
  const { publication } = app.analysis.json(stateKeys.report(run)) as { publication: object };
  assert.deepEqual(publication, { decision: 'nothing', seq: 0, snapshots: [] });
});

it('of a day is that of its latest run, by when the plans were stored', async () => {
  const { analysis } = application();
  for (const [id, hour] of [
    ['b', 1],
    ['c', 3],
    ['a', 2],
  ] as const) {
    const key = stateKeys.plan(dailyRun(DAY, id));
    analysis.store(key, 'x');
    const stored = analysis.contents.get(key);
    assert.ok(stored !== undefined);
    analysis.contents.set(key, { ...stored, lastModified: new Date(Date.UTC(2013, 9, 30, hour)) });
  }
  // One that has not come so far as to plan.
  analysis.store(`${dailyRun(DAY, 'd').prefix}else`, 'x');
  const signal = new AbortController().signal;
  assert.equal((await latestRunOfDay(analysis, DAY, signal))?.runId, 'c');
  assert.equal(await latestRunOfDay(analysis, '20131030', signal), undefined);
});
