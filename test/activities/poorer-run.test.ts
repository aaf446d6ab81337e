/** A run that has less than the data set has of its day replaces nothing, unless a person says that it shall. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { type Answer, DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { assertWhole, ledgerOf, submissionsOf } from '../fakes/published-space.ts';
import { commitInstead } from '../fakes/verified-space.ts';
import type { TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
const FILES = ['a', 'b', 'c', 'd', 'e', 'f'].map((file) => inputKey('nightly/28', file));

async function analysed(app: Application, number: number, keys = FILES, answer?: (task: TaskMessage) => Answer) {
  const day = new DayRun(app, number);
  if (number > 1) app.clock.advance(60);
  await day.analyse(keys, answer);
  return day;
}

describe('a run of a day that has less than the data set', () => {
  it('is refused after input files were removed, with both counts; the day stays', async () => {
    const app = application();
    const good = await analysed(app, 1);
    await good.publish();
    await app.input.delete(FILES.slice(2));
    const poorer = await analysed(app, 2, FILES.slice(0, 2));
    await failsForGood(
      poorer.stage(),
      FailureType.PoorerRun,
      /This run of 20131029 has 2 submissions, the data set has 6 of run .*0001; .*--replace-anyway/,
    );
    assert.equal(submissionsOf(app, 'nightly/28'), 6);
    assert.equal(ledgerOf(app).entries.get(good.day)?.runId, good.run.runId);
  });

  it('is refused when only one of six tasks was done', async () => {
    const app = application();
    await (await analysed(app, 1)).publish();
    const poorer = await analysed(app, 2, FILES, ({ files: [file] }) => ({ aborted: file !== FILES[0] }));
    await failsForGood(poorer.stage(), FailureType.PoorerRun, /has 1 submissions, the data set has 6/);
    assert.equal(submissionsOf(app, 'nightly/28'), 6);
  });

  it('is published when a person says so', async () => {
    const app = application();
    await (await analysed(app, 1)).publish();
    const poorer = await analysed(app, 2, FILES, ({ files: [file] }) => ({ aborted: file !== FILES[0] }));
    const { decision, snapshots } = await app.run('planPublication', { ...poorer.publication(), replaceAnyway: true });
    assert.deepEqual([decision, snapshots], ['publish', 1]);
    await app.run('stageSnapshot', { ...poorer.publication(), index: 0 });
    assert.equal((await poorer.commit()).outcome, 'committed');
    assert.equal(submissionsOf(app, 'nightly/28'), 1);
    assertWhole(app);
  });

  for (const [what, records] of [
    ['an earlier release, which did not store submissions', undefined],
    ['an external processor, which counts no submissions', 0],
  ] as const) {
    it(`is known by its files beside an entry of ${what}`, async () => {
      const app = application();
      await (await analysed(app, 1)).publish();
      commitInstead(app, (ledger) => ({
        ...ledger,
        entries: new Map(
          [...ledger.entries].map(([name, { records: _, ...entry }]) => [
            name,
            { ...entry, ...(records !== undefined && { records }) },
          ]),
        ),
      }));
      const poorer = await analysed(app, 2, FILES, ({ files: [file] }) => ({ aborted: file !== FILES[0] }));
      await failsForGood(poorer.stage(), FailureType.PoorerRun, /has 1 processed files, the data set has 6/);
      const same = await analysed(app, 3);
      assert.equal((await same.publish()).outcome, 'committed');
    });
  }
});
