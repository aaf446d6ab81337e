/** A long history: old days are folded, the data set shows the same, and days can be analysed again for as long as they are kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { atScale } from '../fakes/at-scale.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { assertWhole, assertWrittenOnce, ledgerOf, snapshotOf, submissionsOf } from '../fakes/published-space.ts';
import { TASK_QUEUE } from '../fakes/names.ts';

const CHANNEL_VERSION = 'nightly/28';
const DEFAULTS = { compactAfterDays: 10, keepDays: 35 };
const compaction = atScale ? DEFAULTS : { compactAfterDays: 3, keepDays: 10 };
const DAYS = atScale ? 60 : 18;

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

describe(`a history of ${DAYS} days`, () => {
  const application = eachWithApplication({ compaction });

  it('is rendered from a base and some days, and shows what it would show without sealing', async () => {
    const app = application();
    for (let number = 0; number < DAYS; number += 1) await publish(app, number);
    const { base, segments } = ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.equal(segments.length, compaction.compactAfterDays + 1);
    assert.equal(base?.days.length, DAYS - segments.length);
    assert.equal(base.kept.length, compaction.keepDays - compaction.compactAfterDays);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), DAYS);
    const bySubmission = snapshotOf(app, CHANNEL_VERSION).get('GC_MS-by-build-date.json');
    assert.ok(bySubmission?.startsWith(`{"20131028":[[${DAYS},`), bySubmission);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  const ago = 2 * compaction.compactAfterDays;
  it(`a day of ${ago} days ago is replaced: out of the base, its new segment in`, async () => {
    const app = application();
    for (let number = 0; number < DAYS; number += 1) await publish(app, number);
    const replaced = DAYS - ago;
    await publish(app, replaced, 5, 1000);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), DAYS - 1 + 5);
    const { base, segments } = ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.ok(
      segments.some(({ day }) => day === dayAt(replaced)),
      'as young as its publication',
    );
    assert.equal(new Set([...(base?.days ?? []), ...segments.map(({ day }) => day)]).size, DAYS);
    assertWhole(app);
    assertWrittenOnce(app);
  });

  it(`a day of ${DAYS} days ago is refused before anything is analysed, with what to do`, async () => {
    const app = application();
    for (let number = 0; number <= DAYS; number += 1) await publish(app, number);
    const old = new DayRun(app, 2000, dayAt(0));
    old.storeInput([inputKey(CHANNEL_VERSION, 'again', dayAt(0))]);
    await failsForGood(
      old.planTasks(),
      FailureType.InvalidInput,
      new RegExp(
        `^20130901 cannot be analysed again .* for good in nightly/28, .* published more than ${compaction.keepDays} days ago .*telemetry investigate`,
      ),
    );
    assert.deepEqual(app.queues.drain(TASK_QUEUE), []);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), DAYS + 1);
  });

  it('a mistyped future day folds nothing, and a late backfill can be corrected for as long as any day', async () => {
    const app = application();
    await publish(app, 0);
    await publish(app, 2 * DAYS);
    const stored = () => ledgerOf(app).channelVersions.get(CHANNEL_VERSION) ?? assert.fail('not published');
    assert.equal(stored().base, null);
    for (let number = 6; number < DAYS; number += 1) await publish(app, number);
    await publish(app, 5, 1, 500);
    await publish(app, 5, 3, 501);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), 2 + (DAYS - 6) + 3);
    assert.ok(stored().segments.some(({ day }) => day === dayAt(5)));
    assertWhole(app);
  });

  it('a day that was never published joins, however old it is', async () => {
    const app = application();
    for (let number = 5; number < DAYS; number += 1) await publish(app, number);
    await publish(app, 2, 3);
    assert.equal(submissionsOf(app, CHANNEL_VERSION), DAYS - 5 + 3);
    assertWhole(app);
  });
});
