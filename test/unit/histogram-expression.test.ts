import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { evaluateNumber } from '../../src/histograms/expression.ts';

describe('evaluateNumber', () => {
  const values: [unknown, number][] = [
    [0, 0],
    [10000, 10000],
    [2147483647, 2147483647],
    ['500', 500],
    ['32 * 1024', 32768],
    ['16 * 1024 * 1024', 16777216],
    ['10 * 1000', 10000],
    ['80 + 1', 81],
    ['80*25', 2000],
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['10 - 4 - 3', 3],
    ['1 - 2 + 3', 2],
    ['100 / 5 / 4', 5],
    ['2147483648 - 1', 2147483647],
    ['\t( ( 7 ) ) ', 7],
    ['JS::gcreason::NUM_TELEMETRY_REASONS', 101],
    ['mozilla::StartupTimeline::MAX_EVENT_ID + 1', 13],
  ];
  for (const [source, expected] of values) {
    it(`reads ${JSON.stringify(source)} as ${expected}`, () => {
      assert.equal(evaluateNumber(source), expected);
    });
  }

  const refused: [string, unknown][] = [
    ['nothing', ''],
    ['blanks', '   '],
    ['a call', "__import__('os')"],
    ['a power', '10**9'],
    ['a fraction', '1.5'],
    ['an exponent', '1e3'],
    ['a hexadecimal number', '0x10'],
    ['a sign', '-1'],
    ['a sign after an operator', '3 * -1'],
    ['a division with rest', '10 / 4'],
    ['a division by zero', '10 / 0'],
    ['zero by zero', '0 / 0'],
    ['an open bracket', '(1 + 2'],
    ['an empty bracket', '()'],
    ['a bracket without partner', '1 + 2)'],
    ['two numbers', '1 2'],
    ['an operator at the end', '1 +'],
    ['an unknown symbol', 'mozilla::Telemetry::COUNT'],
    ['a name of the language', 'constructor'],
    ['a line break', '1\n+ 2'],
    ['a result over 2^31 - 1', '2147483647 + 1'],
    ['a negative result', '1 - 2'],
    ['a number beyond exactness on the way', '99999999999999999999 / 99999999999999999999'],
    ['more than 64 characters', `${'1+'.repeat(32)}1`],
    ['a fraction as number', 10.5],
    ['a negative number', -1],
    ['NaN', NaN],
    ['a number out of range', 2 ** 31],
    ['null', null],
    ['a boolean', true],
    ['a list', [1]],
    ['an absent member', undefined],
  ];
  for (const [what, source] of refused) {
    it(`takes ${what} for no number`, () => {
      assert.equal(evaluateNumber(source), undefined);
    });
  }

  it('agrees with arithmetic on any sum of products in range', () => {
    const products = fc.array(fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(products, (lists) => {
        const text = lists.map((list) => list.join(' * ')).join('+');
        const value = lists.reduce((total, list) => total + list.reduce((a, b) => a * b, 1), 0);
        assert.equal(evaluateNumber(text), text.length <= 64 ? value : undefined);
      }),
    );
  });

  it('never throws', () => {
    const pieces = fc.constantFrom('1', '20', '+', '-', '*', '/', '(', ')', ' ', 'a', '::', '"');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 70 }), (list) => {
        const value = evaluateNumber(list.join(''));
        assert.ok(value === undefined || (Number.isInteger(value) && value >= 0));
      }),
    );
  });
});
