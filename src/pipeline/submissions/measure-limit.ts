/**
 * The limit of measures in a result (docs/formats/results.md 4.8). Submitters choose names, and a result with too many lines
 * counts for nothing, so that one file of made-up names would cost all files of its task.
 */
import { compareText } from '../text-order.ts';

/** Measures of some sums, in how many submissions and files each of them is, and the first and the last of these files. */
export interface SummedNames {
  /** `channel/major/measure` */
  readonly keys: readonly string[];
  readonly submissions: ArrayLike<number>;
  readonly files: ArrayLike<number>;
  readonly firstFile: ArrayLike<number>;
  readonly lastFile: ArrayLike<number>;
}

export interface MeasureLimits {
  readonly ofChannelVersion: number;
  readonly ofResult: number;
}

/** As many as a day keeps of a channel/version; of all together, so many that a result has fewer lines than a merge takes. */
export const MEASURE_LIMITS: MeasureLimits = { ofChannelVersion: 10_000, ofResult: 100_000 };

/** A measure of all sums. */
interface Total {
  readonly key: string;
  submissions: number;
  files: number;
  lastFile: number;
  /** Of a measure of one file: its place among those of that file and channel/version, from the most submissions on. */
  place: number;
}

/**
 * The measures over the limits. The names of one file never outrank one that more files have, and files share what these leave:
 * first come the measures of the most files, then the first one of each file, then the second one of each. Of equals, those in
 * the fewest submissions are over the limit, and of equally many the last by name. The order of the files does not matter.
 * @param sums in the order in which they were made: the last file of one may be the first of the next
 */
export function measuresOverLimit(sums: Iterable<SummedNames>, limits: MeasureLimits = MEASURE_LIMITS): Set<string> {
  const totals = totalsOf(sums);
  const over = new Set<string>();
  if (totals.length <= limits.ofChannelVersion) return over;
  totals.sort((a, b) => b.submissions - a.submissions || compareText(a.key, b.key));
  setPlaces(totals);
  // The order of equals stays.
  totals.sort((a, b) => b.files - a.files || a.place - b.place);
  const kept = new Map<string, number>();
  let room = limits.ofResult;
  for (const { key } of totals) {
    const channelVersion = channelVersionOf(key);
    const before = kept.get(channelVersion) ?? 0;
    if (before === limits.ofChannelVersion || room === 0) {
      over.add(key);
      continue;
    }
    kept.set(channelVersion, before + 1);
    room -= 1;
  }
  return over;
}

function totalsOf(sums: Iterable<SummedNames>): Total[] {
  const totals = new Map<string, Total>();
  for (const { keys, submissions, files, firstFile, lastFile } of sums)
    for (const [index, key] of keys.entries()) {
      let total = totals.get(key);
      if (total === undefined) {
        total = { key, submissions: 0, files: 0, lastFile: -1, place: 0 };
        totals.set(key, total);
      }
      total.submissions += submissions[index] ?? 0;
      total.files += (files[index] ?? 0) - (firstFile[index] === total.lastFile ? 1 : 0);
      total.lastFile = lastFile[index] ?? 0;
    }
  return [...totals.values()];
}

/** @param totals from the most submissions on */
function setPlaces(totals: readonly Total[]): void {
  const places = new Map<string, number>();
  for (const total of totals) {
    if (total.files > 1) continue;
    const source = `${total.lastFile} ${channelVersionOf(total.key)}`;
    total.place = places.get(source) ?? 0;
    places.set(source, total.place + 1);
  }
}

function channelVersionOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
