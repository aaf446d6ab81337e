/** Inputs of workflows: what is refused before anything happens, in one readable sentence. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INVESTIGATION_NAME } from '../../src/names.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { parseDailyAnalysisInput, parseInvestigationInput } from '../../src/pipeline/run-input.ts';

const deep = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
const investigation = (input: object): unknown => parseInvestigationInput({ name: 'x', ...input }, INVESTIGATION_NAME);

describe('an input', () => {
  for (const [name, parse, message] of [
    ['nested 5,000 deep', () => parseDailyAnalysisInput({ filter: deep(5000) }), /nested deeper than 64 levels/],
    ['of an investigation, nested 5,000 deep', () => investigation({ filter: deep(5000) }), /nested deeper/],
    ['with a day of 3,000 characters', () => parseDailyAnalysisInput({ day: '1'.repeat(3000) }), /"day" must be a cal/],
    ['with the day 99999999', () => parseDailyAnalysisInput({ day: '99999999' }), /"day" must be a calendar day/],
    ['with 30 February', () => investigation({ day: '20130230' }), /"day" must be a calendar day/],
    [
      'with a key of 2,000 bytes',
      () => investigation({ keys: ['k'.repeat(2000)] }),
      /"keys" must be a list of 1 to 100/,
    ],
    ['with a key of 1,025 bytes in UTF-8', () => investigation({ keys: [`${'é'.repeat(512)}x`] }), /"keys" must be/],
    ['with a key list of 2,000 bytes', () => investigation({ keyList: 'k'.repeat(2000) }), /"keyList" must be a key/],
    ...['a\nb', 'a\u001b[31m', 'a\u2028b', 'a\u0085b'].map(
      (key) => [`with the key ${JSON.stringify(key)}`, () => investigation({ keys: [key] }), /"keys" must be/] as const,
    ),
    ['with a line feed in a key list', () => investigation({ keyList: 'a\nb' }), /"keyList" must be a key/],
    ['with an empty key', () => investigation({ keys: [''] }), /"keys" must be/],
  ] as const) {
    it(`${name} is refused`, () => {
      assert.throws(parse, (error) => {
        assert.ok(error instanceof InvalidDataError);
        assert.equal(error.reason, 'invalid_input');
        assert.match(error.message, message);
        assert.ok(error.message.length < 1000);
        return true;
      });
    });
  }

  it('with the longest keys is taken', () => {
    for (const key of ['k'.repeat(1024), 'é'.repeat(512), '🦊'.repeat(256)])
      assert.deepEqual((investigation({ keys: [key] }) as { keys: string[] }).keys, [key]);
  });
});
