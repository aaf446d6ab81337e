/** A file is of one submission day, and only the run of that day counts it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { DAY_TEMPLATE, eachWithApplication } from '../fakes/application.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { assertWhole, ledgerOf, submissionsOf } from '../fakes/published-space.ts';
import { commitInstead, NEXT, verifyNow } from '../fakes/verified-space.ts';
import { countOnce } from '../../src/verify/remedies.ts';

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
const [OWN, OTHER] = [inputKey('nightly/28', 'own'), inputKey('nightly/28', 'other', NEXT)];

describe('the run of a day', () => {
  for (const [what, dates] of [
    ['spans two days', JSON.stringify(['DATE', NEXT])],
    ['admits all days', '"*"'],
  ] as const) {
    it(`with a filter that ${what} is refused when it is planned, and names the other day`, async () => {
      const app = application();
      app.template = DAY_TEMPLATE.replace('["DATE"]', dates).replace('"saved_session"', '"saved_session", "DATE"');
      const day = new DayRun(app);
      day.storeInput([OWN, OTHER]);
      await failsForGood(
        day.planTasks(),
        FailureType.InvalidFilter,
        /^The filter of 20131029 admits files of 20131030 \(such as .*20131030\.v2\.log\.other\.lzma\), which those days would count/,
      );
      assert.ok(!app.analysis.contents.has(stateKeys.plan(day.run)));
    });
  }

  it('of an earlier release that was planned with such a filter is not published', async () => {
    const app = application();
    app.template = DAY_TEMPLATE.replace('["DATE"]', JSON.stringify(['DATE', NEXT]));
    const day = new DayRun(app);
    day.leavesOutAdopted = false;
    await day.analyse([OWN, OTHER]);
    await failsForGood(day.stage(), FailureType.InvalidFilter, /admits files of 20131030/);
  });

  it('is refused when a day of an earlier release counts a file of it; what the failure advises helps', async () => {
    const app = application();
    // Day 20131030, as a release without this rule published it: with a file of the day before.
    app.template = DAY_TEMPLATE.replace('["DATE"]', JSON.stringify([DAY, 'DATE']));
    const double = new DayRun(app, 1, NEXT);
    double.leavesOutAdopted = false;
    await double.analyse([OWN, OTHER]);
    const list = app.analysis.json(stateKeys.contribution(double.run))['filesProcessedKey'] as string;
    const clean = new DayRun(app, 2, NEXT);
    app.template = DAY_TEMPLATE;
    app.clock.advance(60);
    await clean.analyse([]);
    await clean.publish();
    commitInstead(app, (ledger) => ({
      ...ledger,
      entries: new Map(
        [...ledger.entries].map(([name, { records: _, ...entry }]) => [
          name,
          { ...entry, files: { processed: 2, missing: 0 }, fileLists: { ...entry.fileLists, processed: list } },
        ]),
      ),
    }));
    app.clock.advance(60);
    const day = new DayRun(app, 3);
    await day.analyse([]);
    await failsForGood(
      day.stage(),
      FailureType.InvalidInput,
      /^20131029 cannot be published: it has .*20131029\.v2\.log\.own\.lzma, which 20131030 counts already.*run-day --day 20131030 --replace-anyway/,
    );

    app.clock.advance(60);
    const again = new DayRun(app, 4, NEXT);
    await again.analyse([]);
    await app.run('planPublication', { ...again.publication(), replaceAnyway: true });
    assert.equal((await again.commit()).outcome, 'committed');
    app.clock.advance(60);
    const right = new DayRun(app, 5);
    await right.analyse([]);
    assert.equal((await right.publish()).outcome, 'committed');
    assert.equal(submissionsOf(app, 'nightly/28'), 2);
    assert.deepEqual([...ledgerOf(app).entries.keys()].toSorted(), [DAY, NEXT]);
    assertWhole(app);
    await app.run('updateProjections', undefined);
    const { findings } = await verifyNow(app);
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    );
  });
});

describe('the advice about a file that two entries count', () => {
  for (const [what, entries, advice] of [
    ['two days', [DAY, NEXT], /run 20131030 again .* --day 20131030 --replace-anyway$/],
    ['two days, the other way round', [NEXT, DAY], /--day 20131030 --replace-anyway$/],
    ['a day and a round', [DAY, 'round-20131101T000000.000Z'], /--day 20131029 --replace-anyway$/],
    ['two rounds', ['round-1', 'round-2'], /^restore the object/],
  ] as const) {
    it(`${what}: names the run that gives it back`, () => {
      assert.match(countOnce(OWN, entries[0], entries[1]), advice);
    });
  }
});
