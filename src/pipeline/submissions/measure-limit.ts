/**
 * The limit of measures in a result (docs/formats/results.md 4.8). Submitters choose names, and a result with too many lines
 * counts for nothing, so that one file of made-up names would cost all files of its task.
 */
import { compareText } from '../text-order.ts';

/** Measures of some sums, and in how many submissions each of them is. */
export interface SummedNames {
  /** `channel/major/measure` */
  readonly keys: readonly string[];
  readonly submissions: Float64Array;
}

export interface MeasureLimits {
  readonly ofChannelVersion: number;
  readonly ofResult: number;
}

/** As many as a day keeps of a channel/version; of all together, so many that a result has fewer lines than a merge takes. */
export const MEASURE_LIMITS: MeasureLimits = { ofChannelVersion: 10_000, ofResult: 100_000 };

/** The measures over the limits: those in the fewest submissions, and of equally many the last by name. */
export function measuresOverLimit(sums: Iterable<SummedNames>, limits: MeasureLimits = MEASURE_LIMITS): Set<string> {
  const totals = new Map<string, number>();
  for (const { keys, submissions } of sums)
    for (const [index, key] of keys.entries()) totals.set(key, (totals.get(key) ?? 0) + (submissions[index] ?? 0));
  const over = new Set<string>();
  if (totals.size <= limits.ofChannelVersion) return over;
  const ranked = [...totals].sort(([a, x], [b, y]) => y - x || compareText(a, b));
  const kept = new Map<string, number>();
  let room = limits.ofResult;
  for (const [key] of ranked) {
    const channelVersion = key.slice(0, key.lastIndexOf('/'));
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
