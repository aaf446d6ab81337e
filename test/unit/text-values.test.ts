import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TextValues } from '../../src/pipeline/aggregates/text-values.ts';

describe('the values of a row as text', () => {
  for (const text of [
    '0',
    '-1',
    '0.5',
    '1,2,-3.25,0',
    '-0',
    '0.1,1234567890123456789,0.30000000000000004,-12.75',
    `${'9'.repeat(300)},1`,
  ]) {
    it(`reads ${text.slice(0, 20)}`, () => {
      const values = TextValues.of(text);
      ok(values !== undefined);
      deepEqual([...values], JSON.parse(`[${text}]`));
      equal(values.length, [...values].length);
      equal(values.at(-1), [...values].at(-1));
      equal(values.join(), text);
      const places = new Uint32Array(values.length);
      const filled = values.copyTo(new Float64Array(values.length), places);
      deepEqual(
        Array.from(places.subarray(0, filled), (place) => [...values][place]),
        [...values].filter((value) => !Object.is(value, 0)),
      );
    });
  }

  const bad = [
    '',
    ',',
    '1,',
    ',1',
    '1,,2',
    '-',
    '--1',
    '01',
    '-01',
    '1.',
    '.5',
    '1.2.3',
    '1 ',
    ' 1',
    '1e5',
    '1E400',
    '0x1',
    'NaN',
  ];
  for (const text of [...bad, '"1"', '[1]', '1]', 'null', '٣', `1,${'9'.repeat(301)}`]) {
    it(`leaves ${JSON.stringify(text.slice(0, 20))} to the parser of JSON`, () => {
      equal(TextValues.of(text), undefined);
    });
  }

  it('reads only what JSON reads, and as the same finite numbers', () => {
    const pieces = fc.constantFrom('0', '1', '9', '-', '.', ',', 'e', '00', '12', '0,', '-1,', '0.5');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
        const values = TextValues.of(list.join(''));
        if (values === undefined) return;
        deepEqual([...values], JSON.parse(`[${list.join('')}]`));
        equal(values.at(-1), [...values].at(-1));
        ok([...values].every(Number.isFinite));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads every list of numbers that a part holds', () => {
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ min: -1e9, max: 1e9, noNaN: true }));
    const written = number.filter((value) => !Object.is(value, -0) && !String(value).includes('e'));
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), (numbers) => {
        deepEqual([...(TextValues.of(numbers.join(',')) ?? [])], numbers);
      }),
    );
  });
});
