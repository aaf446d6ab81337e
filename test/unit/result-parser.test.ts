import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cases } from '../fakes/cases.ts';
import { ResultReader } from '../fakes/result-reader.ts';
import { SlotTable } from '../fakes/slot-table.ts';
import { isCalendarDay } from '../../src/pipeline/calendar-day.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';

const KEY = 'nightly/28/GC_MS/by-build-date';
const PATH = '20131029/saved_session/Firefox/WINNT/6.1/x86';
const VALUES = [5, 10, 5, -1, -1, -1, -1, -1, 3];
const BUILD = '20131029030201';
const REVISION = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
const GOOD = { values: VALUES, buildId: BUILD, revision: REVISION };

interface Reading {
  /** Rows by `key path`: values, build id, revision. */
  readonly rows: Record<string, unknown[]>;
  readonly dropped: Record<string, number>;
}

/** As the merge does: every line in the same buffer. */
const buffer = Buffer.alloc(1 << 20);

function parseAll(parser: ResultReader, lines: readonly string[]): void {
  for (const line of lines) {
    const length = buffer.write(`0}${line}\n"`);
    parser.parseLine(buffer, 2, length - 2);
  }
}

function rowsOf(table: SlotTable): Record<string, unknown[]> {
  const rows = [...table.sorted()].map(({ channelVersion, slot }) => {
    const place = `${channelVersion}/${slot.measure}/${slot.byDate} ${slot.date}/${slot.path} ${slot.values.length}`;
    return [place, [Array.from(slot.values), slot.buildId, slot.revision]];
  });
  return Object.fromEntries(rows) as Record<string, unknown[]>;
}

function read(...lines: string[]): Reading {
  const parser = new ResultReader();
  const table = new SlotTable();
  parseAll(parser, lines);
  parser.commit(table);
  return { rows: rowsOf(table), dropped: parser.dropped };
}

const line = (value: unknown, key = KEY): string => `${key}\t${JSON.stringify(value)}`;
const place = (path = PATH, length = VALUES.length, key = KEY): string => `${key} ${path} ${length}`;

