/** Measures that came with a build, are gone since one, or have other buckets than before. */
import { type Change, changeId, EMPTY_SIDE, type Side } from './change.ts';
import { changeText } from './change-text.ts';
import { median } from './robust.ts';
import { PERSISTENCE } from './steps.ts';

/** Submissions by build date. */
export type BuildCounts = ReadonlyMap<string, number>;

/** With fewer a build, a measure may be away by chance. */
const MIN_HABIT = 30;
/** Of what its habit makes one expect: less is none, but for a few made-up builds. */
const NONE = 0.05;
const MAX_DATES = 90;
const SIDE_DATES = 7;

/**
 * @param counts of the measure
 * @param all of the channel/version, by build dates that enough people have, ascending
 */
export function presenceOf(
  channelVersion: string,
  measure: string,
  counts: BuildCounts,
  all: readonly (readonly [date: string, submissions: number])[],
): Change | undefined {
  const dates = all.slice(-MAX_DATES);
  const here = dates.map(([date]) => counts.get(date) ?? 0);
  const shares = dates.map(([, submissions], index) => (here[index] ?? 0) / submissions).filter((share) => share > 0);
  if (shares.length < PERSISTENCE) return undefined;
  const share = median(shares);
  const isHere = dates.map(
    ([, submissions], index) => (here[index] ?? 0) >= NONE * share * submissions && here[index] !== 0,
  );
  const first = isHere.indexOf(true);
  const last = isHere.lastIndexOf(true);
  const lies = { channelVersion, measure, dates: dates.map(([date]) => date), here };
  const habit = (from: number, end: number): number => median(here.slice(from, end));
  const expected = (from: number, end: number): number =>
    share * dates.slice(from, end).reduce((sum, [, submissions]) => sum + submissions, 0);
  if (
    first >= PERSISTENCE &&
    isHere.slice(first, first + PERSISTENCE).every(Boolean) &&
    dates.length - first >= PERSISTENCE &&
    habit(first, first + SIDE_DATES) >= MIN_HABIT &&
    expected(0, first) >= PERSISTENCE * MIN_HABIT
  )
    return presence('appeared', first, lies);
  const gone = last + 1;
  if (
    dates.length - gone >= PERSISTENCE &&
    gone >= PERSISTENCE &&
    isHere.slice(gone - PERSISTENCE, gone).every(Boolean) &&
    habit(Math.max(0, gone - SIDE_DATES), gone) >= MIN_HABIT &&
    expected(gone, dates.length) >= PERSISTENCE * MIN_HABIT
  )
    return presence('vanished', gone, lies);
  return undefined;
}

/** A measure that is shown with other buckets than in the folder before: its older rows have another length, and are not shown. */
export function otherBuckets(channelVersion: string, measure: string, counts: BuildCounts): Change | undefined {
  const dates = [...counts.keys()].toSorted();
  if (dates.length === 0) return undefined;
  const here = dates.map((date) => counts.get(date) ?? 0);
  return presence('buckets', 0, { channelVersion, measure, dates, here });
}

interface Place {
  readonly channelVersion: string;
  readonly measure: string;
  readonly dates: readonly string[];
  readonly here: readonly number[];
}

function presence(
  kind: 'appeared' | 'vanished' | 'buckets',
  at: number,
  { channelVersion, measure, dates, here }: Place,
): Change {
  const side = (from: number, end: number): Side => ({
    ...EMPTY_SIDE,
    dates: dates.slice(from, end),
    submissions: here.slice(from, end).reduce((sum, count) => sum + count, 0),
  });
  const facts = {
    ...{ channelVersion, measure, kind, filter: [], relative: null, pValue: null, qValue: null },
    by: 'build',
    date: dates[at] ?? '',
    direction: kind === 'appeared' ? 'up' : kind === 'vanished' ? 'down' : null,
    before: side(Math.max(0, at - SIDE_DATES), at),
    after: side(at, at + SIDE_DATES),
  } as const;
  return { id: changeId(facts), ...facts, text: changeText(facts) };
}
