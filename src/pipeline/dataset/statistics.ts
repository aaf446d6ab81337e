/** The numbers behind the buckets of a published row, as tables for analysts show them (docs/formats/published.md 5.13). */
import { MISSING, SIMPLE_MEASURE_PREFIX } from '../aggregates/slot.ts';

/** Undefined: not recorded. */
export interface RowStatistics {
  readonly sum: number | undefined;
  readonly logSum: number | undefined;
  readonly logSumSquares: number | undefined;
  readonly sumSquares: number | undefined;
  readonly submissions: number;
}

/** @param numbers of a row of the measure, of which the first `buckets` are its buckets */
export function statisticsOf(measure: string, numbers: ArrayLike<number>, buckets: number): RowStatistics {
  const at = (index: number): number => numbers[buckets + index] ?? 0;
  const [low, high] = [at(3), at(4)];
  return {
    // A simple measure may really have been −1 (docs/formats/results.md 4.3).
    sum: measure.startsWith(SIMPLE_MEASURE_PREFIX) ? at(0) : recorded(at(0)),
    logSum: recorded(at(1)),
    logSumSquares: recorded(at(2)),
    sumSquares: low === MISSING || high === MISSING ? undefined : low + high * 2 ** 32,
    submissions: at(5),
  };
}

function recorded(value: number): number | undefined {
  return value === MISSING ? undefined : value;
}
