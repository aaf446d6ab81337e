import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FilterTree, isFilterPath } from '../../src/pipeline/dataset/filter-tree.ts';

describe('FilterTree', () => {
  it('gives ids along the path, inner nodes first, and the same id again', () => {
    const tree = FilterTree.empty();
    assert.equal(tree.idOf('saved_session/Fennec/Android/16/arm'), 5);
    assert.equal(tree.idOf('saved_session/Fennec/Android/10/arm'), 7);
    assert.equal(tree.idOf('saved_session/Fennec/Android/16/arm'), 5);
    assert.equal(tree.idOf('saved_session/Fennec/Android/16/x86'), 8);
    assert.equal(tree.idOf('idle_daily/Fennec/Android/16/arm'), 13);
  });

  it('writes options in the order they were needed, even ones that are numbers', () => {
    const tree = FilterTree.empty();
    tree.idOf('r/a/Android/16/arm');
    tree.idOf('r/a/Android/10/arm');
    const text =
      '{"_id":0,"name":"reason","r":{"_id":1,"name":"appName","a":{"_id":2,"name":"OS","Android":{"_id":3,' +
      '"name":"osVersion","16":{"_id":4,"name":"arch","arm":{"_id":5}},"10":{"_id":6,"name":"arch","arm":{"_id":7}}}}}}';
    assert.equal(tree.toJson(), text);
    assert.equal(FilterTree.parse(text).toJson(), text);
  });

  it('goes on after the highest id of a published tree', () => {
    const tree = FilterTree.parse(
      '{"_id":0,"name":"reason","r":{"_id":40,"name":"appName","a":{"_id":2,"name":"OS"}}}',
    );
    assert.equal(tree.idOf('r/a/Linux/3.1/x86'), 43);
  });

  it('keeps every id, and gives no id twice, over any number of publishes', () => {
    const part = fc.constantFrom('a', '16', '2', '__proto__', 'constructor', '"', 'é', '_ids');
    const path = fc.array(part, { minLength: 5, maxLength: 5 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(fc.array(path)), (publishes) => {
        const known = new Map<string, number>();
        let json = FilterTree.empty().toJson();
        for (const paths of publishes) {
          const tree = FilterTree.parse(json);
          for (const one of paths) {
            const id = tree.idOf(one);
            assert.equal(id, known.get(one) ?? id);
            known.set(one, id);
          }
          json = tree.toJson();
        }
        assert.equal(new Set(known.values()).size, known.size);
        assert.equal(FilterTree.parse(json).toJson(), json);
      }),
    );
  });

  for (const path of ['', 'a/b/c/d', 'a/b/c/d/e/f', 'a/b/c/d/', 'a//c/d/e', 'a/b/_id/d/e', 'a/b/c/name/e']) {
    it(`has no place for ${JSON.stringify(path)}`, () => {
      assert.equal(isFilterPath(path), false);
      const tree = FilterTree.empty();
      assert.throws(() => tree.idOf(path), { reason: 'bad_filter_path' });
      assert.equal(tree.toJson(), FilterTree.empty().toJson());
    });
  }

  const leaf = (node: string): string =>
    `{"_id":0,"name":"reason","r":{"_id":1,"name":"appName","a":{"_id":2,"name":"OS","o":{"_id":3,"name":"osVersion",` +
    `"v":{"_id":4,"name":"arch","x":${node}}}}}}`;
  const damaged: [string, string][] = [
    ['no JSON', '{"_id":0,"na'],
    ['a list', '[]'],
    ['no id', '{"name":"reason"}'],
    ['another root', '{"_id":1,"name":"reason"}'],
    ['a wrong level', '{"_id":0,"name":"OS"}'],
    ['an id twice', '{"_id":0,"name":"reason","r":{"_id":0,"name":"appName"}}'],
    ['an id of text', '{"_id":0,"name":"reason","r":{"_id":"1","name":"appName"}}'],
    ['a negative id', '{"_id":0,"name":"reason","r":{"_id":-1,"name":"appName"}}'],
    ['an option that is no node', '{"_id":0,"name":"reason","r":1}'],
    ['a named leaf', leaf('{"_id":5,"name":"build"}')],
    ['a level too many', leaf('{"_id":5,"y":{"_id":6}}')],
  ];
  for (const [what, json] of damaged) {
    it(`refuses a stored tree with ${what}`, () => {
      assert.throws(() => FilterTree.parse(json), { name: 'InvalidDataError', reason: 'bad_filter_tree' });
    });
  }

  it('accepts the trees it takes for whole', () => {
    assert.equal(FilterTree.parse(leaf('{"_id":5}')).idOf('r/a/o/v/x'), 5);
  });
});
