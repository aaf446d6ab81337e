import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ByDate, Slot } from '../../src/pipeline/aggregates/slot.ts';
import { chooseLength } from '../../src/pipeline/dataset/choose-length.ts';

function slot(
  length: number,
  buildId: string,
  count: number,
  revision = `r${buildId}`,
  byDate: ByDate = 'by-build-date',
): Slot {
  const values = [...Array.from({ length: length - 1 }, () => 0), count];
  return { measure: 'M', byDate, path: 'r/a/o/v/x', date: '20131029', values, buildId, revision };
}

describe('chooseLength', () => {
  const table: [string, Slot[], number][] = [
    ['the newest build, against more submissions', [slot(9, '20131028', 100), slot(10, '20131029', 1)], 10],
    ['the newest build, by text', [slot(9, '20131029', 1), slot(10, '2013102903', 1)], 10],
    ['any build before none', [slot(10, '0', 5), slot(9, '20131029', 1)], 9],
    ['more submissions of one build', [slot(9, '20131029', 3), slot(10, '20131029', 2)], 9],
    ['more submissions over all slots', [slot(9, 'b', 3), slot(10, 'b', 2), slot(10, 'a', 2)], 10],
    ['the longer one when all else is equal', [slot(10, 'b', 2), slot(9, 'b', 2)], 10],
    ['the newest build over both dates', [slot(9, 'a', 1), slot(10, 'b', 1, 'r', 'by-submission-date')], 10],
  ];
  for (const [what, slots, expected] of table) {
    it(`takes the length of ${what}`, () => {
      assert.equal(chooseLength(slots).length, expected);
      assert.equal(chooseLength(slots.toReversed()).length, expected);
    });
  }

  it('names the build and revision of that length', () => {
    const slots = [slot(9, 'a', 1), slot(9, 'b', 1), slot(9, 'c', 1, ''), slot(10, '1', 1)];
    assert.deepEqual(chooseLength(slots), {
      length: 9,
      buildId: 'c',
      revision: '',
      definitionRevision: 'rb',
      leftOut: { slots: 1, submissions: 1 },
    });
  });

  it('counts submissions once that it leaves out under both dates', () => {
    const slots = [slot(10, 'b', 1), slot(9, 'a', 5), slot(8, 'a', 2), slot(9, 'a', 4, 'r', 'by-submission-date')];
    assert.deepEqual(chooseLength(slots).leftOut, { slots: 3, submissions: 7 });
  });

  it('depends on no order', () => {
    const any = fc.record({
      length: fc.constantFrom(9, 10, 11),
      buildId: fc.constantFrom('0', '20131028', '20131029'),
      count: fc.integer({ min: 1, max: 3 }),
      revision: fc.constantFrom('', 'x', 'y'),
      byDate: fc.constantFrom<ByDate>('by-build-date', 'by-submission-date'),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (parts, keys) => {
        const slots = parts.map((p) => slot(p.length, p.buildId, p.count, p.revision, p.byDate));
        const shuffled = slots
          .map((s) => ({ s, key: keys.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ s }) => s);
        assert.deepEqual(chooseLength(shuffled), chooseLength(slots));
      }),
    );
  });
});
