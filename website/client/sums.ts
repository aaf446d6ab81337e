/** Rows of a measure's files, and their sums (docs/formats/results.md 4.2, 4.3). */

/** The sum of rows. A statistic that no row recorded is null. */
export interface Sums {
  readonly counts: readonly number[];
  readonly sum: number | null;
  readonly logSum: number | null;
  readonly logSumSquares: number | null;
  readonly sumSquaresLow: number | null;
  readonly sumSquaresHigh: number | null;
  readonly submissions: number;
}

/** Sums by date, `YYYYMMDD`, ascending. */
export type DatedSums = readonly (readonly [date: string, sums: Sums])[];

/** Numbers of a row behind its buckets, without the filter id. */
export const TRAILER = 6;
const STATISTICS = 5;

/** Adds rows of one length; others are left out and counted. */
export class RowSum {
  #total: Float64Array | undefined;
  readonly #recorded: boolean[] = Array.from({ length: STATISTICS }, () => false);
  #otherLengths = 0;

  /** Rows of another length than the first one. */
  get otherLengths(): number {
    return this.#otherLengths;
  }

  /** @param length numbers of the row without its filter id */
  add(row: readonly (number | null)[], length: number): void {
    this.#total ??= new Float64Array(length);
    const total = this.#total;
    if (total.length !== length) {
      this.#otherLengths += 1;
      return;
    }
    const buckets = length - TRAILER;
    for (let index = 0; index < buckets; index += 1) total[index] = (total[index] ?? 0) + (row[index] ?? 0);
    for (let index = buckets; index < length - 1; index += 1) {
      const value = row[index] ?? 0;
      // −1 says that the statistic was not recorded, and yields to the other side's value.
      if (value === -1) continue;
      total[index] = (total[index] ?? 0) + value;
      this.#recorded[index - buckets] = true;
    }
    total[length - 1] = (total[length - 1] ?? 0) + (row[length - 1] ?? 0);
  }

  /** Undefined when there was no row. */
  get(): Sums | undefined {
    const total = this.#total;
    if (total === undefined) return undefined;
    const buckets = total.length - TRAILER;
    const statistic = (place: number): number | null =>
      this.#recorded[place] === true ? (total[buckets + place] ?? 0) : null;
    return {
      counts: [...total.subarray(0, buckets)],
      sum: statistic(0),
      logSum: statistic(1),
      logSumSquares: statistic(2),
      sumSquaresLow: statistic(3),
      sumSquaresHigh: statistic(4),
      submissions: total[total.length - 1] ?? 0,
    };
  }
}

/** A stored row without filter id, such as those of summaries. */
export function sumsOfRow(row: readonly (number | null)[]): Sums | undefined {
  const sum = new RowSum();
  sum.add(row, row.length);
  return row.length > TRAILER ? sum.get() : undefined;
}

/** Adds sums; those with another number of buckets than the first are left out. Undefined for none. */
export function addSums(all: Iterable<Sums>): Sums | undefined {
  const sum = new RowSum();
  for (const part of all) sum.add(rowOf(part), part.counts.length + TRAILER);
  return sum.get();
}

function rowOf({ counts, sum, logSum, logSumSquares, sumSquaresLow, sumSquaresHigh, submissions }: Sums): number[] {
  const statistics = [sum, logSum, logSumSquares, sumSquaresLow, sumSquaresHigh].map((value) => value ?? -1);
  return [...counts, ...statistics, submissions];
}

export interface DateRange {
  /** First and last date, both included; undefined for no limit. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function within(date: string, { from, to }: DateRange): boolean {
  return (from === undefined || date >= from) && (to === undefined || date <= to);
}
