import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bucketCount, type BucketParameters, bucketsOf } from '../../src/histograms/buckets.ts';

const numbers = (text: string): number[] => text.split(' ').map(Number);
const range = (kind: string, low: unknown, high: unknown, n_buckets: unknown): BucketParameters => ({
  kind,
  low,
  high,
  n_buckets,
});

describe('bucketsOf', () => {
  // The table of docs/formats/histogram-server.md 6.4, and the bounds of simple measures
  // (docs/formats/submissions.md 3.6).
  const table: [string, BucketParameters, string][] = [
    ['boolean', { kind: 'boolean' }, '0 1 2'],
    ['flag', { kind: 'flag' }, '0 1 2'],
    ['count', { kind: 'count' }, '0 1 2'],
    ['enumerated 11', { kind: 'enumerated', n_values: 11 }, '0 1 2 3 4 5 6 7 8 9 10 11'],
    ['enumerated 2', { kind: 'enumerated', n_values: 2 }, '0 1 2'],
    ['enumerated 1', { kind: 'enumerated', n_values: 1 }, '0 1'],
    ['linear 1…100, 10', range('linear', 1, 100, 10), '0 1 13 26 38 51 63 75 88 100'],
    ['linear 10…500, 10', range('linear', '10', '500', '10'), '0 10 71 133 194 255 316 378 439 500'],
    [
      'linear 1…1000, 20',
      range('linear', 1, 1000, 20),
      '0 1 57 112 168 223 279 334 390 445 501 556 612 667 723 778 834 889 945 1000',
    ],
    ['linear 100…1000, 10', range('linear', 100, 1000, 10), '0 100 213 325 438 550 663 775 888 1000'],
    ['linear 1…3, 10', range('linear', 1, 3, 10), '0 1 1 2 2 2 2 3 3 3'],
    ['exponential 1…3000, 10', range('exponential', undefined, '3000', '10'), '0 1 3 8 21 57 154 414 1114 3000'],
    ['exponential, an expression', range('exponential', 1, '10 * 1000', 10), '0 1 3 10 32 101 319 1006 3172 10000'],
    ['exponential 10…10000, 8', range('exponential', 10, 10000, 8), '0 10 32 101 319 1006 3172 10000'],
    ['exponential 32…1024, 10', range('exponential', 32, 1024, 10), '0 32 49 76 117 181 279 430 664 1024'],
    [
      'exponential 1…10000, 50',
      range('exponential', 1, 10000, 50),
      '0 1 2 3 4 5 6 7 8 10 12 14 17 20 24 29 34 40 48 57 68 81 96 114 135 160 190 226 268 318 378 449 533 633 752 ' +
        '894 1062 1262 1500 1782 2117 2516 2990 3553 4222 5017 5961 7083 8416 10000',
    ],
    [
      'exponential 1…30000, 50',
      range('exponential', 1, 30000, 50),
      '0 1 2 3 4 5 6 7 9 11 13 16 20 24 29 35 43 52 63 77 94 115 140 171 209 255 311 379 462 564 688 839 1023 1248 ' +
        '1522 1857 2265 2763 3370 4111 5015 6118 7463 9104 11106 13548 16527 20161 24593 30000',
    ],
    [
      'exponential 1…10, 20 runs over its high',
      range('exponential', 1, 10, 20),
      '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19',
    ],
    ['a low of 0 counts as 1', range('linear', 0, 100, 10), '0 1 13 26 38 51 63 75 88 100'],
    ['categorical of 2016', { kind: 'categorical', labels: ['a', 'b', 'c'] }, '0 1 2 3'],
    [
      'categorical with room for more labels',
      { kind: 'categorical', labels: ['a', 'b'], n_values: 5 },
      Array.from({ length: 51 }, (_, i) => i).join(' '),
    ],
  ];
  for (const [what, definition, expected] of table) {
    it(`gives the bounds of ${what}`, () => {
      assert.deepEqual(bucketsOf(definition).bounds, numbers(expected));
      assert.equal(bucketCount(definition), numbers(expected).length);
    });
  }

  const faults: [string, BucketParameters, string][] = [
    ['an unknown kind', { kind: 'foo' }, 'unknown_kind'],
    ['a kind that every object has', { kind: 'constructor' }, 'unknown_kind'],
    ['2 buckets', range('linear', 1, 10, 2), 'out_of_range'],
    ['10,001 buckets', range('exponential', 1, 100000, 10_001), 'out_of_range'],
    ['high = low', range('linear', 10, 10, 5), 'out_of_range'],
    ['high < low', range('exponential', 10, 5, 5), 'out_of_range'],
    ['low 0 with high 1', range('exponential', 0, 1, 5), 'out_of_range'],
    ['no high', { kind: 'linear', n_buckets: 10 }, 'not_a_number'],
    ['a low that is no number', range('linear', 'x', 10, 5), 'not_a_number'],
    ['n_values 0', { kind: 'enumerated', n_values: 0 }, 'out_of_range'],
    ['n_values 10,000', { kind: 'enumerated', n_values: 10_000 }, 'out_of_range'],
    ['an unknown symbol', { kind: 'enumerated', n_values: 'mozilla::Foo::BAR' }, 'not_a_number'],
    ['categorical without labels', { kind: 'categorical' }, 'not_a_number'],
  ];
  for (const [what, definition, fault] of faults) {
    it(`finds fault with ${what}`, () => {
      assert.deepEqual(bucketsOf(definition), { fault });
      assert.equal(bucketCount(definition), undefined);
    });
  }

  it('takes another limit for the number of buckets', () => {
    assert.deepEqual(bucketsOf(range('linear', 1, 100, 10), 9), { fault: 'out_of_range' });
  });

  it('gives ascending bounds that begin with 0 and low, and end at high unless there are too many', () => {
    const kinds = fc.constantFrom('linear', 'exponential');
    fc.assert(
      fc.property(
        kinds,
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 3, max: 100 }),
        (kind, low, width, count) => {
          const { bounds = [] } = bucketsOf(range(kind, low, low + width, count));
          assert.equal(bounds.length, count);
          assert.deepEqual(bounds.slice(0, 2), [0, low]);
          assert.ok(bounds.every((bound, i) => i === 0 || bound >= (bounds[i - 1] ?? 0)));
          if (kind === 'linear' || width >= count ** 2 * low) assert.equal(bounds.at(-1), low + width);
        },
      ),
    );
  });
});
