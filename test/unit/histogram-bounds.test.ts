/** The bounds of definitions of all kinds and ages, worked out by another program from the browser's description of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketsOf } from '../../src/histograms/buckets.ts';
import { parseHistogramsFile } from '../../src/histograms/histograms-file.ts';

/** Kind, low, high, n_buckets: the bounds. */
const RANGES = `
linear 1 2 3: 0 1 2
linear 1 10 5: 0 1 4 7 10
linear 1 12 13: 0 1 2 3 4 5 6 7 8 9 10 11 12
linear 1 50 10: 0 1 7 13 19 26 32 38 44 50
linear 1 100 4: 0 1 51 100
linear 1 1000 8: 0 1 168 334 501 667 834 1000
linear 2 9 8: 0 2 3 4 6 7 8 9
linear 5 60 12: 0 5 11 16 22 27 33 38 44 49 55 60
linear 10 20 3: 0 10 20
linear 10 1000 20: 0 10 65 120 175 230 285 340 395 450 505 560 615 670 725 780 835 890 945 1000
linear 1 30000 6: 0 1 7501 15001 22500 30000
linear 100 100000 11: 0 100 11200 22300 33400 44500 55600 66700 77800 88900 100000
linear 1 4 9: 0 1 1 2 2 3 3 4 4
linear 1000 5000 10: 0 1000 1500 2000 2500 3000 3500 4000 4500 5000
linear 1 2147483647 5: 0 1 715827883 1431655765 2147483647
linear 7 77 7: 0 7 21 35 49 63 77
linear 1 200 15: 0 1 16 32 47 62 78 93 108 123 139 154 169 185 200
linear 1 6 20: 0 1 1 2 2 2 2 3 3 3 4 4 4 4 5 5 5 5 6 6
linear 3 1500 10: 0 3 190 377 564 752 939 1126 1313 1500
exponential 1 2 3: 0 1 2
exponential 1 10 5: 0 1 2 4 10
exponential 1 100 10: 0 1 2 3 5 9 16 29 54 100
exponential 1 1000 10: 0 1 2 5 12 29 70 170 412 1000
exponential 1 1000 20: 0 1 2 3 4 6 9 13 19 27 39 56 80 115 165 237 340 487 698 1000
exponential 1 60000 12: 0 1 3 9 27 81 244 734 2207 6636 19954 60000
exponential 1 5000 10: 0 1 3 9 26 74 212 608 1744 5000
exponential 1 20000 15: 0 1 2 4 9 19 41 89 193 418 906 1964 4257 9227 20000
exponential 1 300000 21: 0 1 2 4 8 15 29 56 108 209 405 784 1518 2939 5691 11020 21339 41320 80011 154930 300000
exponential 1 1000000 10: 0 1 6 33 184 1028 5741 32062 179059 1000000
exponential 10 2000 10: 0 10 19 37 72 140 272 529 1029 2000
exponential 50 5000 8: 0 50 108 233 501 1079 2323 5000
exponential 100 600000 14: 0 100 206 425 878 1813 3744 7732 15969 32980 68112 140669 290519 600000
exponential 1024 1024000 10: 0 1024 2428 5758 13655 32381 76788 182094 431815 1024000
exponential 1 21 20: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18 19 21
exponential 1 604800 20: 0 1 2 4 8 17 36 76 161 340 719 1520 3212 6788 14346 30318 64073 135411 286176 604800
exponential 1 2147483647 12: 0 1 9 77 656 5593 47682 406508 3465647 29546055 251892179 2147483647
exponential 2 64 6: 0 2 5 12 28 64
exponential 3 81 5: 0 3 9 27 81
exponential 1 15 14: 0 1 2 3 4 5 6 7 8 9 10 11 13 15
exponential 32768 3000000 10: 0 32768 57631 101360 178269 313534 551434 969846 1705737 3000000
exponential 1 50000 20: 0 1 2 4 7 13 23 42 76 137 247 446 805 1452 2619 4724 8521 15369 27721 50000
`;

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, index) => index);
const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `label${index}`);
const PROCESSES = { record_in_processes: ['main', 'content'] };

