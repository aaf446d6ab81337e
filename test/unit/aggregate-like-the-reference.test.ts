import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cases } from '../fakes/cases.ts';
import { byKernel, bySlowSums as slowly, type File } from '../fakes/summed-files.ts';

const key = fc
  .tuple(
    fc.constantFrom('nightly', 'OTHER'),
    fc.constantFrom('28.0a1', '9.0'),
    fc.constantFrom('20131029030201', '20131029', '20130601000000', '20131031000000'),
    fc.constantFrom('20131029', '20131030'),
  )
  .map(
    ([channel, version, build, day]) =>
      `saved_session/Firefox/${channel}/${version}/${build}.${day}.v2.log.0ab8723b.lzma`,
  );

const measureName = fc.constantFrom('A', 'GC_MS', 'SIMPLE_MEASURES_X', 'a.b-c', 'M'.repeat(128), 'Z9');
const oddName = fc.constantFrom('', '.', '..', 'a b', 'é', '"', '\\', 'N'.repeat(129), 'A\u0000', '\ud83d\ude00');

/** Texts of numbers; sums of those of `exact` are exact in any order. */
const exact = fc.constantFrom(
  '0',
  '0',
  '0',
  '0',
  '0',
  '0',
  '1',
  '2',
  '17',
  '123456789',
  '4294967295',
  '-1',
  '-1',
  '0.5',
  '-0',
);
const anyNumber = fc.oneof(
  { weight: 6, arbitrary: exact },
  fc.constantFrom(
    '1234567890',
    '4294967296',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740993',
    '1e3',
    '1E+2',
    '0.1',
  ),
  fc.constantFrom(
    '2.5e-324',
    '1e999',
    '-1e999',
    '0.000000000000000000000000001',
    '123456789012345678901234567890',
    '-0.0',
    '6.02e23',
  ),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map(String),
);
const notNumbers = fc.constantFrom(
  'null',
  '"1"',
  '[1]',
  '{}',
  'true',
  '01',
  '+1',
  '.5',
  '1.',
  'NaN',
  '',
  '-',
  '0x1',
  '1 2',
);

const numbers = (number: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 5, arbitrary: fc.constant('0') }, fc.constantFrom('1', '3', '70000')), {
        minLength: 2,
        maxLength: 40,
      }),
      fc.array(number, { minLength: 5, maxLength: 7 }),
      fc.constantFrom(',', ', ', ', ', ',', ' , ', ',\t', ',  '),
    )
    .map(([buckets, statistics, comma]) => `[${[...buckets, ...statistics].join(comma)}]`);
const badHistogram = fc.oneof(
  fc.constantFrom('[]', 'null', '{"values":[1]}', '[ 1,0,0,0,0,0,0,0]', '[1,0,0,0,0,0,0,0 ]', '[1,0,0', '"x"', '5'),
  fc.tuple(numbers(exact), notNumbers).map(([text, bad]) => text.replace(/\d+/, () => bad)),
);

function members(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const colon = fc.constantFrom(':', ': ', ' :', ':  ');
  const member = fc.tuple(name, colon, value).map(([text, sign, json]) => `${JSON.stringify(text)}${sign}${json}`);
  const comma = fc.constantFrom(',', ', ', ' ,', ',\r');
  return fc.tuple(fc.array(member, { maxLength: 8 }), comma).map(([list, sign]) => `{${list.join(sign)}}`);
}

const text = fc.constantFrom(
  'WINNT',
  'Linux',
  '6.1',
  '3.11.0',
  'x86',
  'é',
  'a/b',
  '',
  '"',
  '\ud83d\ude00',
  '\u0001',
  '\\',
);
const info = fc
  .record({
    OS: text,
    version: fc.oneof(text, fc.double({ noNaN: true })),
    arch: text,
    revision: fc.option(text, { nil: undefined }),
  })
  .map((record) => JSON.stringify(record));

function submissions(number: fc.Arbitrary<string>, simple: fc.Arbitrary<string>, odd: number): fc.Arbitrary<string> {
  const histograms = members(
    fc.oneof({ weight: 12, arbitrary: measureName }, { weight: odd, arbitrary: oddName }),
    fc.oneof({ weight: 12, arbitrary: numbers(number) }, { weight: odd, arbitrary: badHistogram }),
  );
  const simples = members(fc.constantFrom('firstPaint', 'main', 'é', 'x'), simple);
  return fc
    .tuple(
      info,
      fc.array(histograms, { minLength: 1, maxLength: odd > 0 ? 2 : 1 }),
      simples,
      fc.constantFrom('', '\r', ' ', odd > 0 ? '}' : ''),
    )
    .map(
      ([of, objects, values, end]) =>
        `id\t{"ver": 2, "info":${of}, ${objects.map((object) => `"histograms": ${object}`).join(',')},"simpleMeasurements":${values}}${end}`,
    );
}

