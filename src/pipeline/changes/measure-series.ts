/** The series of one measure: its rows by date, as the two kinds of date have them. */
import { bucketsOf } from '../../histograms/buckets.ts';
import type { RawDefinition } from '../../histograms/definition.ts';
import { dayAfter } from '../calendar-day.ts';
import type { By } from './change.ts';
import type { DatedCounts } from './dated-counts.ts';
import type { Series } from './series-changes.ts';
import type { Scale } from './side.ts';

/** Definitions as `histograms.json` has them. */
export type PublishedDefinitions = ReadonlyMap<string, RawDefinition>;

/** Rows of a summary, by kind of date and date: the buckets, then six numbers (docs/formats/results.md 4.2). */
export type SummaryRows = Readonly<Record<By, ReadonlyMap<string, readonly number[]>>>;

export const BOTH = ['build', 'submission'] as const;
const TRAILER = 6;

interface MeasureRows {
  readonly measure: string;
  readonly by: By;
  readonly rows: SummaryRows;
  /** Parts of the filter path that the rows are of; all by default. */
  readonly filter?: readonly string[];
}

export function seriesOf(
  channelVersion: string,
  definition: RawDefinition | undefined,
  { measure, by, rows, filter = [] }: MeasureRows,
): Series {
  const dates = datedCounts(rows[by]);
  const scale = scaleOf(definition, dates[0]?.counts.length ?? 0);
  return { channelVersion, measure, by, scale, dates, filter, latest: latestDate(rows.submission) };
}

/** Clocks and time zones allow a build of the day after its submission, and no later one. */
function latestDate(submissions: SummaryRows['submission']): string | undefined {
  let newest: string | undefined;
  for (const day of submissions.keys()) if (newest === undefined || day > newest) newest = day;
  return newest === undefined ? undefined : dayAfter(newest);
}

function datedCounts(rows: ReadonlyMap<string, readonly number[]>): DatedCounts[] {
  return [...rows]
    .map(([date, row]) => ({
      date,
      counts: row.slice(0, -TRAILER),
      sum: row.at(-TRAILER) ?? -1,
      submissions: row.at(-1) ?? 0,
    }))
    .toSorted((a, b) => (a.date < b.date ? -1 : 1));
}

/** Where no definition fits the rows, buckets are values of their own. */
function scaleOf(definition: RawDefinition | undefined, buckets: number): Scale {
  const bounds = definition === undefined ? undefined : bucketsOf(definition).bounds;
  if (definition !== undefined && bounds?.length === buckets) return { kind: definition.kind, bounds };
  return { kind: 'enumerated', bounds: Array.from({ length: buckets }, (_, index) => index) };
}
