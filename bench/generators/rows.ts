/**
 * Measures of made-up names, and rows of their numbers as browsers send them: mostly zeros, a run of counts, five statistics.
 * Which kinds there are, how often and how full is taken from counting real data (bench/README.md); nothing else is.
 */
import type { Chance } from '../../local/samples/random.ts';
import { exponential, spread, Weighted } from './draw.ts';

/** What the statistics of a row may be: −1 not recorded, 0, an integer, a fraction. */
type Statistic = '-1' | '0' | 'integer' | 'fraction';
type Statistics = readonly [Statistic, Statistic, Statistic, Statistic, Statistic];

interface Kind {
  readonly buckets: number;
  /** Of all measures. */
  readonly share: number;
  /** Mean share of the buckets that have hits. */
  readonly filled: number;
  /** Median of the hits in a bucket that has any, for one submission. */
  readonly hits: number;
}

export interface Source {
  readonly kinds: readonly Kind[];
  readonly statistics: {
    readonly logs: Weighted<Statistics>;
    readonly squares: Weighted<Statistics>;
    /** Share of the measures that have logarithms; the others have squares. */
    readonly withLogs: number;
  };
  /** Chance of a hit outside of the run of counts. */
  readonly stray: number;
  /** How far hits are spread around their median. */
  readonly tail: number;
  /** Digits behind the point of a fraction. */
  readonly decimals: number;
}

/** With logarithms: recorded, of a row without hits, of a sum without logarithms. */
const logs = (recorded: number, empty: number, sumOnly: number): Weighted<Statistics> =>
  new Weighted<Statistics>([
    [['integer', 'fraction', 'fraction', '-1', '-1'], recorded],
    [['0', '0', '0', '-1', '-1'], empty],
    [['integer', '0', '0', '-1', '-1'], sumOnly],
  ]);

/** With squares: of a row without hits, small ones, such that need both numbers. */
const squares = (empty: number, small: number, large: number): Weighted<Statistics> =>
  new Weighted<Statistics>([
    [['0', '-1', '-1', '0', '0'], empty],
    [['integer', '-1', '-1', 'integer', '0'], small],
    [['integer', '-1', '-1', 'fraction', 'integer'], large],
  ]);

const kind = (buckets: number, share: number, filled: number, hits: number): Kind => ({ buckets, share, filled, hits });

/** Sums of many submissions. */
export const OF_RESULTS: Source = {
  kinds: [
    kind(50, 0.373, 0.1, 2.2),
    kind(3, 0.219, 0.45, 6.3),
    kind(10, 0.197, 0.17, 6.3),
    kind(15, 0.034, 0.11, 1.4),
    kind(20, 0.031, 0.18, 3.5),
    kind(100, 0.032, 0.085, 1.4),
    kind(30, 0.024, 0.24, 12.6),
    kind(17, 0.02, 0.09, 2.8),
    kind(200, 0.018, 0.045, 1.1),
    kind(12, 0.02, 0.1, 1.4),
    kind(250, 0.004, 0.01, 1.1),
    kind(6, 0.011, 0.2, 5.6),
    kind(40, 0.017, 0.05, 1.4),
  ],
  statistics: { logs: logs(33, 21, 11.9), squares: squares(15.9, 15.5, 2.3), withLogs: 0.66 },
  stray: 0.04,
  tail: 1,
  decimals: 9,
};

/** Of one submission. */
export const OF_SUBMISSIONS: Source = {
  kinds: [
    kind(50, 0.29, 0.105, 4.2),
    kind(3, 0.262, 0.37, 4.2),
    kind(10, 0.22, 0.14, 5.1),
    kind(15, 0.034, 0.08, 1.7),
    kind(20, 0.033, 0.16, 6.8),
    kind(100, 0.033, 0.075, 2.5),
    kind(30, 0.025, 0.3, 25.5),
    kind(17, 0.022, 0.1, 5.1),
    kind(200, 0.021, 0.03, 1.7),
    kind(12, 0.022, 0.07, 1.7),
    kind(102, 0.012, 0.04, 2.5),
    kind(6, 0.012, 0.3, 8.5),
    kind(51, 0.014, 0.02, 0.8),
  ],
  statistics: { logs: logs(27.8, 20.6, 12.9), squares: squares(18.5, 18, 2.2), withLogs: 0.61 },
  stray: 0.02,
  tail: 2,
  decimals: 6,
};