describe('results', () => {
  it('are read as the example of docs/formats/results.md 4.1 has them', () => {
    const values = [5, 10, 5, -1, -1, -1, -1, -1, 3];
    const revision = 'http://hg.mozilla.org/releases/mozilla-aurora/rev/4ea223de889c';
    const { rows, dropped } = read(
      'aurora/24/CYCLE_COLLECTOR/by-submission-date\t{"20130805/idle_daily/Fennec/Android/16/arm":' +
        `{"values":[5,10,5,-1,-1,-1,-1,-1,3],"buildId":"20130805004006","revision":"${revision}"}}`,
    );
    const at = place('20130805/idle_daily/Fennec/Android/16/arm', 9, 'aurora/24/CYCLE_COLLECTOR/by-submission-date');
    assert.deepEqual(rows, { [at]: [values, '20130805004006', revision] });
    assert.deepEqual(dropped, {});
  });

  it('may have lines without any aggregate', () => {
    assert.deepEqual(read(`${KEY}\t{}`, `${KEY}\t { } `), { rows: {}, dropped: {} });
  });

  const forms: readonly [name: string, json: string][] = [
    ['blanks', `{ "values" : [ 5 , 10,5, -1,-1,-1,-1,-1,3 ] , "buildId" : "${BUILD}", "revision" : "${REVISION}" }`],
    [
      'the order of another writer',
      `{"revision":"${REVISION}","buildId":"${BUILD}","values":[5,10,5,-1,-1,-1,-1,-1,3]}`,
    ],
    [
      'unknown members',
      `{"x":{"values":[1]},"values":[5,10,5,-1,-1,-1,-1,-1,3],"buildId":"${BUILD}","y":[null],"revision":"${REVISION}"}`,
    ],
    [
      'decimals and exponents',
      `{"values":[5.0,1e1,0.5e+1,-1,-1,-1,-1,-1.0,3],"buildId":"${BUILD}","revision":"${REVISION}"}`,
    ],
    [
      'escapes',
      `{"val\\u0075es":[5,10,5,-1,-1,-1,-1,-1,3],"buildId":"\\u0032${BUILD.slice(1)}","revision":"${REVISION}"}`,
    ],
    ['a list of one', `[{"values":[5,10,5,-1,-1,-1,-1,-1,3],"buildId":"${BUILD}","revision":"${REVISION}"}]`],
  ];
  for (const [name, json] of forms) {
    it(`may be written with ${name}`, () => {
      const once = { rows: { [place()]: [VALUES, BUILD, REVISION] }, dropped: {} };
      assert.deepEqual(read(`${KEY}\t{"${PATH}":${json}}`), once);
    });
  }

  it('may list aggregates of several lengths for one path', () => {
    const longer = { ...GOOD, values: [1, ...VALUES] };
    const { rows } = read(line({ [PATH]: [GOOD, longer] }));
    assert.deepEqual(rows, {
      [place()]: [VALUES, BUILD, REVISION],
      [place(PATH, 10)]: [longer.values, BUILD, REVISION],
    });
  });

  it('may hold the numbers that the original wrote', () => {
    const { rows, dropped } = read(
      `${KEY}\t{"${PATH}":{"values":[2147483647,-0,0,2.147484e+09,873.474196434,1.797693e+308,-1,-1,3],` +
        `"buildId":"${BUILD}","revision":""}}`,
    );
    const [values] = rows[place()] as [number[]];
    // What overflowed there is held far below, so that no sum of results can.
    assert.deepEqual(values, [2147483647, -0, 0, 2147484000, 873.474196434, 2 ** 96, -1, -1, 3]);
    assert.deepEqual(dropped, { clamped_sum: 1 });
  });

  it('add exactly past 2^31', () => {
    const of = (first: number) => line({ [PATH]: { ...GOOD, values: [first, 0, 0, 0, -1, -1, -1, -1, 1] } });
    const [values] = read(of(2147483647), of(1)).rows[place()] as [number[]];
    assert.equal(values[0], 2147483648);
  });
});

describe('results that are refused whole', () => {
  const cases: readonly [name: string, line: string, reason: string][] = [
    ['no TAB', KEY, 'no_tab'],
    ['nothing', '', 'no_tab'],
    ['three parts', line({}, 'nightly/28/GC_MS'), 'bad_result_key'],
    ['five parts', line({}, `${KEY}/x`), 'bad_result_key'],
    ['by-foo', line({}, 'nightly/28/GC_MS/by-foo'), 'bad_result_key'],
    ['version ..', line({}, 'nightly/../GC_MS/by-build-date'), 'bad_result_key'],
    ['channel .', line({}, './28/GC_MS/by-build-date'), 'bad_result_key'],
    ['an empty channel', line({}, '/28/GC_MS/by-build-date'), 'bad_result_key'],
    [
      'a - in the version, which no folder name could show',
      line({}, 'nightly/28-x/GC_MS/by-build-date'),
      'bad_result_key',
    ],
    ['a long channel', line({}, `${'n'.repeat(257)}/28/GC_MS/by-build-date`), 'bad_result_key'],
    ['a measure with a blank', line({}, 'nightly/28/GC MS/by-build-date'), 'bad_result_key'],
    ['an empty measure', line({}, 'nightly/28//by-build-date'), 'bad_result_key'],
    ['two TABs', `${KEY}\t\t\t{}x`, 'bad_json'],
    ['an array', line([]), 'bad_json'],
    ['JSON cut off', line({ [PATH]: GOOD }).slice(0, -1), 'bad_json'],
    ['two objects', `${KEY}\t{}{}`, 'bad_json'],
    [
      'inf, which the original could write',
      `${KEY}\t{"${PATH}":{"values":[inf,1,1,1,1,1,1],"buildId":"0","revision":""}}`,
      'bad_json',
    ],
    // What lies behind values was once taken for equal to nothing read before.
    ['NUL in the place of the rest', `${KEY}\t{"${PATH}":{"values":[1,1,1,1,1,1,1]\0}`, 'bad_json'],
  ];
  for (const [name, bad, reason] of cases) {
    it(`for ${name}, with nothing of their good lines counted`, () => {
      const parser = new ResultReader();
      const table = new SlotTable();
      const refuses = (): void => {
        parseAll(parser, [line({ [PATH]: GOOD, [`${PATH}/x`]: GOOD }), bad]);
      };
      assert.throws(refuses, (error) => error instanceof InvalidDataError && error.reason === reason);
      parser.discard();
      parser.commit(table);
      assert.deepEqual([rowsOf(table), parser.dropped], [{}, {}]);
      // And the next result is read as if nothing had been.
      parseAll(parser, [line({ [PATH]: GOOD })]);
      parser.commit(table);
      assert.deepEqual(rowsOf(table), { [place()]: [VALUES, BUILD, REVISION] });
    });
  }

  it('leave a channel with a - alone', () => {
    const key = 'nightly-ux/28/GC_MS/by-build-date';
    assert.deepEqual(Object.keys(read(line({ [PATH]: GOOD }, key)).rows), [place(PATH, 9, key)]);
  });
});

