/** Which days a watchdog expects, and when a run is due. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { schedules } from '../../src/schedules.ts';
import { missingDays } from '../../src/watch/rules/day-rules.ts';
import type { Facts } from '../../src/watch/rules/facts.ts';
import { lastDue } from '../../src/watch/rules/schedule-rules.ts';
import { atWork, DATA_SET, dataSet, days, NOW, runs, schedule, TODAY_DUE, WELL } from '../fakes/watched-facts.ts';

describe('missing days', () => {
  const missing = (changes: Partial<Facts>): string[] | undefined =>
    missingDays({ ...WELL, ...changes })?.map(({ day }) => day);

  it('none before the schedule, unless the data set is older', () => {
    const young = schedule({ createdAt: '2014-04-24T14:00:00.000Z' });
    assert.deepEqual(missing({ ...dataSet({ recentDays: [] }), ...young, ...runs() }), []);
    assert.deepEqual(missing({ ...dataSet({ recentDays: days('20140420', 1) }), ...young, ...runs() }), [
      '20140421',
      '20140422',
      '20140423',
    ]);
    // A day of long ago was run by hand.
    assert.deepEqual(missing({ ...dataSet({ recentDays: days('20140401', 1) }), ...young, ...runs() }), []);
  });

  it('at most 35, up to the day that was due last', () => {
    const old = schedule({ createdAt: '2014-01-01T00:00:00.000Z' });
    const all = missing({ ...dataSet({ recentDays: [] }), ...old, ...runs() }) ?? [];
    assert.deepEqual([all.length, all[0], all.at(-1)], [35, '20140320', '20140423']);
    const morning = missing({ ...dataSet({ recentDays: [] }), ...old, ...runs(), at: '2014-04-24T13:00:00.000Z' });
    assert.equal(morning?.at(-1), '20140422');
  });

  it('not those that a run is about now; nobody knows while Temporal is out of reach', () => {
    const recentDays = DATA_SET.recentDays.slice(0, 1);
    assert.deepEqual(missing({ ...dataSet({ recentDays }), ...atWork({}) }), []);
    assert.equal(missing({ runs: { unknown: 'x', type: null } }), undefined);
  });
});

describe('the last due time', () => {
  it('is today’s or yesterday’s', () => {
    assert.equal(lastDue('31 13 * * *', new Date('2014-04-24T13:31:00Z')), TODAY_DUE);
    assert.equal(lastDue('31 13 * * *', new Date('2014-04-24T13:30:59Z')), '2014-04-23T13:31:00.000Z');
    assert.equal(lastDue('31 13 * * 1', new Date(NOW)), null);
  });

  it('is known for every schedule of the application', () => {
    for (const { spec, scheduleId } of schedules('telemetry')) {
      assert.notEqual(lastDue(spec.cronExpressions?.[0] ?? '', new Date()), null, scheduleId);
      assert.equal(spec.cronExpressions?.length, 1, scheduleId);
    }
  });
});
