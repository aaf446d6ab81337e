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
  date = /^\d{8}/.test(buildId) ? buildId.slice(0, 8) : '20131029',
): Slot {
  const values = [...Array.from({ length: length - 1 }, () => 0), count];
  return { measure: 'M', byDate, path: 'r/a/o/v/x', date, values, buildId, revision };
}

const received = (date: string, length = 9): Slot => slot(length, '20131001', 1, 'r', 'by-submission-date', date);
const days = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `201310${String(first + index).padStart(2, '0')}`);

describe('chooseLength', () => {
  const table: [string, Slot[], number][] = [
    ['the newest build, of equally many submissions', [slot(9, '20131028', 1), slot(10, '20131029', 1)], 10],
    ['the newest build, by text', [slot(9, '20131029', 1), slot(10, '2013102903', 1)], 10],
    ['most submissions, against one of the newest build', [slot(9, '20131028', 100), slot(10, '20131029', 1)], 9],
    ['the newest 100 submissions', [slot(9, '20131028', 1000), slot(10, '20131029', 100)], 10],
    [
      'the newest 2 %, as a change of the definition comes in',
      [...days(1, 28).map((day) => slot(9, day, 10_000)), slot(10, '20131029', 10_000)],
      10,
    ],
    [
      'the bulk of the newest 2 %, against hundreds of a newer build',
      [...days(1, 28).map((day) => slot(9, day, 10_000)), slot(10, '20131029', 500)],
      9,
    ],
    ['any build before none', [slot(10, '0', 5), slot(9, '20131029', 1)], 9],
    ['a build before rows that have none', [slot(10, '', 500), slot(9, '20131029', 1)], 9],
    ['more submissions of one build', [slot(9, '20131029', 3), slot(10, '20131029', 2)], 9],
    ['more submissions over all slots', [slot(9, '20131029', 3), slot(10, '20131029', 2), slot(10, '20131028', 2)], 10],
    ['the longer one when all else is equal', [slot(10, '20131029', 2), slot(9, '20131029', 2)], 10],
    ['no build of the future', [slot(9, '20131029', 1), received('20131029'), slot(10, '20131101', 50)], 9],
    [
      'a build of the day after its submission',
      [slot(9, '20131029', 1), received('20131029'), slot(10, '20131030', 2)],
      10,
    ],
    ['builds of the future when there are no others', [received('20131029', 10), slot(9, '20991231', 1)].slice(1), 9],
    [
      'a build of the future, against rows that have none',
      [slot(9, '20131101', 1, 'r', 'by-submission-date', '20131029'), slot(11, '', 500)],
      9,
    ],
  ];
  for (const [what, slots, expected] of table) {
    it(`takes the length of ${what}`, () => {
      assert.equal(chooseLength(slots).length, expected);
      assert.equal(chooseLength(slots.toReversed()).length, expected);
    });
  }

  it('names the build and revision of that length', () => {
    const slots = [slot(9, '20131027', 1), slot(9, '20131028', 1), slot(9, '20131029', 1, ''), slot(10, '20131001', 1)];
    assert.deepEqual(chooseLength(slots), {
      length: 9,
      buildId: '20131029',
      revision: '',
      definitionRevisions: ['r20131028', 'r20131027'],
      submissions: 4,
      leftOut: { slots: 1, submissions: 1, newest: 0 },
    });
  });

  it('names no build of the future, whose revision somebody made up', () => {
    const slots = [slot(9, '20131028', 3), received('20131029'), slot(9, '20991231', 1)];
    const { buildId, revision, definitionRevisions } = chooseLength(slots);
    assert.deepEqual([buildId, revision, definitionRevisions], ['20131028', 'r20131028', ['r20131028', 'r']]);
  });

  it('names the revision that most submissions of the newest builds have first, whatever others are invented', () => {
    const invented = Array.from({ length: 9 }, (_, number) => slot(9, '20131029', 1, `x${number}`));
    const slots = [slot(9, '20131027', 50), slot(9, '20131028', 95), ...invented];
    assert.deepEqual(chooseLength(slots).definitionRevisions, ['r20131028', 'r20131027', 'x8']);
  });

  it('names a new revision first as soon as the newest builds have it', () => {
    const slots = [...days(1, 28).map((day) => slot(9, day, 1_000, 'old')), slot(9, '20131029', 1_000, 'new')];
    assert.deepEqual(chooseLength(slots).definitionRevisions, ['new', 'old']);
    const few = [...days(1, 28).map((day) => slot(9, day, 1_000, 'old')), slot(9, '20131029', 200, 'new')];
    assert.deepEqual(chooseLength(few).definitionRevisions, ['old', 'new']);
  });

  it('counts submissions once that it leaves out under both dates', () => {
    const old = '20131001';
    const slots = [
      slot(10, '20131029', 200),
      slot(9, old, 5),
      slot(8, old, 2),
      slot(9, old, 4, 'r', 'by-submission-date', '20131029'),
    ];
    assert.deepEqual(chooseLength(slots).leftOut, { slots: 3, submissions: 7, newest: 4 });
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