export interface Measure {
  readonly name: string;
  readonly kind: Kind;
  readonly statistics: Weighted<Statistics>;
}

/** So many measures, whose kinds have their shares whatever the number is. */
export function measuresOf(source: Source, count: number): Measure[] {
  const { logs: withLogarithms, squares: withSquares, withLogs } = source.statistics;
  return Array.from({ length: count }, (_, index) => ({
    name: nameOf(index),
    kind: kindAt(source.kinds, fractionOf((index + 1) * GOLDEN)),
    statistics: fractionOf((index + 1) * ROOT) < withLogs ? withLogarithms : withSquares,
  }));
}

/** Multiples of each fill 0 to 1 evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const ROOT = Math.sqrt(3) - 1;
const fractionOf = (value: number): number => value - Math.floor(value);

function kindAt(kinds: readonly Kind[], at: number): Kind {
  let left = at * kinds.reduce((sum, { share }) => sum + share, 0);
  for (const one of kinds) {
    left -= one.share;
    if (left < 0) return one;
  }
  return kinds[0]!;
}

const AREAS = [
  'CACHE',
  'NETWORK_LOAD',
  'PAINT',
  'PLACES_QUERY',
  'GC_SLICE',
  'PLUGIN_START',
  'SEARCH_ENGINE',
  'SESSION',
];
const THINGS = ['DELAY', 'ENTRY_COUNT', 'FIRST_RESPONSE', 'BLOCKED_MAIN_THREAD', 'LOOKUP', 'MEMORY_RESIDENT'];
const UNITS = ['MS', 'KB', 'SUCCESS', 'COUNT_2', 'PERCENT'];

/** Every fourteenth is a simple measure. */
function nameOf(index: number): string {
  const area = AREAS[index % AREAS.length]!;
  const thing = THINGS[Math.floor(index / 3) % THINGS.length]!;
  const unit = UNITS[Math.floor(index / 7) % UNITS.length]!;
  const name = `${area}_${thing}_${unit}_${index}`;
  return index % 14 === 5 ? `SIMPLE_MEASURES_${name}` : name;
}

/** Share of the buckets of a run of counts that have none. */
const GAPS = 0.25;

/** A row of a measure for so many submissions, statistics included, without their count. */
export function drawRow(
  { stray, tail, decimals }: Source,
  { kind, statistics }: Measure,
  submissions: number,
  chance: Chance,
): number[] {
  const row = new Array<number>(kind.buckets).fill(0);
  const wanted = exponential(chance, (kind.filled * kind.buckets) / (1 - GAPS));
  const run = Math.min(kind.buckets, Math.floor(wanted) + (chance.happens(wanted % 1) ? 1 : 0));
  const start = chance.happens(0.4) ? 0 : chance.below(kind.buckets - run + 1);
  for (let bucket = 0; bucket < kind.buckets; bucket += 1) {
    if (bucket >= start && bucket < start + run && !chance.happens(GAPS)) {
      const hits = spread(chance, kind.hits, tail) * submissions * (0.5 + chance.unit());
      row[bucket] = Math.max(1, Math.floor(hits));
    } else if (chance.happens(stray)) row[bucket] = 1 + chance.below(3);
  }
  for (const statistic of statistics.pick(chance)) row.push(drawStatistic(statistic, submissions, decimals, chance));
  return row;
}

/** A row of another submission of the same kind: hits in the same buckets, a few elsewhere, the same statistics recorded. */
export function variedRow(
  { stray, decimals }: Source,
  { kind: { buckets } }: Measure,
  row: readonly number[],
  chance: Chance,
): number[] {
  const factor = [1, 1, 1, 2, 3, 7][chance.below(6)]! * (0.7 + 0.7 * chance.unit());
  return row.map((value, index) => {
    if (value === 0) return index < buckets && chance.happens(stray) ? 1 + chance.below(2) : 0;
    if (value === -1) return -1;
    return Number.isInteger(value)
      ? Math.max(1, Math.floor(value * factor))
      : Number((value * factor).toFixed(decimals));
  });
}

function drawStatistic(statistic: Statistic, submissions: number, decimals: number, chance: Chance): number {
  switch (statistic) {
    case '-1':
      return -1;
    case '0':
      return 0;
    case 'integer':
      return 1 + Math.floor(spread(chance, 320, 2.6) * submissions);
    case 'fraction':
      return Number((spread(chance, 8, 1.3) * submissions).toFixed(decimals));
  }
}
