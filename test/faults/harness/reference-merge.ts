/** The oracle: the published files of a set of rows, by a plain loop that shares no code with the application. */
import type { MadeUpRow } from './made-up-days.ts';

const STATISTICS = 5;

interface Sum {
  readonly date: string;
  readonly path: string;
  readonly values: number[];
}

/**
 * @param rows of every file that the data set is to count, once each
 * @param filterId of a path in the published filter tree of a channel/version
 * @returns `<channel/version>/<MEASURE>-<by-date>.json` → the text it must have
 */
export function referenceFiles(
  rows: readonly MadeUpRow[],
  filterId: (channelVersion: string, path: string) => number,
): Map<string, string> {
  const measures = Map.groupBy(rows, ({ channelVersion, measure }) => `${channelVersion}/${measure}`);
  const lengths = new Map([...measures].map(([name, ofMeasure]) => [name, shownLength(ofMeasure)]));
  const files = new Map<string, Map<string, Sum>>();
  for (const row of rows) {
    const length = lengths.get(`${row.channelVersion}/${row.measure}`);
    for (const byDate of ['by-build-date', 'by-submission-date']) {
      const file = `${row.channelVersion}/${row.measure}-${byDate}.json`;
      const sums = files.get(file) ?? new Map<string, Sum>();
      files.set(file, sums);
      if (row.byDate !== byDate || row.values.length !== length) continue;
      const { date, path, values } = row;
      const sum = sums.get(`${date} ${path}`);
      if (sum === undefined) sums.set(`${date} ${path}`, { date, path, values: [...values] });
      else values.forEach((value, index) => (sum.values[index] = added(sum.values, index, value)));
    }
  }
  return new Map([...files].map(([file, sums]) => [file, text(file, [...sums.values()], filterId)]));
}

const DECIDING_SUBMISSIONS = 100;
const DECIDING_SHARE = 0.02;

/** Of the newest builds that have enough submissions together: the length that most have; of equal ones the newest. */
function shownLength(rows: readonly MadeUpRow[]): number | undefined {
  const builds = rows.filter(({ byDate }) => byDate === 'by-build-date').sort((a, b) => (a.date < b.date ? 1 : -1));
  const countOf = ({ values }: MadeUpRow): number => values.at(-1) ?? 0;
  const total = builds.reduce((sum, row) => sum + countOf(row), 0);
  const submissions = new Map<number, number>();
  let seen = 0;
  let lastDate = '';
  for (const row of builds) {
    if (row.date !== lastDate && seen >= Math.max(DECIDING_SUBMISSIONS, DECIDING_SHARE * total)) break;
    lastDate = row.date;
    seen += countOf(row);
    submissions.set(row.values.length, (submissions.get(row.values.length) ?? 0) + countOf(row));
  }
  const newest = new Map<number, string>();
  for (const { values, buildId } of rows)
    if (buildId > (newest.get(values.length) ?? '')) newest.set(values.length, buildId);
  const [best] = [...submissions].toSorted(
    ([a, m], [b, n]) => n - m || ((newest.get(a) ?? '') < (newest.get(b) ?? '') ? 1 : -1),
  );
  return best?.[0];
}

/** −1 in one of the five statistics means "not recorded" and gives way to what was. */
function added(values: readonly number[], index: number, value: number): number {
  const before = values[index] ?? 0;
  const isStatistic = index < values.length - 1 && index >= values.length - 1 - STATISTICS;
  if (isStatistic && (before === -1 || value === -1)) return before === -1 ? value : before;
  return before + value;
}

function text(file: string, sums: readonly Sum[], filterId: (channelVersion: string, path: string) => number): string {
  const channelVersion = file.split('/').slice(0, 2).join('/');
  const dates = Map.groupBy(
    sums.toSorted((a, b) => (a.date + a.path < b.date + b.path ? -1 : 1)),
    ({ date }) => date,
  );
  const members = [...dates].map(([date, list]) => {
    const rows = list.map(({ path, values }) => `[${[...values, filterId(channelVersion, path)].join(',')}]`);
    return `"${date}":[${rows.join(',')}]`;
  });
  return `{${members.join(',')}}`;
}
