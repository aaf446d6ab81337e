/** Counts by measure of histograms that were left out: bounded, the worst first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BadHistogramCounts, MAX_NAMED } from '../../src/pipeline/bad-histograms.ts';

describe('bad histograms by measure', () => {
  it('are the worst ones, the worst first, equal ones by name', () => {
    const counts = new BadHistogramCounts();
    for (const name of ['B', 'C', 'A', 'C']) counts.note(name);
    counts.add({ D: 5, B: 0 });
    assert.deepEqual(Object.entries(counts.worst(3)), [
      ['D', 5],
      ['C', 2],
      ['A', 1],
    ]);
  });

  it('take the names of members that every object has', () => {
    const counts = new BadHistogramCounts();
    for (const name of ['__proto__', 'constructor', '__proto__']) counts.note(name);
    const again = new BadHistogramCounts();
    again.add(JSON.parse(JSON.stringify(counts.worst(10))) as Record<string, number>);
    assert.deepEqual(Object.entries(again.worst(10)), [
      ['__proto__', 2],
      ['constructor', 1],
    ]);
  });

  it('name what is often bad, however many other names come between', () => {
    const counts = new BadHistogramCounts();
    for (let round = 0; round < 100; round += 1) {
      counts.note('OFTEN');
      for (let name = 0; name < 1000; name += 1) counts.note(`INVENTED_${round}_${name}`);
      assert.ok(counts.size <= 20_000, `${counts.size} names`);
    }
    assert.deepEqual(Object.entries(counts.worst(1)), [['OFTEN', 100]]);
  });

  it('end at the largest count that can be stored', () => {
    const counts = new BadHistogramCounts();
    for (let time = 0; time < 3; time += 1) counts.add({ A: Number.MAX_SAFE_INTEGER });
    assert.deepEqual(counts.worst(1), { A: Number.MAX_SAFE_INTEGER });
  });

  it('do not depend on the order in which they come', () => {
    const name = fc.constantFrom('A', 'B', 'C', 'D', 'E');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.nat(9)), { maxLength: 30 }), (noted) => {
        const [there, back] = [noted, noted.toReversed()].map((pairs) => {
          const counts = new BadHistogramCounts();
          for (const [measure, count] of pairs) counts.note(measure, count);
          return Object.entries(counts.worst(MAX_NAMED));
        });
        assert.deepEqual(there, back);
      }),
    );
  });
});
