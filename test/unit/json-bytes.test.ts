import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { cases } from '../fakes/cases.ts';
import { JsonBytes } from '../../src/pipeline/json-bytes.ts';

/** Values as both readers can show them: objects as sorted members, of which the last of a name counts. */
type Shown = string | number | boolean | null | Shown[] | Map<string, Shown>;

function shown(value: unknown): Shown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value as string | number | boolean | null;
  return sortedMap(Object.entries(value).map(([name, member]) => [name, shown(member)]));
}

const sortedMap = (members: [string, Shown][]): Map<string, Shown> =>
  new Map([...new Map(members)].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Reads any value by the calls that the parsers make, pure number arrays both ways. */
function readValue(json: JsonBytes): Shown {
  const first = json.peek();
  if (first === JsonBytes.STRING) return json.string();
  if (first === JsonBytes.OBJECT) {
    const members: [string, Shown][] = [];
    json.members((name) => members.push([name, readValue(json)]));
    return sortedMap(members);
  }
  if (first === JsonBytes.ARRAY) {
    const mark = json.mark();
    const target = new Float64Array(64);
    const count = json.numbers(target, 0, 64);
    const end = json.mark();
    json.reset(mark);
    const elements: Shown[] = [];
    json.elements(() => elements.push(readValue(json)));
    assert.equal(json.mark(), end, 'numbers() and elements() end at the same place');
    if (elements.every((element) => Number.isFinite(element)) && elements.length <= 64)
      assert.deepEqual([...target.subarray(0, count as number)], elements);
    else assert.equal(typeof count, 'string');
    return elements;
  }
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return json.number();
  const mark = json.mark();
  json.skip();
  return JSON.parse(Buffer.from(json.since(mark)).toString()) as Shown;
}

const shared = new JsonBytes();

function open(text: string, json = shared): JsonBytes {
  // Bytes before and behind the line must not matter.
  const bytes = Buffer.from(`9"]${text}1,"]}`);
  json.open(bytes, 3, bytes.length - 5);
  return json;
}

function read(text: string): Shown {
  const json = open(text);
  const value = readValue(json);
  json.close();
  const again = open(text);
  again.skip();
  again.close();
  return value;
}

function attempt<Value>(action: () => Value): { value: Value } | 'refused' {
  try {
    return { value: action() };
  } catch (error) {
    if (error instanceof InvalidDataError || error instanceof SyntaxError) return 'refused';
    throw error;
  }
}

function agree(text: string): void {
  const [ours, theirs] = [attempt(() => read(text)), attempt(() => shown(JSON.parse(text)))];
  assert.deepEqual(ours, theirs, text);
}

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toPrecision(17)),
  fc.double({ min: -1e7, max: 1e7, noNaN: true }).map((value) => value.toFixed(9)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.integer().map(String),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$/),
);

