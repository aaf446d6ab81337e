/**
 * The ledger: what the data set consists of. An immutable object for each commit; `versions.json` names the one that
 * counts (docs/protocol.md 2). Days say what was analysed, channel/versions say what their folders are rendered from.
 */

/**
 * One contribution: a day (`YYYYMMDD`), a round of continuous aggregation (`round-<instant>`), or all that the original
 * had published when it was adopted (`adopted-<instant>`).
 */
export interface LedgerEntry {
  readonly runId: string;
  /** LastModified of the run's plan, ISO; absent for a run without plan. The later plan wins the day. */
  readonly planAt?: string;
  /** Tasks: planned = done + failed + missing. */
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Submissions that were counted; absent in entries of earlier releases. */
  readonly records?: number;
  /** Input files: numbers, and keys of the sorted lists in the state (null for an empty list). */
  readonly files: { readonly processed: number; readonly missing: number };
  /** Missing files by reason; absent without any, and in entries of earlier releases. */
  readonly missingReasons?: Readonly<Record<string, number>>;
  readonly fileLists: { readonly processed: string | null; readonly missing: string | null };
}

/** Sorted slots of one channel/version in the state, with the days in them. */
export interface SlotObject {
  readonly key: string;
  /** Hash of the content; equal content has equal keys. */
  readonly sha: string;
  readonly slots: number;
}

/** One day's slots of a channel/version. */
export interface Segment extends SlotObject {
  readonly day: string;
}

export interface FoldedDays extends SlotObject {
  readonly days: readonly string[];
}

/**
 * Older days folded into one object, the sum of all of `days`. Counts are never subtracted from it: a day in it can
 * be replaced as long as its own segment is kept, by going back to `beneath` plus the other kept segments.
 */
export interface CompactedBase extends FoldedDays {
  /** Own segments that still exist; their days are among `days`. */
  readonly kept: readonly Segment[];
  /** The same without the days of `kept`; null when these are all days, or when `kept` is empty. */
  readonly beneath: FoldedDays | null;
}

export interface ChannelVersionEntry {
  readonly folder: string;
  readonly base: CompactedBase | null;
  /** Days that are not in the base, ascending; one segment a day. */
  readonly segments: readonly Segment[];
  /** Measures published with a stand-in for their definition, ascending. */
  readonly definitionsPending: readonly string[];
}

export interface Ledger {
  readonly seq: number;
  /** Id of the commit this ledger was made for. */
  readonly commit: string;
  /** Id of the commit before; null for the first. */
  readonly parent: string | null;
  /** By name (`entry-name.ts`); stored under the name `days`. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly channelVersions: ReadonlyMap<string, ChannelVersionEntry>;
}

/** The ledger of a data set that `setup` has just created. */
export function emptyLedger(commit: string): Ledger {
  return { seq: 0, commit, parent: null, entries: new Map(), channelVersions: new Map() };
}