/** Members of all kinds, more than once, in objects and out of them. */
const anyValue = fc.oneof(
  { weight: 4, arbitrary: anyNumber },
  { weight: 4, arbitrary: text.map((value) => JSON.stringify(value)) },
  fc.constantFrom(
    'null',
    'true',
    'false',
    '{}',
    '[]',
    '{"OS":"x"}',
    '{"a":1,"b":-2.5}',
    '{"":7}',
    '{"a":{"b":1}}',
    '[{"a":1}]',
  ),
  fc.constantFrom(
    'tru',
    'nulls',
    '"',
    '"\\x"',
    '"\\u00e9"',
    '"\t"',
    '{"a" :1}',
    '{"a":1,}',
    '{"OS":null',
    '01',
    '-',
    '{"A":1,"a":2}',
  ),
);
const anyMember = fc.constantFrom(
  'OS',
  'version',
  'arch',
  'revision',
  'a',
  'b',
  'js',
  'JS_A',
  'é',
  '"',
  '',
  'n'.repeat(129),
  'n'.repeat(300),
);
const whateverInfo = fc
  .tuple(info, fc.array(fc.tuple(anyMember, fc.constantFrom(':', ': ', ' :'), anyValue), { maxLength: 3 }))
  .map(
    ([of, more]) =>
      `${of.slice(0, -1)}${more.map(([name, colon, value]) => `,${JSON.stringify(name)}${colon}${value}`).join('')}}`,
  );
const loosely = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('info', 'simpleMeasurements'), whateverInfo, members(anyMember, anyValue)), {
      maxLength: 3,
    }),
    info,
  )
  .map(([objects, of]) => {
    const list = objects.map(([name, ofInfo, simple]) => `"${name}":${name === 'info' ? ofInfo : simple}`);
    return `id\t{"ver":2,"info":${of}${list.map((member) => `,${member}`).join('')},"histograms":{"GC_MS":[1,0,0,0,0,0,0,0]}}`;
  });

/** Members of a submission, also those that nobody reads: at any level, with blanks, escapes and what is no JSON. */
const deep = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: anyValue },
    fc.constantFrom('"a\\"b"', '"\\\\"', '"\\/\\b\\f\\n\\r\\t"', '"\\u12aF"', '"\\u12g4"', '"\\u123"', '"\\a"', '"\\'),
    fc.constantFrom(
      '[ 1]',
      '[1, 2]',
      '[1,]',
      '[,]',
      '[1 2]',
      '[1}',
      '{"a":1]',
      '{"a":}',
      '{a:1}',
      '{"a": [{"b": []}]}',
      '1.',
      '-',
      '1e5',
    ),
    fc
      .tuple(fc.nat(70), fc.boolean())
      .map(([levels, isObject]) =>
        isObject ? `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}` : `${'['.repeat(levels)}${']'.repeat(levels)}`,
      ),
    fc.array(tie('value'), { maxLength: 3 }).map((list) => `[${list.join(',')}]`),
    fc
      .array(fc.tuple(anyMember, tie('value')), { maxLength: 3 })
      .map((list) => `{${list.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`),
  ),
}));
const wholeRecord = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom('ver', 'info', 'histograms', 'simpleMeasurements', 'slowSQL', 'version', 'Ver', 'log', ''),
        fc.constantFrom(':', ':', ': ', ' :'),
        fc.oneof({ weight: 3, arbitrary: deep.value }, fc.constantFrom('2', '5', '"2"', '1')),
      ),
      { maxLength: 3 },
    ),
    info,
    fc.nat(3),
    fc.constantFrom(',', ',', ', ', ' ,'),
    fc.constantFrom('', '', ' ', '\r', ' x', '}'),
  )
  .map(([odd, of, place, comma, end]) => {
    const members = odd.map(([name, colon, value]) => `${JSON.stringify(name)}${colon}${value}`);
    members.splice(place, 0, `"info":${of}`);
    const good = '"histograms":{"GC_MS":[1,0,0,0,0,0,0,0]},"simpleMeasurements":{"main":7,"js":{"a":1}}';
    return `id\t{${[good, ...members].join(comma)}}${end}`;
  });

