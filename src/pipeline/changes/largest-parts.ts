/** The parts of a channel/version that changes are looked for in by themselves: its largest operating systems. */
import { addRow } from '../aggregates/merge-rule.ts';
import { SIMPLE_MEASURE_PREFIX } from '../aggregates/slot.ts';
import { BOTH, type SummaryRows } from './measure-series.ts';

/** Parts of a filter path: reason, application, operating system. */
export type Part = readonly [reason: string, application: string, os: string];

/** Rows of a measure's files, by kind of date and date: those of a summary, and the filter id behind them. */
export type FilteredRows = Readonly<
  Record<'build' | 'submission', ReadonlyMap<string, readonly (readonly number[])[]>>
>;

const MAX_PARTS = 3;
/** Of all submissions: a smaller part is too few, and what moves a larger one moves all. */
const SHARE = { least: 0.05, most: 0.9 } as const;

/** By filter id, the part that it belongs to. */
export type PartsOfIds = ReadonlyMap<number, Part>;

/** @param paths filter path of every filter id */
export function partsOfIds(paths: ReadonlyMap<number, string>): PartsOfIds {
  return new Map(
    [...paths].map(([id, path]) => {
      const [reason = '', application = '', os = ''] = path.split('/');
      return [id, [reason, application, os]];
    }),
  );
}

/** Largest first; of equal ones the first by name. */
export function largestParts(rows: FilteredRows, parts: PartsOfIds): Part[] {
  const submissions = new Map<string, { part: Part; count: number }>();
  let all = 0;
  const counted = rows.submission.size > 0 ? rows.submission : rows.build;
  for (const ofDate of counted.values())
    for (const row of ofDate) {
      const part = parts.get(row.at(-1) ?? NaN);
      const count = row.at(-2) ?? 0;
      all += count;
      if (part === undefined) continue;
      const name = part.join('/');
      const known = submissions.get(name);
      submissions.set(name, { part, count: (known?.count ?? 0) + count });
    }
  return [...submissions]
    .filter(([, { count }]) => count >= SHARE.least * all && count <= SHARE.most * all)
    .toSorted(([a, { count: ofA }], [b, { count: ofB }]) => ofB - ofA || (a < b ? -1 : 1))
    .slice(0, MAX_PARTS)
    .map(([, { part }]) => part);
}

/** The rows of each part, summed by date as a summary sums those of all. */
export function rowsOfParts(
  measure: string,
  rows: FilteredRows,
  ids: PartsOfIds,
  wanted: readonly Part[],
): SummaryRows[] {
  const isSimple = measure.startsWith(SIMPLE_MEASURE_PREFIX);
  const places = new Map(wanted.map((part, place) => [part.join('/'), place]));
  const placeOf = new Map([...ids].map(([id, part]) => [id, places.get(part.join('/'))]));
  const sums = wanted.map(() => ({
    build: new Map<string, Float64Array>(),
    submission: new Map<string, Float64Array>(),
  }));
  for (const by of BOTH)
    for (const [date, ofDate] of rows[by])
      for (const row of ofDate) {
        const sum = sums[placeOf.get(row.at(-1) ?? NaN) ?? -1]?.[by];
        const known = sum?.get(date);
        if (known === undefined) sum?.set(date, Float64Array.from(row.slice(0, -1)));
        else addRow(known, row, 0, isSimple);
      }
  const plain = (dates: ReadonlyMap<string, Float64Array>) =>
    new Map([...dates].map(([date, sum]) => [date, [...sum]]));
  return sums.map(({ build, submission }) => ({ build: plain(build), submission: plain(submission) }));
}
