import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { eachWithApplication, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { versionsOf } from '../fakes/published-space.ts';

const NIGHTLY = ['a', 'b'].map((file) => inputKey('nightly/28', file));

describe('a pointer or ledger that is not right', () => {
  const application = eachWithApplication();
  type Step = (day: DayRun) => Promise<unknown>;
  const steps: readonly [string, Step][] = [
    ['planPublication', (day) => day.app.run('planPublication', day.publication(2))],
    ['commitDataset', (day) => day.commit()],
    ['updateProjections', (day) => day.app.run('updateProjections', undefined)],
  ];

  for (const [name, step] of steps) {
    it(`I12: ${name} without versions.json fails, and never creates it`, async () => {
      const day = new DayRun(application());
      await day.analyse(NIGHTLY);
      await day.stage();
      day.app.published.contents.delete(VERSIONS);
      await failsForGood(step(day), FailureType.PointerMissing, /versions\.json does not exist/);
      assert.ok(!day.app.published.contents.has(VERSIONS));
    });

    for (const [what, body] of [
      ['text that is no JSON', Buffer.from('not json')],
      ['an empty object', Buffer.from('{}')],
      ['no bytes', Buffer.alloc(0)],
      ['gzip that breaks off', gzipSync('{"$head":{"seq":1}}').subarray(0, 15)],
      [
        'a folder of another name',
        gzipSync(
          '{"$head":{"seq":0,"commit":"c","parent":null,"ledger":"l","at":"2013-10-30T00:00:00Z"},"nightly/28":"x"}',
        ),
      ],
    ] as const) {
      it(`${name} with ${what} in versions.json fails, and leaves it`, async () => {
        const day = new DayRun(application());
        await day.analyse(NIGHTLY);
        await day.stage();
        const { etag } = day.app.published.store(VERSIONS, body);
        await failsForGood(
          step(day),
          FailureType.PointerDamaged,
          /versions\.json is damaged: .*; put its last good version back/,
        );
        assert.equal((await day.app.published.get(VERSIONS)).etag, etag);
      });
    }

    it(`${name} with a damaged or missing ledger fails`, async () => {
      const day = new DayRun(application());
      await day.analyse(NIGHTLY);
      await day.stage();
      const key = versionsOf(day.app).head.ledger;
      day.app.analysis.store(key, '{"seq":0');
      await failsForGood(step(day), FailureType.StateDamaged, /ledgers.* is damaged/);
      day.app.analysis.contents.delete(key);
      await failsForGood(step(day), FailureType.StateDamaged, /ledgers.* does not exist/);
    });
  }

  it('versions.json that goes between reading and flipping is never created', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    await day.stage();
    day.app.trace.before('replace', /versions/, () => {
      day.app.published.contents.delete(VERSIONS);
    });
    await failsForGood(day.commit(), FailureType.PointerMissing, /never created by a run/);
    assert.ok(!day.app.published.contents.has(VERSIONS));
  });

  it('a damaged contribution is an error that names it', async () => {
    const day = new DayRun(application());
    await day.analyse(NIGHTLY);
    day.app.analysis.store(stateKeys.contribution(day.run), 'x');
    await failsForGood(day.stage(), FailureType.StateDamaged, /contribution\.json is damaged/);
  });
});
