/**
 * Channel/versions that fall silent: far fewer submissions than they are used to send, or none (docs/changes.md 5). Versions
 * that people leave for a higher one of their channel fade, and that is none.
 */
import { type Change, changeId, EMPTY_SIDE, type Side } from './change.ts';
import { mean, median } from './robust.ts';

/** Submissions by day of submission. */
export type DayCounts = ReadonlyMap<string, number>;

export interface Silence {
  readonly channelVersion: string;
  /** First silent day. */
  readonly since: string;
  /** Days from then on; the newest is the last analysed day. */
  readonly days: readonly string[];
  /** Days before, and what they make one expect a day. */
  readonly habitDays: readonly string[];
  readonly habit: number;
  /** Submissions in all of `days`. */
  readonly sent: number;
}

/** Days that make a habit: two weeks, so that weekends are in it. */
const HABIT_DAYS = 14;
const MIN_HABIT = 20;
/** Of the habit; and of the quietest day in it, so that a weekend is no silence. */
const FAR_BELOW = 0.2;
const BELOW_QUIETEST = 0.5;
/** A silence that lasts longer is the new habit. */
const MAX_DAYS = 28;
/** Of what a version lost, higher versions of its channel gained at least so much: people moved on. */
const MOVED_ON = 0.5;
/** A version that has this part of its best days left was fading before. */
const FADED = 0.25;

/**
 * @param counts of each channel/version
 * @param days analysed ones, ascending; a day that a channel/version does not have is one without submissions
 */
export function silences(counts: ReadonlyMap<string, DayCounts>, days: readonly string[]): Silence[] {
  const channels = Map.groupBy(counts, ([channelVersion]) => split(channelVersion)[0]);
  return [...channels.values()]
    .flatMap((versions) =>
      versions.flatMap(([channelVersion, ofOne]) => {
        const silence = silenceOf(channelVersion, ofOne, days);
        if (silence === undefined) return [];
        const higher = versions.filter(([other]) => isHigher(other, channelVersion)).map(([, other]) => other);
        return movedOn(silence, ofOne, higher, days) ? [] : [silence];
      }),
    )
    .toSorted((a, b) => (a.since < b.since ? 1 : a.since > b.since ? -1 : b.habit - a.habit));
}

function silenceOf(channelVersion: string, counts: DayCounts, days: readonly string[]): Silence | undefined {
  const first = days.findIndex((day) => (counts.get(day) ?? 0) > 0);
  if (first < 0) return undefined;
  const sent = days.map((day) => counts.get(day) ?? 0);
  // No habit is above the best day, so the silence cannot begin before the last day that is loud beside it.
  const limit = FAR_BELOW * Math.max(...sent);
  const loud = sent.findLastIndex((count) => count > limit);
  for (let at = Math.max(first + 1, loud + 1, days.length - MAX_DAYS); at < days.length; at += 1) {
    const from = Math.max(first, at - HABIT_DAYS);
    const before = sent.slice(from, at);
    const after = sent.slice(at);
    const habit = median(before);
    const begins = (before.at(-1) ?? 0) > FAR_BELOW * habit;
    if (habit < MIN_HABIT || !begins) continue;
    const low = Math.min(FAR_BELOW * habit, BELOW_QUIETEST * Math.min(...before));
    if (!after.every((count) => count <= low)) continue;
    return {
      channelVersion,
      since: days[at] ?? '',
      days: days.slice(at),
      habitDays: days.slice(from, at),
      habit,
      sent: after.reduce((sum, count) => sum + count, 0),
    };
  }
  return undefined;
}

function movedOn(
  { days: silent, habitDays, habit, sent }: Silence,
  counts: DayCounts,
  higher: readonly DayCounts[],
  days: readonly string[],
): boolean {
  const meanOn = (ofOne: DayCounts, some: readonly string[]): number => mean(some.map((day) => ofOne.get(day) ?? 0));
  const now = higher.reduce((sum, ofOne) => sum + meanOn(ofOne, silent), 0);
  const then = higher.reduce((sum, ofOne) => sum + median(habitDays.map((day) => ofOne.get(day) ?? 0)), 0);
  if (now - then >= MOVED_ON * (habit - sent / silent.length)) return true;
  const best = Math.max(...days.map((day) => counts.get(day) ?? 0));
  return habit <= FADED * best && now >= MOVED_ON * best;
}

/** Whether a version is higher than another one of its channel. */
function isHigher(other: string, than: string): boolean {
  const [, version] = split(than);
  const [, otherVersion] = split(other);
  const difference = Number.parseFloat(otherVersion) - Number.parseFloat(version);
  return Number.isNaN(difference) ? otherVersion > version : difference > 0;
}

function split(channelVersion: string): [channel: string, version: string] {
  const slash = channelVersion.indexOf('/');
  return [channelVersion.slice(0, slash), channelVersion.slice(slash + 1)];
}

export function silenceChange(silence: Silence): Change {
  const { channelVersion, since, days, habitDays, habit, sent } = silence;
  const side = (some: readonly string[], submissions: number): Side => ({ ...EMPTY_SIDE, dates: some, submissions });
  const facts = { channelVersion, measure: null, by: 'submission', date: since } as const;
  return {
    id: changeId(facts),
    ...facts,
    filter: [],
    kind: 'silence',
    direction: 'down',
    before: side(habitDays, Math.round(habit * habitDays.length)),
    after: side(days, sent),
    relative: sent / days.length / habit - 1,
    pValue: null,
    qValue: null,
    text: silenceText(silence),
  };
}

function silenceText({ channelVersion, since, days, habit, sent }: Silence): string {
  const day = `${since.slice(0, 4)}-${since.slice(4, 6)}-${since.slice(6)}`;
  const what = sent === 0 ? 'no submission' : sent === 1 ? 'one submission' : `${sent} submissions`;
  const when = days.length === 1 ? `on ${day}` : `in the ${days.length} days since ${day}`;
  return `${channelVersion} sent ${what} ${when}, and about ${Math.round(habit)} a day before`;
}
