/** A long history: old days are folded, the data set shows the same, and days can be analysed again for as long as they are kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { assertWhole, assertWrittenOnce, ledgerOf, snapshotOf, submissionsOf } from '../fakes/published-space.ts';
import { TASK_QUEUE } from '../fakes/names.ts';

const CHANNEL_VERSION = 'nightly/28';

function dayAt(number: number): string {
  return new Date(Date.UTC(2013, 8, 1 + number)).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Publishes the day with so many submissions of its own. */
async function publish(app: Application, number: number, submissions = 1, run = number + 1): Promise<void> {
  const day = dayAt(number);
  const keys = Array.from({ length: submissions }, (_, file) => inputKey(CHANNEL_VERSION, `f${file}`, day));
  const analysis = new DayRun(app, run, day);
  app.clock.advance(86_400);
  await analysis.analyse(keys);
  assert.equal((await analysis.publish()).outcome, 'committed');
}

describe('a history of 60 days', () => {
  const application = eachWithApplication();

  it('is rendered from a base and some days, and shows what it would show without sealing', async () => {
    const app = application();
    const plain = application().settings;
    const days = 60;
    for (let number = 0; number < days; number += 1) await publish(app, number);
    const { base, segments } = ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.equal(segments.length, plain.compaction.compactAfterDays + 1);
    assert.equal(base?.days.length, days - segments.length);
    assert.equal(base.kept.length, plain.compaction.keepDays - plain.compaction.compactAfterDays);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), days);
    const bySubmission = snapshotOf(app, CHANNEL_VERSION).get('GC_MS-by-build-date.json');
    assert.ok(bySubmission?.startsWith(`{"20131028":[[${days},`), bySubmission);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it('a day of 20 days ago is replaced: out of the base, its new segment in', async () => {
    const app = application();
    for (let number = 0; number < 50; number += 1) await publish(app, number);
    await publish(app, 30, 5, 1000);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), 49 + 5);
    const { base, segments } = ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.ok(
      segments.some(({ day }) => day === dayAt(30)),
      'as young as its publication',
    );
    assert.equal(new Set([...(base?.days ?? []), ...segments.map(({ day }) => day)]).size, 50);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it('a day of 60 days ago is refused before anything is analysed, with what to do', async () => {
    const app = application();
    for (let number = 0; number < 61; number += 1) await publish(app, number);
    const old = new DayRun(app, 2000, dayAt(0));
    old.storeInput([inputKey(CHANNEL_VERSION, 'again', dayAt(0))]);
    await failsForGood(
      old.planTasks(),
      FailureType.InvalidInput,
      /^20130901 cannot be analysed again .* for good in nightly\/28, .* published more than 35 days ago .*telemetry investigate/,
    );
    assert.deepEqual(app.queues.drain(TASK_QUEUE), []);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), 61);
  });

  it('a mistyped future day folds nothing, and a late backfill can be corrected for as long as any day', async () => {
    const app = application();
    await publish(app, 0);
    await publish(app, 120);
    const stored = () => ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.equal(stored().base, null);
    for (let number = 20; number < 60; number += 1) await publish(app, number);
    await publish(app, 5, 1, 500);
    await publish(app, 5, 3, 501);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), 42 + 3);
    assert.ok(stored().segments.some(({ day }) => day === dayAt(5)));
    assertWhole(app);
  });

  it('a day that was never published joins, however old it is', async () => {
    const app = application();
    for (let number = 5; number < 60; number += 1) await publish(app, number);
    await publish(app, 2, 3);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), 55 + 3);
    assertWhole(app);
  });
});
