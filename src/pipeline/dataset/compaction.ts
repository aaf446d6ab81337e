/**
 * Compaction: segments of old days are folded into one base per channel/version, so that a publish reads a base and some
 * days however long the history is (docs/architecture.md 3). A day in a base can be replaced as long as its own segment
 * is kept.
 */
import { MS_PER_DAY } from '../calendar-day.ts';
import type { ChannelVersionEntry, CompactedBase, FoldedDays, Ledger, LedgerEntry, Segment } from './ledger.ts';

export interface CompactionLimits {
  /** Segments that were planned more than this many days before the newest plan are folded. */
  readonly compactAfterDays: number;
  /** Segments of a greater age than this are not kept beside the base: their days can no longer be replaced. */
  readonly keepDays: number;
}

type Stored = Pick<ChannelVersionEntry, 'base' | 'segments'>;

/** One object for several days: one that exists, or the sum of `parts`, in this order. */
export interface Fold {
  readonly days: readonly string[];
  readonly parts: readonly string[];
  readonly existing: FoldedDays | null;
}

export interface Compaction {
  readonly base: Fold;
  /** The sum without the kept segments; null when they are all. */
  readonly beneath: Fold | null;
  readonly kept: readonly Segment[];
  /** Days that stay outside the base. */
  readonly segments: readonly Segment[];
}

/** The age of an entry of the ledger, in whole days. */
export type AgeOf = (name: string) => number;

/** @returns undefined when no segment is old enough */
export function planCompaction(
  { base, segments }: Stored,
  ageOf: AgeOf,
  limits: CompactionLimits,
): Compaction | undefined {
  const isOld = ({ day }: Segment): boolean => ageOf(day) > limits.compactAfterDays;
  const old = segments.filter(isOld);
  if (old.length === 0) return undefined;
  const own = [...(base?.kept ?? []), ...old].toSorted((a, b) => (a.day < b.day ? -1 : 1));
  const kept = own.filter(({ day }) => ageOf(day) <= limits.keepDays);
  const expired = own.filter((segment) => !kept.includes(segment));
  // A base without kept segments becomes itself the `beneath` of those kept from now on.
  const beneath = base === null || base.kept.length === 0 ? base : base.beneath;
  return {
    base: fold(base, old),
    beneath: kept.length === 0 ? null : foldOrNothing(beneath, expired),
    kept,
    segments: segments.filter((segment) => !isOld(segment)),
  };
}

/** @param sums objects that were made for the folds without an existing one */
export function compactedEntry(
  compaction: Compaction,
  sums: { readonly base: FoldedDays; readonly beneath: FoldedDays | null },
): {
  readonly base: CompactedBase;
  readonly segments: readonly Segment[];
} {
  return { base: { ...sums.base, kept: compaction.kept, beneath: sums.beneath }, segments: compaction.segments };
}

/** Channel/versions in which the day can no longer be replaced, ascending. */
export function compactedIn(ledger: Ledger, day: string): string[] {
  return [...ledger.channelVersions]
    .filter(([, { base }]) => base?.days.includes(day) === true && !base.kept.some((segment) => segment.day === day))
    .map(([name]) => name)
    .toSorted();
}

/**
 * Ages of entries by when their runs were planned, by the store's clock, counted back from the newest plan: a day that
 * was published late can be corrected as long as any other, and a day in the future makes nothing old. The clock of this
 * machine is not used, so that a retry decides the same. An entry without plan is as old as the date in its name says.
 */
export function agesIn(entries: ReadonlyMap<string, LedgerEntry>): AgeOf {
  const timeOf = (name: string): number => {
    const planAt = entries.get(name)?.planAt;
    return planAt === undefined ? startOf(dateOf(name)) : Date.parse(planAt);
  };
  const planned = [...entries.keys()].filter((name) => entries.get(name)?.planAt !== undefined);
  const newest = (planned.length > 0 ? planned : [...entries.keys()]).map(timeOf).reduce((a, b) => Math.max(a, b), 0);
  return (name) => Math.floor((newest - timeOf(name)) / MS_PER_DAY);
}

function foldOrNothing(folded: FoldedDays | null, more: readonly Segment[]): Fold | null {
  return folded === null && more.length === 0 ? null : fold(folded, more);
}

function fold(folded: FoldedDays | null, more: readonly Segment[]): Fold {
  const days = [...(folded?.days ?? []), ...more.map(({ day }) => day)].toSorted();
  const parts = [...(folded === null ? [] : [folded.key]), ...more.map(({ key }) => key)];
  const [only, ...others] = more;
  if (others.length > 0 || (folded !== null && only !== undefined)) return { days, parts, existing: null };
  const object = folded ?? only;
  if (object === undefined) throw new Error('nothing to fold');
  return { days, parts, existing: { key: object.key, sha: object.sha, slots: object.slots, days } };
}

/** `20131029` of `20131029`, `round-2013-10-29T…` and `adopted-2013-10-29T…`. */
function dateOf(name: string): string {
  return name
    .replace(/^[a-z]+-/, '')
    .replaceAll('-', '')
    .slice(0, 8);
}

function startOf(date: string): number {
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)));
}
