import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sortedMerge } from '../../src/pipeline/sorted-merge.ts';

interface Item {
  readonly key: number;
  readonly source: number;
  readonly position: number;
}

class UnsortedError extends Error {
  override readonly name = 'UnsortedError';
}

const RULES = {
  compare: (a: Item, b: Item) => a.key - b.key,
  combine: (equal: readonly [Item, ...Item[]]) => equal,
  unsorted: (item: Item, after: Item) => new UnsortedError(`${item.key} after ${after.key} in ${item.source}`),
};

const itemsOf = (keys: readonly number[], source: number): Item[] =>
  keys.map((key, position) => ({ key, source, position }));

async function* inTime(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) {
    if (item.position % 3 === 1) await Promise.resolve();
    yield item;
  }
}

/** Half of the sources answer at once, half in their time. */
const sourcesOf = (lists: readonly (readonly number[])[]) =>
  lists.map((keys, source) => {
    const items = itemsOf(keys, source);
    return source % 2 === 0 ? items : inTime(items);
  });

const anyKeys = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });
const sortedLists = fc.array(
  anyKeys.map((keys) => keys.toSorted((a, b) => a - b)),
  { maxLength: 9 },
);

describe('sortedMerge', () => {
  it('gives what sorting all sources one behind the other would give, equal items in the order of the sources', async () => {
    await fc.assert(
      fc.asyncProperty(sortedLists, async (lists) => {
        const merged = await Array.fromAsync(sortedMerge(sourcesOf(lists), RULES));
        assert.deepEqual(merged.flat(), lists.flatMap(itemsOf).toSorted(RULES.compare));
      }),
    );
  });

  it('combines all equal items, and only those', async () => {
    await fc.assert(
      fc.asyncProperty(sortedLists, async (lists) => {
        const merged = await Array.fromAsync(sortedMerge(sourcesOf(lists), RULES));
        assert.ok(merged.every((equal) => equal.every(({ key }) => key === equal[0].key)));
        assert.equal(new Set(merged.map(([{ key }]) => key)).size, merged.length);
      }),
    );
  });

  it('reports a source that is not sorted, and hands on nothing out of order', async () => {
    const isSorted = (keys: readonly number[]): boolean => keys.every((key, at) => at === 0 || keys[at - 1]! <= key);
    const lists = fc.array(anyKeys, { minLength: 1, maxLength: 6 }).filter((some) => !some.every(isSorted));
    await fc.assert(
      fc.asyncProperty(lists, async (some) => {
        const keys: number[] = [];
        await assert.rejects(async () => {
          for await (const [{ key }] of sortedMerge(sourcesOf(some), RULES)) keys.push(key);
        }, UnsortedError);
        assert.ok(isSorted(keys));
      }),
    );
  });

  it('names the item, the greater one before it, and their source', async () => {
    const merged = sortedMerge(sourcesOf([[1, 5, 9], [2, 7, 3], [8]]), RULES);
    await assert.rejects(Array.fromAsync(merged), { message: '3 after 7 in 1' });
  });

  it('gives nothing for no sources and for empty ones', async () => {
    assert.deepEqual(await Array.fromAsync(sortedMerge([], RULES)), []);
    assert.deepEqual(await Array.fromAsync(sortedMerge(sourcesOf([[], [], []]), RULES)), []);
  });

  describe('closes every source', () => {
    let open = 0;
    async function* counted(items: readonly Item[], fails = false): AsyncGenerator<Item> {
      open += 1;
      try {
        yield* items;
        if (fails) throw new Error('cannot be read');
      } finally {
        open -= 1;
      }
    }

    it('when its reader stops early', async () => {
      await fc.assert(
        fc.asyncProperty(sortedLists, fc.nat(8), async (lists, wanted) => {
          let taken = 0;
          for await (const equal of sortedMerge(
            lists.map((keys, source) => counted(itemsOf(keys, source))),
            RULES,
          )) {
            assert.ok(equal.length > 0);
            if ((taken += 1) > wanted) break;
          }
          assert.equal(open, 0);
        }),
      );
    });

    it('when one of them fails, at its beginning or later', async () => {
      for (const keys of [[], [1], [1, 2, 3]]) {
        const sources = [counted(itemsOf([1, 2, 3, 4], 0)), counted(itemsOf(keys, 1), true)];
        await assert.rejects(Array.fromAsync(sortedMerge(sources, RULES)), /cannot be read/);
        assert.equal(open, 0);
      }
    });

    it('when one of them is not sorted', async () => {
      const sources = [counted(itemsOf([1, 2, 3, 4], 0)), counted(itemsOf([2, 1], 1))];
      await assert.rejects(Array.fromAsync(sortedMerge(sources, RULES)), UnsortedError);
      assert.equal(open, 0);
    });
  });
});