const files = (line: fc.Arbitrary<string>): fc.Arbitrary<File[]> =>
  fc.array(fc.record({ key, lines: fc.array(line, { maxLength: 6 }) }), { maxLength: 4 });

describe('submissions are counted as by the reference', () => {
  it('whatever they hold', async () => {
    const line = submissions(anyNumber, fc.oneof(anyNumber, fc.constantFrom('null', '{"a":1,"b":-2.5}', '"x"')), 1);
    await fc.assert(
      fc.asyncProperty(files(line), async (some) => {
        assert.deepEqual(await byKernel([some]), slowly([some]));
      }),
      { numRuns: cases(600) },
    );
  });

  it('as browsers write them', async () => {
    const line = submissions(anyNumber, anyNumber, 0);
    await fc.assert(
      fc.asyncProperty(files(line), async (some) => {
        assert.deepEqual(await byKernel([some]), slowly([some]));
      }),
      { numRuns: cases(300) },
    );
  });

  it('with members of any kind in info and simpleMeasurements', async () => {
    await fc.assert(
      fc.asyncProperty(files(loosely), async (some) => {
        assert.deepEqual(await byKernel([some]), slowly([some]));
      }),
      { numRuns: cases(600) },
    );
  });

  it('with other members of any kind, wherever they stand', async () => {
    await fc.assert(
      fc.asyncProperty(files(wholeRecord), async (some) => {
        assert.deepEqual(await byKernel([some]), slowly([some]));
      }),
      { numRuns: cases(1000) },
    );
  });

  it('with more names than are remembered', async () => {
    const many = (file: number): string =>
      `id\t{"ver":2,"info":{"OS":"WINNT","version":"6.1","arch":"x86"},"simpleMeasurements":{${Array.from({ length: 3000 }, (_, index) => `"n${file}_${index}":${index}`).join(',')},"main":0}}`;
    const some = Array.from({ length: 12 }, (_, file) => ({
      key: 'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b.lzma',
      lines: [many(file), many(file)],
    }));
    assert.deepEqual(await byKernel([some]), slowly([some]));
  });

  it('with more names in one submission than there is room for', async () => {
    const names = (object: number): string =>
      `"simpleMeasurements":{${Array.from({ length: 4000 }, (_, index) => `"n${object}_${index}":0`).join(',')}}`;
    const objects = Array.from({ length: 30 }, (_, object) => names(object));
    const some = [
      {
        key: 'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b.lzma',
        lines: [`id\t{"ver":2,${objects.join(',')},"info":{"OS":"WINNT","version":"6.1","arch":"x86"}}`],
      },
    ];
    assert.deepEqual(await byKernel([some]), slowly([some]));
  });

  it('by file, also of files with the same key', async () => {
    const line = 'id\t{"ver":2,"info":{"OS":"WINNT","version":"6.1","arch":"x86"},"simpleMeasurements":{"a":1}}';
    const fileOf = (lines: number): File => ({
      key: 'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b.lzma',
      lines: Array.from({ length: lines }, () => line),
    });
    const some = [fileOf(3), fileOf(2)];
    assert.deepEqual(await byKernel([some]), slowly([some]));
  });

  it('in groups, whatever the number of threads', async () => {
    const line = submissions(anyNumber, anyNumber, 0);
    await fc.assert(
      fc.asyncProperty(fc.array(files(line), { maxLength: 4 }), async (groups) => {
        const expected = slowly(groups);
        for (const threads of [1, 2, 4]) assert.deepEqual(await byKernel(groups, threads), expected);
      }),
      { numRuns: cases(100) },
    );
  });

  it('and so are those that do not fit into memory', async () => {
    const line = submissions(exact, fc.constantFrom('0', '-0'), 0);
    await fc.assert(
      fc.asyncProperty(fc.array(files(line), { minLength: 1, maxLength: 3 }), async (groups) => {
        const { text, records, skipped } = await byKernel(groups, 2, 400);
        const expected = slowly(groups);
        // An addition of −1 to a recorded number may fall on another side of a spill.
        assert.deepEqual(
          [text, records, Object.keys(skipped)],
          [expected.text, records, Object.keys(expected.skipped)],
        );
      }),
      { numRuns: cases(150) },
    );
  });
});