/** Definitions as files of that time write them. */
const OTHERS: readonly [what: string, definition: object, bounds: readonly number[]][] = [
  ['boolean of 2013', { kind: 'boolean' }, [0, 1, 2]],
  ['boolean of 2018', { kind: 'boolean', ...PROCESSES }, [0, 1, 2]],
  ['flag of 2013', { kind: 'flag' }, [0, 1, 2]],
  ['flag of 2018', { kind: 'flag', ...PROCESSES }, [0, 1, 2]],
  ['count of 2015', { kind: 'count' }, [0, 1, 2]],
  ['count of 2018', { kind: 'count', ...PROCESSES }, [0, 1, 2]],
  ['keyed count', { kind: 'count', keyed: true }, [0, 1, 2]],
  ['enumerated of 1', { kind: 'enumerated', n_values: 1 }, [0, 1]],
  ['enumerated of 5', { kind: 'enumerated', n_values: 5 }, upTo(5)],
  ['enumerated, a text', { kind: 'enumerated', n_values: '20' }, upTo(20)],
  ['enumerated, a sum', { kind: 'enumerated', n_values: '80 + 1' }, upTo(81)],
  ['enumerated by JS::gcreason', { kind: 'enumerated', n_values: 'JS::gcreason::NUM_TELEMETRY_REASONS' }, upTo(101)],
  ['enumerated by js::gcreason', { kind: 'enumerated', n_values: 'js::gcreason::NUM_TELEMETRY_REASONS' }, upTo(101)],
  ['enumerated by JS::GCReason', { kind: 'enumerated', n_values: 'JS::GCReason::NUM_TELEMETRY_REASONS' }, upTo(101)],
  ['enumerated of start-up', { kind: 'enumerated', n_values: 'mozilla::StartupTimeline::MAX_EVENT_ID' }, upTo(12)],
  ['enumerated of 2018', { kind: 'enumerated', n_values: 16, ...PROCESSES }, upTo(16)],
  ['categorical of 2016, 3 labels', { kind: 'categorical', labels: labels(3) }, upTo(3)],
  ['categorical of 2016, 60 labels', { kind: 'categorical', labels: labels(60) }, upTo(60)],
  ['categorical since Firefox 55, 3 labels', { kind: 'categorical', labels: labels(3), ...PROCESSES }, upTo(50)],
  ['categorical since Firefox 55, 50 labels', { kind: 'categorical', labels: labels(50), ...PROCESSES }, upTo(50)],
  ['categorical since Firefox 55, 60 labels', { kind: 'categorical', labels: labels(60), ...PROCESSES }, upTo(60)],
  ['categorical with n_values 100', { kind: 'categorical', labels: labels(3), n_values: 100, ...PROCESSES }, upTo(100)],
  ['categorical with n_values 5', { kind: 'categorical', labels: labels(2), n_values: 5 }, upTo(50)],
];

describe('the bounds of definitions', () => {
  for (const line of RANGES.trim().split('\n')) {
    const [definition = '', bounds = ''] = line.split(': ');
    it(definition, () => {
      const [kind = '', low, high, n_buckets] = definition.split(' ');
      // Files of all times give numbers as texts, too.
      for (const form of [Number, String])
        assert.deepEqual(
          bucketsOf({ kind, low: form(low), high: form(high), n_buckets: form(n_buckets) }).bounds,
          bounds.split(' ').map(Number),
        );
    });
  }

  for (const [what, definition, bounds] of OTHERS) {
    it(what, () => {
      const { definitions } = parseHistogramsFile(JSON.stringify({ X: definition }));
      assert.deepEqual(bucketsOf(definitions?.['X'] ?? { kind: '' }).bounds, bounds);
    });
  }

  it('linear with 10,000 buckets, as the heap snapshots of the developer tools', () => {
    const { bounds = [] } = bucketsOf({ kind: 'linear', low: 1, high: 1000, n_buckets: 10_000 });
    assert.equal(bounds.length, 10_000);
    assert.deepEqual([bounds[0], bounds[1], bounds.at(-1)], [0, 1, 1000]);
  });
});
