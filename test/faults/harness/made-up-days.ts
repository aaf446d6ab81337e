/** Input files of made-up days and what analysing each of them says: enough kinds of rows to tell a wrong merge from a right one. */
import { createHash } from 'node:crypto';

export interface MadeUpRow {
  readonly channelVersion: string;
  readonly measure: string;
  readonly byDate: 'by-build-date' | 'by-submission-date';
  readonly date: string;
  readonly path: string;
  /** Buckets, five statistics, count. */
  readonly values: readonly number[];
  readonly buildId: string;
  /** `REVISION` when absent. */
  readonly revision?: string;
}

export const REVISION = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
export const CHANNEL_VERSIONS = ['nightly/28', 'aurora/27', 'beta/26'];
const PATHS = ['saved_session/Firefox/WINNT/6.1/x86', 'saved_session/Firefox/Linux/3.10/x86-64'];

/** Keys of the files of a day, `perDay` of them, spread over the channel/versions. */
export function madeUpKeys(
  day: string,
  perDay: number,
  channelVersions: readonly string[] = CHANNEL_VERSIONS,
): string[] {
  return Array.from({ length: perDay }, (_, number) => {
    const [channel = '', version = ''] = (channelVersions[number % channelVersions.length] ?? '').split('/');
    const name = createHash('sha256').update(`${day}/${number}`).digest('hex').slice(0, 32);
    return `saved_session/Firefox/${channel}/${version}.0/20131028030204.${day}.v2.log.${name}.lzma`;
  });
}

/**
 * What the file says: three measures. GC_MS: plain. CYCLE_COLLECTOR: some submissions did not record the logarithms
 * (−1). MEMORY_RESIDENT: from the second half of the files on it has two buckets more and a newer build.
 * @param variant another text gives other numbers, as when the input has changed
 */
export function madeUpRows(key: string, variant = ''): MadeUpRow[] {
  const [, , channel = '', versionText = '', name = ''] = key.split('/');
  const day = name.split('.')[1] ?? '';
  const digits = createHash('sha256').update(`${key}#${variant}`).digest();
  const at = (index: number): number => digits[index % digits.length] ?? 0;
  const newer = at(0) >= 128;
  const measures = [
    { measure: 'GC_MS', values: row(5, at, 1, false), buildId: '20131028030204' },
    { measure: 'CYCLE_COLLECTOR', values: row(4, at, 7, at(2) % 3 === 0), buildId: '20131028030204' },
    {
      measure: 'MEMORY_RESIDENT',
      values: row(newer ? 6 : 4, at, 12, false),
      buildId: newer ? '20131029030204' : '20131028030204',
    },
  ];
  const channelVersion = `${channel}/${versionText.split('.')[0] ?? ''}`;
  const path = PATHS[at(3) % PATHS.length] ?? '';
  return measures.flatMap(({ measure, values, buildId }) => [
    { channelVersion, measure, byDate: 'by-build-date' as const, date: buildId.slice(0, 8), path, values, buildId },
    { channelVersion, measure, byDate: 'by-submission-date' as const, date: day, path, values, buildId },
  ]);
}

/** Whole numbers, whose sums are the same in any order. */
function row(buckets: number, at: (index: number) => number, from: number, unrecorded: boolean): number[] {
  const hits = Array.from({ length: buckets }, (_, index) => at(from + index) % 9);
  const statistics = unrecorded ? [3, -1, -1, 9, 0] : [at(from) + 1, 2, 4, at(from + 1), 0];
  return [...hits, ...statistics, 1 + (at(from + 2) % 3)];
}

/** The rows as a `result.txt`. */
export function resultText(rows: readonly MadeUpRow[]): string {
  const lines = new Map<string, string[]>();
  for (const { channelVersion, measure, byDate, date, path, values, buildId, revision = REVISION } of rows) {
    const key = `${channelVersion}/${measure}/${byDate}`;
    const aggregate = JSON.stringify({ values, buildId, revision });
    const members = lines.get(key) ?? [];
    members.push(`${JSON.stringify(`${date}/${path}`)}:${aggregate}`);
    lines.set(key, members);
  }
  return [...lines].map(([key, members]) => `${key}\t{${members.join(',')}}\n`).join('');
}
