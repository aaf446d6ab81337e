import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstShared } from '../../src/pipeline/dataset/overlap.ts';

class Lines {
  readonly #keys: readonly string[];
  isClosed = false;

  constructor(keys: Iterable<string>) {
    this.#keys = [...keys].sort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    try {
      yield* this.#keys;
    } finally {
      this.isClosed = true;
    }
  }
}

describe('input files that two lists share', () => {
  it('are found wherever they are, the first one named', async () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key), fc.uniqueArray(key), async (a, b) => {
        const shared = a.filter((one) => b.includes(one)).sort()[0];
        assert.equal(await firstShared(new Lines(a), new Lines(b)), shared);
      }),
    );
  });

  it('are looked for no further than the first, and both lists are closed', async () => {
    const [a, b] = [new Lines(['a', 'b', 'x', 'y']), new Lines(['b', 'z'])];
    assert.equal(await firstShared(a, b), 'b');
    assert.deepEqual([a.isClosed, b.isClosed], [true, true]);
  });
});