describe('aggregates that are dropped and counted', () => {
  const paths: readonly [path: string, reason: string][] = [
    ['20131029/saved_session/Firefox/WINNT', 'bad_path'],
    ['20131029/saved_session/Firefox/WINNT/6.1', 'bad_path'],
    [`${PATH}/x`, 'bad_path'],
    ['20131029/saved_session//WINNT/6.1/x86', 'bad_path'],
    ['20131029/saved_session/Firefox/WINNT/6.1/', 'bad_path'],
    ['20131029/saved_session/Firefox/name/6.1/x86', 'bad_path'],
    ['20131029/saved_session/Firefox/WINNT/_id/x86', 'bad_path'],
    ['20131029/saved_session/Firefox/WINNT/6.1/x\n86', 'bad_path'],
    [`20131029/saved_session/Firefox/WINNT/6.1/${'x'.repeat(1100)}`, 'bad_path'],
    ['', 'bad_path'],
    ['2013102/saved_session/Firefox/WINNT/6.1/x86', 'bad_date'],
    ['20131399/saved_session/Firefox/WINNT/6.1/x86', 'bad_date'],
    ['UNKNOWN_/saved_session/Firefox/WINNT/6.1/x86', 'bad_date'],
  ];
  const aggregates: readonly [aggregate: unknown, reason: string][] = [
    [{ ...GOOD, values: [5, null, 5, -1, -1, -1, -1, -1, 3] }, 'null_value'],
    [{ ...GOOD, values: [] }, 'empty_aggregate'],
    [{ ...GOOD, values: [1, 2, 3, 4, 5, 6] }, 'bad_values'],
    [{ ...GOOD, values: ['5', 1, 1, 1, 1, 1, 1] }, 'bad_values'],
    [{ ...GOOD, values: [[5], 1, 1, 1, 1, 1, 1] }, 'bad_values'],
    [{ ...GOOD, values: { 0: 1 } }, 'bad_values'],
    [{ ...GOOD, values: undefined }, 'bad_values'],
    [{ ...GOOD, values: [-1, 1, 1, 1, 1, 1, 1] }, 'bad_values'],
    [{ ...GOOD, values: [1, 1, 1, 1, 1, 1, 0] }, 'bad_values'],
    [{ ...GOOD, values: Array.from({ length: 10_007 }, () => 1) }, 'bad_values'],
    [{ ...GOOD, values: [0.5, 1, 1, 1, 1, 1, 1] }, 'bad_values'],
    [{ ...GOOD, values: [1.7e308, 1, 1, 1, 1, 1, 1] }, 'bad_values'],
    [{ ...GOOD, values: [1, 1, 1, 1, 1, 1, 1.5] }, 'bad_values'],
    [{ ...GOOD, revision: 'r'.repeat(256) }, 'bad_revision'],
    [{ ...GOOD, buildId: 'UNKNOWN' }, 'bad_build_id'],
    [{ ...GOOD, buildId: '9' }, 'bad_build_id'],
    [{ ...GOOD, buildId: '' }, 'bad_build_id'],
    [{ ...GOOD, buildId: 20131029030201 }, 'bad_build_id'],
    [{ ...GOOD, buildId: undefined }, 'bad_build_id'],
    [{ ...GOOD, revision: null }, 'bad_revision'],
    [{ ...GOOD, revision: undefined }, 'bad_revision'],
    [null, 'bad_aggregate'],
    [5, 'bad_aggregate'],
  ];
  const cases: readonly [name: string, member: Record<string, unknown>, reason: string][] = [
    ...paths.map(([path, reason]) => [`path ${JSON.stringify(path.slice(0, 60))}`, { [path]: GOOD }, reason] as const),
    ...aggregates.map(([bad, reason]) => [JSON.stringify(bad).slice(0, 60), { [PATH]: bad }, reason] as const),
  ].map((entry) => [...entry]);
  for (const [name, member, reason] of cases) {
    it(`${reason}: ${name}`, () => {
      const other = PATH.replace('x86', 'arm');
      const expected = { [place(other)]: [VALUES, BUILD, REVISION] };
      assert.deepEqual(read(line({ [other]: GOOD, ...member })), { rows: expected, dropped: { [reason]: 1 } });
      assert.deepEqual(read(line({ ...member, [other]: GOOD })), { rows: expected, dropped: { [reason]: 1 } });
      const nextBuild = { [other]: { ...GOOD, buildId: '20131030030201' } };
      const { rows, dropped } = read(line({ [other]: GOOD }), line({ ...nextBuild, ...member }));
      assert.deepEqual(rows, {
        [place(other)]: [VALUES.map((v) => (v === -1 ? -1 : 2 * v)), '20131030030201', REVISION],
      });
      assert.deepEqual(dropped, { [reason]: 1 });
    });
  }

  it('1e999, which no double holds, is bad_number', () => {
    const { dropped } = read(`${KEY}\t{"${PATH}":{"values":[1e999,1,1,1,1,1,1],"buildId":"0","revision":""}}`);
    assert.deepEqual(dropped, { bad_number: 1 });
  });
});

