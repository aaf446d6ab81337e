/** Rows of a published measure as CSV (RFC 4180), for spreadsheets and programs that read neither JSON nor Parquet. */
import { type ByDate, TRAILER } from '../aggregates/slot.ts';
import { statisticsOf } from './statistics.ts';

export const CSV_HEAD =
  'channel,version,measure,date_of,date,reason,application,os,os_version,arch,submissions,sum,sum_squares,log_sum,log_sum_squares,counts\r\n';

/** Six numbers and the filter id. */
const BEHIND_BUCKETS = TRAILER + 1;

/**
 * The lines of one file: columns as in docs/formats/published.md 5.13, the counts separated by blanks.
 * @param json the parsed file: `{date: [[…values, filter id], …]}`; what is no row is left out, as readers do
 * @param paths filter path of each id
 */
export function* csvLines(
  { channelVersion, measure, byDate }: { channelVersion: string; measure: string; byDate: ByDate },
  json: unknown,
  paths: ReadonlyMap<number, string>,
): Generator<string> {
  const dateOf = byDate === 'by-build-date' ? 'build' : 'submission';
  const head = [...channelVersion.split('/'), measure].map(textCell).join(',');
  for (const [date, rows] of Object.entries(json ?? {})) {
    let lines = '';
    for (const row of Array.isArray(rows) ? (rows as unknown[]) : []) {
      if (!isRow(row)) continue;
      const path = paths.get(row.at(-1) ?? NaN)?.split('/') ?? ['', '', '', '', ''];
      const cells = [head, dateOf, textCell(date), ...path.map(textCell), ...numberCells(measure, row)];
      lines += `${cells.join(',')}\r\n`;
    }
    yield lines;
  }
}

function isRow(row: unknown): row is number[] {
  return Array.isArray(row) && row.length > BEHIND_BUCKETS && row.every((value) => typeof value === 'number');
}

function numberCells(measure: string, row: readonly number[]): (string | number)[] {
  const buckets = row.length - BEHIND_BUCKETS;
  const { submissions, sum, sumSquares, logSum, logSumSquares } = statisticsOf(measure, row, buckets);
  const counts = row.slice(0, buckets).join(' ');
  return [submissions, sum ?? '', sumSquares ?? '', logSum ?? '', logSumSquares ?? '', counts];
}

/** A text that a spreadsheet would take for a formula gets an apostrophe. */
function textCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
