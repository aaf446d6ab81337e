import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mergeParts } from '../../src/pipeline/aggregates/merge-parts.ts';
import { comparePartSlots, parsePartLine, partLine, type PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import { ResultReader } from '../fakes/result-reader.ts';
import { SlotTable } from '../fakes/slot-table.ts';
import { BY_DATES, type Slot } from '../../src/pipeline/aggregates/slot.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { compareText } from '../../src/pipeline/text-order.ts';

const PATH = 'saved_session/Firefox/WINNT/6.1/x86';

function contribution(part: Partial<Slot> & { channelVersion?: string }): PartSlot {
  const { channelVersion = 'nightly/28', ...slot } = part;
  return {
    channelVersion,
    slot: {
      measure: 'GC_MS',
      byDate: 'by-build-date',
      path: PATH,
      date: '20131029',
      values: [1, 0, 0, 0, -1, -1, 0, 0, 1],
      buildId: '20131029030201',
      revision: 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4',
      ...slot,
    },
  };
}

function tableOf(parts: readonly PartSlot[]): SlotTable {
  const table = new SlotTable();
  for (const { channelVersion, slot } of parts) {
    const rows = table.measure(table.measuresOf(channelVersion), slot.measure);
    const { values, buildId, revision } = slot;
    const padded = [9, 9, ...values, 9];
    const byDate = slot.byDate === 'by-build-date' ? 0 : 1;
    table.add(rows, byDate, `${slot.date}/${slot.path}`, padded, 2, values.length, buildId, revision);
  }
  return table;
}

const plain = ({ channelVersion, slot }: PartSlot): PartSlot => ({
  channelVersion,
  slot: { ...slot, values: Array.from(slot.values) },
});
const sortedParts = (table: SlotTable): PartSlot[] => [...table.sorted()].map(plain);
const merged = async (...parts: readonly PartSlot[][]): Promise<PartSlot[]> =>
  (await Array.fromAsync(mergeParts(parts))).map(plain);

describe('merging two aggregates', () => {
  const old = { buildId: '20131028030205', revision: 'http://hg.mozilla.org/mozilla-central/rev/aaaaaaaaaaaa' };
  const fresh = { buildId: '20131029030201', revision: 'http://hg.mozilla.org/mozilla-central/rev/bbbbbbbbbbbb' };
  // docs/formats/results.md 4.3, with what this project decided: a missing statistic gives way, lengths are kept apart.
  const cases: readonly [name: string, x: Partial<Slot>, y: Partial<Slot>, result: Partial<Slot>[], mixed?: number][] =
    [
      [
        'adds buckets, keeps statistics that both sides lack',
        { values: [5, 10, 5, -1, -1, -1, -1, -1, 3], ...old },
        { values: [10, 5, 10, -1, -1, -1, -1, -1, 1], ...old },
        [{ values: [15, 15, 15, -1, -1, -1, -1, -1, 4], ...old }],
      ],
      [
        'takes build and revision of the newer build',
        { values: [0, 2, 1, 7, -1, -1, 12, 0, 2], ...old },
        { values: [1, 0, 3, 9, -1, -1, 27, 0, 1], ...fresh },
        [{ values: [1, 2, 4, 16, -1, -1, 39, 0, 3], ...fresh }],
      ],
      [
        'keeps statistics that only one side has',
        { values: [1, 1, 1, 5, -1, -1, -1, 4, 1] },
        { values: [1, 1, 1, 6, 0.6931, 0.4805, 3, -1, 1] },
        [{ values: [2, 2, 2, 11, 0.6931, 0.4805, 3, 4, 2] }],
        4,
      ],
      [
        'keeps a missing sum missing',
        { values: [1, -1, -1, -1, -1, -1, 1] },
        { values: [1, -1, -1, -1, -1, -1, 1] },
        [{ values: [2, -1, -1, -1, -1, -1, 2] }],
      ],
      [
        'adds sums of −1 in a simple measure, where they are real',
        {
          measure: 'SIMPLE_MEASURES_START',
          values: [0, -1, 0.5, 0.25, -1, -1, 1],
          buildId: '0',
          revision: 'simple-measures-hack',
        },
        {
          measure: 'SIMPLE_MEASURES_START',
          values: [1, -1, 0.5, 0.25, -1, -1, 1],
          buildId: '0',
          revision: 'simple-measures-hack',
        },
        [
          {
            measure: 'SIMPLE_MEASURES_START',
            values: [1, -2, 1, 0.5, -1, -1, 2],
            buildId: '0',
            revision: 'simple-measures-hack',
          },
        ],
      ],
      [
        'keeps lengths apart, newer build longer',
        { values: [1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
        { values: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1], ...fresh },
        [
          { values: [1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
          { values: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1], ...fresh },
        ],
      ],
      [
        'keeps lengths apart within one build',
        { values: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
        { values: [1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
        [
          { values: [1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
          { values: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1], ...old },
        ],
      ],
      [
        'takes the greater of two revisions of one build, where the original kept the first',
        { values: [1, 1, 1, 1, 1, 1, 1], buildId: '20131029', revision: 'a' },
        { values: [1, 1, 1, 1, 1, 1, 1], buildId: '20131029', revision: 'b' },
        [{ values: [2, 2, 2, 2, 2, 2, 2], buildId: '20131029', revision: 'b' }],
      ],
      [
        'is exact beyond 2^31',
        { values: [2147483647, 2147483647, 1, 1, 1, 1, 1] },
        { values: [1, 9007199254740991 - 2147483647, 1, 1, 1, 1, 1] },
        [{ values: [2147483648, 9007199254740991, 2, 2, 2, 2, 2] }],
      ],
    ];
  for (const [name, x, y, result, mixed = 0] of cases) {
    for (const [order, first, second] of [
      ['', x, y],
      [', other way round', y, x],
    ] as const) {
      it(name + order, async () => {
        const expected = result.map(contribution);
        const table = tableOf([contribution(first), contribution(second)]);
        assert.deepEqual(sortedParts(table), expected);
        assert.equal(table.mixedStatistics, mixed);
        assert.deepEqual(await merged([contribution(first)], [contribution(second)]), expected);
      });
    }
  }
});

describe('sums that overflow', () => {
  const huge = contribution({ values: [1e308, 1e308, -1e308, 1, 1, 1, 1] });
  const held = contribution({ values: [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 2, 2, 2, 2] });

  it('are held at the largest double in every merge', async () => {
    assert.deepEqual(await merged([huge], [huge]), [held]);
  });

  it('come whole out of a table, as part and as result', () => {
    const slots = [...tableOf([huge, huge]).sorted()];
    assert.deepEqual(
      slots.map(({ channelVersion, slot }) => parsePartLine(partLine(channelVersion, slot))),
      [held],
    );
    const [line = ''] = resultLines(slots);
    const [aggregate] = Object.values(JSON.parse(line.split('\t')[1] ?? '') as Record<string, Slot>);
    assert.deepEqual(aggregate?.values, held.slot.values);
  });
});

const day = fc.constantFrom('20131028', '20131029', '20131030');
const build = fc.constantFrom('20131028030205', '20131029030201', '20131029', '20131030030201');
const path = fc.constantFrom(
  PATH,
  `${PATH}-64`,
  'saved_session/Firefox/Linux/3.1/x86',
  // Sorted by code units these two change places.
  'saved_session/Firefox/🦊/1/x86',
  'saved_session/Firefox/\uff21/1/x86',
);
const count = fc.nat(1000);
const statistic = fc.oneof({ arbitrary: count, weight: 3 }, { arbitrary: fc.constant(-1), weight: 1 });
const log = fc.oneof(
  { arbitrary: fc.double({ min: 0, max: 1e4, noNaN: true }), weight: 3 },
  { arbitrary: fc.constant(-1), weight: 1 },
);
const where = {
  channelVersion: fc.constantFrom('nightly/28', 'aurora/27', 'nightly/3'),
  byDate: fc.constantFrom(...BY_DATES),
  path,
  date: day,
};
const histogram = fc
  .record({
    ...where,
    measure: fc.constantFrom('GC_MS', 'GC', 'STARTUP_GC_MS', 'a.b-c'),
    buckets: fc.oneof(fc.array(count, { minLength: 3, maxLength: 3 }), fc.array(count, { minLength: 1, maxLength: 5 })),
    statistics: fc.tuple(statistic, log, log, statistic, statistic, fc.integer({ min: 1, max: 99 })),
    buildId: build,
    revision: fc.constantFrom('', 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4', 'http://hg/é"\\'),
  })
  .map(({ buckets, statistics, ...rest }) => contribution({ ...rest, values: [...buckets, ...statistics] }));
const simple = fc
  .record({
    ...where,
    sum: fc.integer({ min: -5, max: 1e9 }),
    bucket: count,
    logs: fc.tuple(count, count),
    count: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ sum, bucket, logs, count: submissions, ...rest }) =>
    contribution({
      ...rest,
      measure: 'SIMPLE_MEASURES_START',
      values: [bucket, sum, ...logs, -1, -1, submissions],
      buildId: '0',
      revision: 'simple-measures-hack',
    }),
  );
const contributions = fc.array(fc.oneof({ arbitrary: histogram, weight: 3 }, { arbitrary: simple, weight: 1 }), {
  maxLength: 40,
});

/** The merge rule as the spec words it, with no care for speed. */
function literally(parts: readonly PartSlot[]): PartSlot[] {
  const groups = Map.groupBy(parts, ({ channelVersion, slot }) =>
    [channelVersion, slot.measure, slot.byDate, slot.path, slot.date, slot.values.length].join('\t'),
  );
  const sums = [...groups.values()].map((group) => {
    const { channelVersion, slot } = group[0]!;
    const length = slot.values.length;
    const column = (index: number): number => {
      const numbers = group.map((part) => [...part.slot.values][index]!);
      const missable = index >= length - 6 && index < length - 1;
      const real = slot.measure.startsWith('SIMPLE_MEASURES_') && index === length - 6;
      const recorded = missable && !real ? numbers.filter((number) => number !== -1) : numbers;
      return recorded.length === 0 ? -1 : recorded.reduce((x, y) => x + y, 0);
    };
    const newest = group
      .toSorted((a, b) => compareText(a.slot.buildId, b.slot.buildId) || (a.slot.revision < b.slot.revision ? -1 : 1))
      .at(-1)!.slot;
    const values = Array.from({ length }, (_, index) => column(index));
    return { channelVersion, slot: { ...slot, values, buildId: newest.buildId, revision: newest.revision } };
  });
  const texts = ({ channelVersion, slot }: PartSlot): string[] => [
    channelVersion,
    slot.measure,
    slot.byDate,
    slot.path,
    slot.date,
  ];
  return sums.toSorted((a, b) => {
    const [left, right] = [texts(a), texts(b)];
    const difference = left.map((text, index) => compareText(text, right[index]!)).find((order) => order !== 0);
    return difference ?? a.slot.values.length - b.slot.values.length;
  });
}

function assertSame(actual: readonly PartSlot[], expected: readonly PartSlot[]): void {
  const withoutLogs = ({ channelVersion, slot }: PartSlot): PartSlot => ({
    channelVersion,
    slot: { ...slot, values: Array.from(slot.values, (value, index) => (isLog(slot, index) ? 0 : value)) },
  });
  assert.deepEqual(actual.map(withoutLogs), expected.map(withoutLogs));
  for (const [at, { slot }] of expected.entries()) {
    for (const [index, value] of [...slot.values].entries()) {
      const other = [...actual[at]!.slot.values][index]!;
      assert.ok(Math.abs(other - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${other} is not ${value}`);
    }
  }
}

const isLog = (slot: Slot, index: number): boolean => [4, 5].includes(slot.values.length - index);

/** Merges in a random tree: at every node either a table of the leaves or a merge of the parts below, over the disk format. */
async function mergeInTree(parts: readonly PartSlot[], cuts: Iterator<number>): Promise<PartSlot[]> {
  const next = (below: number): number => Math.floor((cuts.next().value ?? 0) * below);
  const ways = parts.length < 2 ? 0 : next(4);
  const below =
    ways === 0
      ? sortedParts(tableOf(parts))
      : await merged(
          ...(await Promise.all(
            Array.from({ length: ways + 1 }, (_, way) =>
              mergeInTree(
                parts.filter((__, index) => index % (ways + 1) === way),
                cuts,
              ),
            ),
          )),
        );
  return below.map(({ channelVersion, slot }) => parsePartLine(partLine(channelVersion, slot)));
}

describe('merging many aggregates', () => {
  it('gives the same slots in any order, any grouping and any number of steps', async () => {
    const cut = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }));
    const shuffled = contributions.chain((parts) =>
      fc.record({
        parts: fc.constant(parts),
        shuffled: fc.shuffledSubarray(parts, { minLength: parts.length }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, cut, async ({ parts, shuffled: others }, cuts) => {
        const expected = literally(parts);
        assertSame(sortedParts(tableOf(parts)), expected);
        assertSame(await mergeInTree(others, cuts), expected);
      }),
      { numRuns: 200 },
    );
  });

  it('a merge of 1000 results equals a merge of their merges', async () => {
    const parts = fc.sample(histogram, { numRuns: 1000, seed: 1 });
    const one = await merged(...parts.map((part) => [part]));
    const two = await merged(
      await merged(...parts.slice(0, 300).map((part) => [part])),
      await merged(...parts.slice(300).map((part) => [part])),
    );
    assertSame(one, literally(parts));
    assertSame(two, literally(parts));
  });

  it('keeps slots in order, so that the next merge can be a stream', () => {
    fc.assert(
      fc.property(contributions, (parts) => {
        const slots = sortedParts(tableOf(parts));
        for (let index = 1; index < slots.length; index += 1)
          assert.ok(comparePartSlots(slots[index - 1]!, slots[index]!) < 0);
      }),
    );
  });

  it('refuses a part that is not in order', async () => {
    const part = [contribution({ measure: 'B' }), contribution({ measure: 'A' })];
    await assert.rejects(merged(part, [contribution({ measure: 'C' })]), {
      reason: 'unsorted_slots',
      message: /out of order: .*"A".* after .*"B"/,
    });
  });

  it('closes every part when the reader stops early', async () => {
    let closed = 0;
    const endless = function* (): Generator<PartSlot> {
      try {
        for (let number = 10_000_000; ; number += 1) yield contribution({ measure: `M${number}` });
      } finally {
        closed += 1;
      }
    };
    for await (const slot of mergeParts([endless(), endless(), endless()]))
      if (slot.slot.measure === 'M10000005') break;
    assert.equal(closed, 3);
  });
});

describe('stored slots', () => {
  it('come back as they were written, as part line', () => {
    fc.assert(
      fc.property(contributions, (parts) => {
        for (const part of parts) assert.deepEqual(parsePartLine(partLine(part.channelVersion, part.slot)), part);
      }),
    );
  });

  for (const line of [
    '',
    '[]',
    '{}',
    'null',
    '[1,2,3,4,5,6,7,8]',
    '["nightly/28","A","by-build-date","p","20131029","0","",[1',
  ]) {
    it(`are not ${line || 'nothing'}`, () => {
      assert.throws(
        () => parsePartLine(line),
        (error) => error instanceof InvalidDataError && error.reason === 'bad_part',
      );
    });
  }

  it('come back as they were written, as result', () => {
    fc.assert(
      fc.property(contributions, (parts) => {
        const slots = sortedParts(tableOf(parts));
        const parser = new ResultReader();
        const lines = [...resultLines(slots)];
        for (const line of lines) {
          const bytes = Buffer.from(line);
          parser.parseLine(bytes, 0, bytes.length);
        }
        const table = new SlotTable();
        parser.commit(table);
        assert.deepEqual(sortedParts(table), slots);
        assert.deepEqual(parser.dropped, {});
        assert.equal(
          new Set(lines.map((line) => line.split('\t')[0])).size,
          lines.length,
          'one line a measure and by-date',
        );
      }),
    );
  });

  it('are written as a result that other readers of JSON read the same', () => {
    const long = contribution({ values: [1, 2, 3, 4, 0.1, 1 / 3, -1, -1, 2147483648] });
    const other = contribution({ values: [1, 4, 1e-10, 1e21, -1, -1, 1], revision: '"é' });
    assert.deepEqual(
      [...resultLines([other, long])],
      [
        `nightly/28/GC_MS/by-build-date\t{"20131029/${PATH}":[` +
          '{"values":[1,4,1e-10,1e+21,-1,-1,1],"buildId":"20131029030201","revision":"\\"é"},' +
          '{"values":[1,2,3,4,0.1,0.3333333333333333,-1,-1,2147483648],"buildId":"20131029030201",' +
          '"revision":"http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4"}]}',
      ],
    );
  });
});
