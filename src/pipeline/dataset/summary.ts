/** Summaries of the files of a measure: the sums of all filter ids, by date (docs/formats/published.md 5.10). */
import { addRow, holdFinite } from '../aggregates/merge-rule.ts';
import { SUM } from '../aggregates/slot.ts';

/** What is in the index of a date. */
export interface DateSums {
  readonly date: string;
  /** Of all buckets. */
  readonly hits: number;
  /** As recorded; −1 where it is missing. */
  readonly sum: number;
  readonly submissions: number;
}

export interface FileSummary {
  /** `"YYYYMMDD":[…],` for each date, ascending. */
  readonly text: Buffer;
  readonly dates: readonly DateSums[];
}

/**
 * @param file as `measureFile` makes it
 * @param length of its rows, without the filter id
 * @param simple its rows are of a simple measure, whose sums have no mark for missing
 */
export type Summarise = (file: Buffer, length: number, simple: boolean) => FileSummary;

/** The rule in plain TypeScript. The kernel `render` does the same five times as fast. */
export const summarise: Summarise = (file, length, simple) => {
  const rows = JSON.parse(file.toString()) as Record<string, readonly (readonly number[])[]>;
  const texts: string[] = [];
  const dates: DateSums[] = [];
  for (const date of Object.keys(rows).toSorted()) {
    const [first = [], ...others] = rows[date] ?? [];
    const sums = Float64Array.from(first.slice(0, length));
    for (const row of others) addRow(sums, row, 0, simple);
    holdFinite(sums);
    texts.push(`"${date}":[${sums.join(',')}],`);
    const hits = sums.subarray(0, -SUM).reduce((all, count) => all + count, 0);
    dates.push({ date, hits, sum: sums.at(-SUM) ?? 0, submissions: sums.at(-1) ?? 0 });
  }
  return { text: Buffer.from(texts.join('')), dates };
};
