import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../fakes/any-character.ts';
import { missingFiles, processedFiles } from '../../src/pipeline/dataset/file-lists.ts';
import { compareText } from '../../src/pipeline/text-order.ts';

async function* lines(list: readonly string[], closed: () => void = () => undefined): AsyncGenerator<string> {
  try {
    yield* list;
  } finally {
    closed();
  }
}

const sorted = (list: readonly string[]): string[] =>
  list.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const all = (lists: readonly (readonly string[])[]) => lists.map((list) => lines(sorted(list)));

describe('FILES_PROCESSED and FILES_MISSING', () => {
  it('lists each file once, and as processed when any day has processed it', async () => {
    const processed = [['b', 'd'], [], ['a', 'b', 'b']];
    const missing = [
      ['c', 'd', 'e'],
      ['a', 'c'],
    ];
    assert.deepEqual(await Array.fromAsync(processedFiles(all(processed))), ['a', 'b', 'd']);
    assert.deepEqual(await Array.fromAsync(missingFiles(all(processed), all(missing))), ['c', 'e']);
  });

  it('has every key of every list in exactly one of both, by bytes', async () => {
    const key = fc.oneof(fc.constantFrom('a', 'b', 'c', '\uffee', 'é'), fc.string({ unit: 'grapheme-ascii' }));
    const lists = fc.array(fc.array(key), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(lists, lists, async (processed, missing) => {
        const done = new Set(processed.flat());
        const lost = new Set(missing.flat()).difference(done);
        assert.deepEqual(await Array.fromAsync(processedFiles(all(processed))), sorted([...done]));
        assert.deepEqual(await Array.fromAsync(missingFiles(all(processed), all(missing))), sorted([...lost]));
      }),
    );
  });

  it('refuses a list that is not sorted', async () => {
    await assert.rejects(Array.fromAsync(processedFiles([lines(['b', 'a'])])), { reason: 'unsorted_list' });
  });

  it('closes all its lists when the reader stops early', async () => {
    let closed = 0;
    const count = (): void => {
      closed += 1;
    };
    for await (const key of missingFiles([lines(['a', 'x'], count)], [lines(['b', 'c'], count), lines(['d'], count)])) {
      assert.equal(key, 'b');
      break;
    }
    assert.equal(closed, 3);
  });
});

describe('compareText', () => {
  it('is the order of UTF-8 bytes for all text without surrogates', () => {
    const text = fc.string({ unit: 'grapheme-composite' }).map((value) => value.replaceAll(/[\ud800-\udfff]/g, ''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        assert.equal(Math.sign(compareText(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('is one and the same order for any text', () => {
    const text = fc.string({ unit: anyCharacter });
    fc.assert(fc.property(text, text, (a, b) => compareText(a, b) === -compareText(b, a) || a === b));
    assert.notEqual(compareText('\uffee', '𝌆'), 0);
  });
});
