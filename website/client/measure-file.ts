/** A measure's file, `<MEASURE>-by-build-date.json` or `…-by-submission-date.json` (docs/formats/published.md 5.2). */
import { isRecord } from './definition.ts';
import { byDate, isDate } from './documents.ts';
import { chosenIds, type Filter, type FilterPaths, isUnfiltered } from './filter-tree.ts';
import { type DatedSums, type DateRange, RowSum, type Sums, TRAILER, within } from './sums.ts';

export type Row = readonly (number | null)[];

/** Rows by date, ascending. */
export type MeasureRows = readonly (readonly [date: string, rows: readonly Row[]])[];

export function readMeasureRows(raw: unknown): MeasureRows {
  const dated = Object.entries(isRecord(raw) ? raw : {}).flatMap(([date, rows]): [string, readonly Row[]][] =>
    isDate(date) && Array.isArray(rows) ? [[date, rows.filter((row) => Array.isArray(row)) as readonly Row[]]] : [],
  );
  return dated.toSorted(byDate);
}

/** Sums of each date over the rows that the filter takes in; dates without one are left out. */
export function sumByDate(rows: MeasureRows, paths: FilterPaths, filter: Filter): DatedSums {
  const ids = isUnfiltered(filter) ? null : chosenIds(paths, filter);
  return rows.flatMap(([date, list]): [string, Sums][] => {
    const sum = new RowSum();
    for (const row of list) if (ids === null || ids.has(row.at(-1) ?? Number.NaN)) sum.add(row, row.length - 1);
    const sums = sum.get();
    return sums === undefined ? [] : [[date, sums]];
  });
}

/** Submissions of each filter id over the chosen dates. */
export function submissionsById(rows: MeasureRows, range: DateRange): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const [date, list] of rows) {
    if (!within(date, range)) continue;
    for (const row of list) {
      const id = row.at(-1) ?? Number.NaN;
      counts.set(id, (counts.get(id) ?? 0) + (row.at(-2) ?? 0));
    }
  }
  return counts;
}

/** Buckets of the rows; undefined without rows. */
export function bucketsOf(rows: MeasureRows): number | undefined {
  for (const [, list] of rows) for (const row of list) return row.length - TRAILER - 1;
  return undefined;
}
