/** The lines of an evolution: a value for each series, quantity and date. */
import {
  type DatedSums,
  type Definition,
  type Estimate,
  mean,
  meanEstimate,
  percentile,
  percentileEstimate,
  sampleCount,
  shareEstimate,
  shares,
  type Sums,
} from '../../client/index.ts';
import type { Quantity, Versus } from '../state.ts';

export interface EvolutionSeries {
  readonly name: string;
  /** Decides colour and dash. */
  readonly index: number;
  readonly definition: Definition;
  readonly dated: DatedSums;
}

export interface Line {
  readonly name: string;
  readonly index: number;
  readonly quantity: Quantity;
  readonly values: readonly (number | null)[];
  /** The same without dates of few submissions and their neighbours' connections. */
  readonly solid: readonly (number | null)[];
  /** 95 % interval; only of a line alone. */
  readonly interval: readonly (Estimate | null)[] | null;
}

export interface EvolutionData {
  /** Union of all series, ascending. */
  readonly dates: readonly string[];
  /** First and last date that the axis has room for; made-up dates lie outside, or they would leave none for the others. */
  readonly span: readonly [first: string, last: string];
  readonly lines: readonly Line[];
  /** Submissions of each series by date. */
  readonly submissions: readonly { readonly index: number; readonly values: readonly (number | null)[] }[];
}

export interface EvolutionChoice {
  readonly quantities: readonly Quantity[];
  readonly versus: Versus;
  readonly reference: string | undefined;
  readonly interpolated: boolean;
  readonly threshold: number;
  /** No date of a real build is later; undefined where that is not known. */
  readonly latest: string | undefined;
}

/** No browser is older that sends telemetry. */
const EARLIEST = '20040101';

/** @param dates ascending */
function spanOf(dates: readonly string[], latest: string | undefined): readonly [string, string] {
  const real = dates.filter((date) => date >= EARLIEST && (latest === undefined || date <= latest));
  const shown = real.length > 0 ? real : dates;
  return [shown[0] ?? '20130101', shown.at(-1) ?? '20130102'];
}

export function valueOf(sums: Sums, definition: Definition, quantity: Quantity, interpolated: boolean): number | null {
  if (quantity === 'mean') return mean(sums);
  if (quantity === 'submissions') return sums.submissions;
  if (quantity === 'samples') return sampleCount(sums);
  if (quantity.startsWith('b')) return (shares(sums)[Number(quantity.slice(1))] ?? 0) * 100;
  return percentile(sums, definition, Number(quantity.slice(1)), interpolated);
}

export function estimateOf(
  sums: Sums,
  definition: Definition,
  quantity: Quantity,
  interpolated: boolean,
): Estimate | null {
  if (quantity === 'mean') return meanEstimate(sums, definition);
  if (quantity.startsWith('b')) return inPercent(shareEstimate(sums, Number(quantity.slice(1))));
  if (!quantity.startsWith('p')) return null;
  return percentileEstimate(sums, definition, Number(quantity.slice(1)), interpolated);
}

function inPercent(share: Estimate | null): Estimate | null {
  return share && { value: share.value * 100, low: share.low * 100, high: share.high * 100 };
}

export function evolutionData(all: readonly EvolutionSeries[], choice: EvolutionChoice): EvolutionData {
  const dates = [...new Set(all.flatMap(({ dated }) => dated.map(([date]) => date)))].toSorted();
  const byDate = all.map(({ dated }) => new Map(dated));
  const isAlone = all.length * choice.quantities.length === 1 && choice.versus === 'none';
  const lines = choice.quantities.flatMap((quantity) =>
    all.map(({ name, index, definition }, place): Line => {
      const sums = byDate[place] ?? new Map<string, Sums>();
      const values = dates.map((date) => {
        const one = sums.get(date);
        const value = one && valueOf(one, definition, quantity, choice.interpolated);
        return value === undefined || value === null ? null : against(value, baselineAt(date, quantity));
      });
      const solid = dates.map((date, at) =>
        (sums.get(date)?.submissions ?? 0) >= choice.threshold ? (values[at] ?? null) : null,
      );
      const interval = isAlone
        ? dates.map((date) => {
            const one = sums.get(date);
            return one === undefined ? null : estimateOf(one, definition, quantity, choice.interpolated);
          })
        : null;
      return { name, index, quantity, values, solid, interval };
    }),
  );
  const submissions = all.map(({ index }, place) => ({
    index,
    values: dates.map((date) => byDate[place]?.get(date)?.submissions ?? null),
  }));
  return { dates, span: spanOf(dates, choice.latest), lines, submissions };

  /** The first series, at the reference date or at the same date. */
  function baselineAt(date: string, quantity: Quantity): number | null {
    const [first] = all;
    const sums = byDate[0]?.get(choice.reference ?? date);
    return first === undefined || sums === undefined
      ? null
      : valueOf(sums, first.definition, quantity, choice.interpolated);
  }

  function against(value: number, baseline: number | null): number | null {
    if (choice.versus === 'none') return value;
    if (baseline === null) return null;
    if (choice.versus === 'difference') return value - baseline;
    return baseline === 0 ? null : value / baseline;
  }
}
