/** What the three views of a selection have in common: the series, their names, and what they are compared with. */
import type { LoadedSeries } from '../store.ts';
import type { Quantity, Versus } from '../state.ts';
import { isCategorical, tellingBucket } from '../../client/index.ts';
import { date as dateName, shortNames } from '../format.ts';
import type { Baseline } from '../parts/figures.tsx';

export interface ExplorePicture {
  readonly loaded: readonly LoadedSeries[];
  readonly nameOf: (index: number) => string;
  readonly baseline: Baseline | undefined;
  /** Differences need something to differ from. */
  readonly versus: Versus;
  /** Of the evolution: shares of buckets for measures without an order, where percentiles mean nothing. */
  readonly quantities: readonly Quantity[];
  /** Parts of the names of saved files. */
  readonly named: readonly string[];
  /** Why there is nothing; '' when there is something. */
  readonly why: string;
}

interface Chosen {
  readonly measure: string;
  readonly reference: string | undefined;
  readonly versus: Versus;
  readonly quantities: readonly Quantity[];
}

export function explorePicture(
  loaded: readonly LoadedSeries[],
  nothing: ReadonlyMap<number, string>,
  { measure, reference, versus, quantities }: Chosen,
): ExplorePicture {
  const names = shortNames(loaded.map(({ series }) => series));
  const byIndex = new Map(loaded.map(({ index }, place) => [index, names[place] ?? '']));
  const nameOf = (index: number): string => byIndex.get(index) ?? '';
  const baseline = baselineOf(loaded, nameOf, reference);
  const canCompare = baseline !== undefined && (loaded.length > 1 || baseline.index === undefined);
  return {
    loaded,
    nameOf,
    baseline,
    versus: canCompare ? versus : 'none',
    quantities: quantitiesOf(loaded, quantities),
    named: [measure, ...loaded.slice(0, 2).map(({ series }) => series.channelVersion)],
    why: [...new Set(nothing.values())].join(' '),
  };
}

function baselineOf(
  loaded: readonly LoadedSeries[],
  nameOf: (index: number) => string,
  reference: string | undefined,
): Baseline | undefined {
  const [first] = loaded;
  if (first === undefined) return undefined;
  if (reference !== undefined) {
    const sums = first.dated.find(([date]) => date === reference)?.[1];
    return sums && { name: dateName(reference), sums, index: undefined };
  }
  return first.chosen && { name: nameOf(first.index), sums: first.chosen, index: first.index };
}

const SHARES_OF_ONE = 4;

function quantitiesOf(loaded: readonly LoadedSeries[], chosen: readonly Quantity[]): readonly Quantity[] {
  const [first] = loaded;
  if (first?.chosen === undefined) return chosen;
  const { definition, chosen: sums } = first;
  const categorical = isCategorical(definition);
  const fitting = chosen.filter((one) => !one.startsWith(categorical ? 'p' : 'b'));
  if (fitting.length > 0) return fitting;
  if (!categorical) return ['p50'];
  const isAnswer = definition.kind === 'boolean' || definition.kind === 'flag';
  if (isAnswer || loaded.length > 1) return [`b${tellingBucket(sums, definition)}`];
  return fullestBuckets(sums.counts, SHARES_OF_ONE).map((bucket): Quantity => `b${bucket}`);
}

/** Buckets with samples, fullest first. */
export function fullestBuckets(counts: readonly number[], most: number): readonly number[] {
  const all = counts.map((count, bucket) => ({ count, bucket })).filter(({ count }) => count > 0);
  return all
    .toSorted((a, b) => b.count - a.count)
    .slice(0, most)
    .map(({ bucket }) => bucket);
}
