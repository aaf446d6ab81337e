/** Rows of published files, as the look for changes reads them back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoredJson } from '../../src/pipeline/stored-json.ts';
import { rowNumbers } from '../../src/threads/published-files.ts';

const read = (text: string): readonly number[] => rowNumbers(StoredJson.parse(text, 'bad_summary', 'row'));

describe('a row of a published file', () => {
  it('has the largest numbers that many rows can have together', () => {
    assert.deepEqual(read(`[${2 ** 128},-${2 ** 128},0.5,-1]`), [2 ** 128, -(2 ** 128), 0.5, -1]);
  });

  for (const text of ['[1e308]', '[-1e39]', '[1e999]', '["1"]', '[null]', '[true]', '{}', '1'])
    it(`is not ${text}, of which sums could be no numbers`, () => {
      assert.throws(() => read(text), /a list of numbers up to 2\^128/);
    });
});
