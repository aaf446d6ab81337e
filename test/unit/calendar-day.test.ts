import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { analysisDay, dayAfter, dayNumber, dayOf, isCalendarDay } from '../../src/pipeline/calendar-day.ts';

describe('calendar days', () => {
  for (const [day, is] of [
    ['20131029', true],
    ['20120229', true],
    ['20130229', false],
    ['20131301', false],
    ['20130431', false],
    ['20130100', false],
    ['20000229', true],
    ['19000229', false],
    ['18991231', false],
    ['2013-10-29', false],
    ['2013102', false],
    ['201310290', false],
    ['20131029\n', false],
    ['２０１３1029', false],
    ['', false],
  ] as const) {
    it(`${JSON.stringify(day)} is ${is ? '' : 'no '}day`, () => {
      assert.equal(isCalendarDay(day), is);
    });
  }

  it('counts days without gaps, in text order', () => {
    fc.assert(
      fc.property(fc.integer({ min: -20_000, max: 40_000 }), (number) => {
        const day = dayOf(new Date(number * 86_400_000));
        assert.equal(dayNumber(day), number);
        assert.ok(dayOf(new Date((number + 1) * 86_400_000)) > day);
      }),
    );
  });

  it('has no day after the last of four digits', () => {
    assert.deepEqual(['20131231', '99991230', '99991231'].map(dayAfter), ['20140101', '99991231', '99991231']);
  });

  for (const [scheduled, day] of [
    ['2013-10-30T13:31:00Z', '20131029'],
    ['2014-03-01T00:10:00Z', '20140228'],
    ['2012-03-01T13:31:00Z', '20120229'],
    ['2014-01-01T23:59:59.999Z', '20131231'],
    // Local time would make this the day before.
    ['2013-10-30T00:30:00+05:00', '20131028'],
  ] as const) {
    it(`a run scheduled at ${scheduled} analyses ${day}`, () => {
      assert.equal(analysisDay(new Date(scheduled)), day);
    });
  }
});