/** What the rules say of a result, by JSON.parse. Needs results without repeated members. */
function literally(lines: readonly string[]): { rows: Record<string, unknown[]>; total: number } {
  const table = new SlotTable();
  let total = 0;
  for (const text of lines) {
    const [key = '', json = ''] = text.split('\t');
    const [channel = '', major = '', measure = '', byDate = ''] = key.split('/');
    const pairs = Object.entries(JSON.parse(json) as Record<string, unknown>).flatMap(([path, value]) =>
      (Array.isArray(value) ? value : [value]).map((aggregate): [string, unknown] => [path, aggregate]),
    );
    for (const [path, aggregate] of pairs) {
      if (!isGoodPath(path) || !isGood(aggregate)) {
        total += 1;
        continue;
      }
      const rows = table.measure(table.measuresOf(`${channel}/${major}`), measure);
      const { values, buildId, revision } = aggregate;
      table.add(rows, byDate === 'by-build-date' ? 0 : 1, path, values, 0, values.length, buildId, revision);
    }
  }
  return { rows: rowsOf(table), total };
}

function isGoodPath(path: string): boolean {
  const [date = '', ...parts] = path.split('/');
  return parts.length === 5 && isCalendarDay(date) && !parts.some((part) => ['', '_id', 'name'].includes(part));
}

function isGood(aggregate: unknown): aggregate is typeof GOOD {
  if (typeof aggregate !== 'object' || aggregate === null) return false;
  const { values, buildId, revision } = aggregate as Record<string, unknown>;
  return isRow(values) && typeof revision === 'string' && typeof buildId === 'string' && /^(0|\d{8,14})$/.test(buildId);
}