describe('JSON bytes', () => {
  for (const text of [
    '0',
    '-0',
    '-0.0',
    '1',
    '-1',
    '0.1',
    '0.5e1',
    '1e5',
    '1E+5',
    '1e-5',
    '2.147484e+09',
    '1.797693e+308',
    '1e999',
    '-1e999',
    '5e-324',
    '2e-324',
    '9007199254740993',
    '900719925474099267',
    '0.30000000000000004',
    '123456789012345678.5',
    '0.0000000000000000000001',
    '0.00000000000000000000001',
    '1.7976931348623157e308',
    '[1,2,3]',
    '[0,0.5,-0]',
    '[1 , 2]',
    '[999999999,1000000000,-999999999,0]',
    '[]',
    '[ ]',
    '{}',
    '{ }',
    ' { "a" : [ 1 , { } ] } ',
    '"\\ud83e\\udd8a"',
    '"\\ud83e"',
    '"\\u0000"',
    '"é🦊"',
    '"\\/"',
    'null',
    'true',
    'false',
    '{"a":1,"a":2}',
    '{"__proto__":1,"constructor":2}',
    '\ufeff{}',
    // Refused by both.
    '',
    ' ',
    '01',
    '-',
    '-01',
    '+1',
    '.5',
    '1.',
    '1.e5',
    '1e',
    '1e+',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '-Infinity',
    'nul',
    'nulll',
    'True',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1,,2]',
    '[00]',
    '[01,2]',
    '[1-2]',
    '[1',
    '[',
    ']',
    '{',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":1,}',
    '{,}',
    '{"a" 1}',
    "{'a':1}",
    '"',
    '"a',
    '"\\',
    '"\\"',
    '"\\x"',
    '"\\u12"',
    '"\u0001"',
    '"\t"',
    '"\n"',
    '{}{}',
    '[]1',
    '1 1',
    '\u00a01',
    '[1]\u0000',
  ]) {
    it(`says of ${JSON.stringify(text)} what JSON.parse says`, () => {
      agree(text);
    });
  }

  it('reads every number to the same bits', () => {
    fc.assert(
      fc.property(fc.array(numberText, { minLength: 1, maxLength: 12 }), (texts) => {
        for (const text of texts) assert.ok(Object.is(read(text), JSON.parse(text)), text);
        agree(`[${texts.join(',')}]`);
        agree(`[ ${texts.join(', ')} ]`);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads every value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1, 3), (json, indent) => {
        agree(json);
        agree(JSON.stringify(JSON.parse(json), null, indent));
      }),
      { numRuns: cases(1000) },
    );
  });

  it('takes and refuses damaged JSON as JSON.parse does', () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 3 }),
      numberText,
      fc.array(fc.oneof(numberText, fc.constant('null'))).map((list) => `[${list.join(',')}]`),
    );
    const insert = fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '-',
        '+',
        '.',
        'e',
        '0',
        '1',
        ' ',
        '\t',
        'null',
        '\u0000',
        'é',
        '\\u00',
      ),
      fc.string({ maxLength: 2 }),
    );
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2), insert), {
          minLength: 1,
          maxLength: 3,
        }),
        (json, edits) => {
          let text = json;
          for (const [place, cut, more] of edits) {
            const at = Math.floor(place * text.length);
            text = (text.slice(0, at) + more + text.slice(at + cut)).toWellFormed();
          }
          agree(text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('reads bytes that are no UTF-8 with the replacement character', () => {
    const bytes = Buffer.from([0x22, 0x61, 0xff, 0xc3, 0x22]);
    shared.open(bytes, 0, bytes.length);
    assert.equal(shared.string(), 'a��');
  });

  it('tells members that come twice twice: the caller decides', () => {
    const names: string[] = [];
    const json = open('{"a":1,"b":2,"a":3}');
    json.members((name) => {
      names.push(name);
      json.skip();
    });
    assert.deepEqual(names, ['a', 'b', 'a']);
  });

  it('refuses what is nested deeper than 64 levels, and is fit for the next line', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    agree(nested(64));
    assert.equal(
      attempt(() => read(nested(65))),
      'refused',
    );
    assert.equal(
      attempt(() => read('{"a":'.repeat(100_000))),
      'refused',
    );
    agree(nested(64));
  });

  for (const [array, outcome] of [
    ['[]', 0],
    ['[1,2,3]', 3],
    ['[1,2,3,4]', 'bad_values'],
    ['[1,null,3]', 'null_value'],
    ['[1,null,"x"]', 'null_value'],
    ['[1,"x",null]', 'bad_values'],
    ['[1,true]', 'bad_values'],
    ['[[1]]', 'bad_values'],
    ['[1,1e999]', 'bad_number'],
    ['[1.5,-0,2.147484e+09]', 3],
  ] as const) {
    it(`says of the row ${array}, of at most three numbers: ${outcome}`, () => {
      assert.equal(open(array).numbers(new Float64Array(3), 0, 3), outcome);
    });
  }

  it('writes no number beyond the room it was given', () => {
    const target = new Float64Array(5).fill(7);
    open('[1,2,3,4,5,6]').numbers(target, 1, 2);
    assert.deepEqual([...target], [7, 1, 2, 7, 7]);
  });

  it('keeps repeated texts apart from others of the same hash', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 3 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
        const json = new JsonBytes();
        for (const expected of [...texts, ...texts])
          assert.equal(open(JSON.stringify(expected), json).string(), expected);
      }),
    );
    // Equal under any hash of 31 h + byte.
    const json = new JsonBytes();
    for (const expected of ['Aa', 'BB', 'Aa', 'BB']) assert.equal(open(`"${expected}"`, json).string(), expected);
  });
});