function isRow(values: unknown): boolean {
  if (!Array.isArray(values) || values.length < 7 || !values.every(Number.isFinite)) return false;
  const counts = [...values.slice(0, -6), values.at(-1)];
  return counts.every((count: number) => Number.isInteger(count) && count >= 0) && values.at(-1) >= 1;
}

describe('any result', () => {
  const often = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.oneof({ arbitrary: good, weight: 9 }, { arbitrary: bad, weight: 1 });
  const values = often<unknown>(
    fc.array(fc.oneof(fc.nat(9), fc.nat(2 ** 31), fc.constantFrom(0.5, 1e12, -1)), { minLength: 7, maxLength: 9 }),
    fc.constantFrom<unknown>([], [null, 1, 1, 1, 1, 1, 1], null, 'x', [1]),
  );
  const members = fc.tuple(
    values.map((value) => ['values', value] as const),
    often<unknown>(fc.constantFrom(BUILD, '20131030030201', '0'), fc.constantFrom<unknown>('x', 5, null)).map(
      (value) => ['buildId', value] as const,
    ),
    often<unknown>(fc.constantFrom(REVISION, '', 'r"é'), fc.constant(null)).map(
      (value) => ['revision', value] as const,
    ),
    fc.constant(['extra', { values: [1] }] as const),
  );
  const order = often(
    fc.constantFrom<number[]>([0, 1, 2], [1, 2, 0], [2, 0, 1], [1, 0, 2]),
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 2 }),
  );
  const aggregate = often<unknown>(
    fc.tuple(members, order).map(([all, wanted]) => Object.fromEntries(wanted.map((index) => all[index]!))),
    fc.constantFrom<unknown>(null, 5, 'x', {}),
  );
  const path = often(
    fc.constantFrom(PATH, PATH.replace('x86', 'arm'), PATH.replace('WINNT', '🦊é')),
    fc.constantFrom('20131029/a/b/c/d', '20139999/a/b/c/d/e', '20131029/a/name/c/d/e'),
  );
  const object = fc.dictionary(path, fc.oneof(aggregate, fc.array(aggregate, { maxLength: 3 })), {
    noNullPrototype: true,
  });
  const key = fc.constantFrom(KEY, 'nightly/28/GC_MS/by-submission-date', 'aurora/27/X/by-build-date');
  const lines = fc
    .array(fc.tuple(key, object, fc.constantFrom(0, 1)), { maxLength: 8 })
    .map((entries) =>
      entries.map(([name, value, indent]) => `${name}\t${JSON.stringify(value, null, indent).replaceAll('\n', ' ')}`),
    );

  it('is read as JSON.parse and the rules would have it', () => {
    fc.assert(
      fc.property(lines, (result) => {
        const { rows, dropped } = read(...result);
        const total = Object.values(dropped).reduce((sum, count) => sum + count, 0);
        assert.deepEqual({ rows, total }, literally(result));
      }),
      { numRuns: cases(1500) },
    );
  });

  it('that is damaged is refused or read, and the parser stays fit', () => {
    const parser = new ResultReader();
    const good = line({ [PATH]: GOOD });
    fc.assert(
      fc.property(
        lines,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.string({ maxLength: 2 }),
        (result, at, insert) => {
          const text = result.join('\n');
          const cut = Math.floor(at * text.length);
          const table = new SlotTable();
          try {
            parseAll(parser, `${text.slice(0, cut)}${insert}${text.slice(cut + 1)}`.split('\n'));
          } catch (error) {
            if (!(error instanceof InvalidDataError)) throw error;
          }
          parser.discard();
          parseAll(parser, [good]);
          parser.commit(table);
          assert.deepEqual(rowsOf(table), { [place()]: [VALUES, BUILD, REVISION] });
        },
      ),
    );
  });
});
