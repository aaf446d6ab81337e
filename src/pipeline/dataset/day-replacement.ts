/**
 * How a run's contribution enters the ledger (docs/protocol.md C2, C3). A day has one contribution: a new one replaces
 * the old, and everything it touches is rendered again from stored segments.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { isRound } from './entry-name.ts';
import type { ChannelVersionEntry, LedgerEntry, Ledger, Segment } from './ledger.ts';

/** What a channel/version is rendered from. */
type Stored = Pick<ChannelVersionEntry, 'base' | 'segments'>;

/** What a run wants to have published. */
export interface Contribution {
  /** `YYYYMMDD`, or `round-<instant>` for a round of continuous aggregation. */
  readonly day: string;
  readonly entry: LedgerEntry;
  /** By channel/version; none for a channel/version the run found nothing for. */
  readonly segments: ReadonlyMap<string, Omit<Segment, 'day'>>;
}

export type Decision = 'no-op' | 'superseded' | 'publish';

/** A channel/version of the next ledger: one whose segments changed has no folder yet. */
type DraftEntry = Omit<ChannelVersionEntry, 'folder'> & { readonly folder: string | null };

/** The next ledger without its commit. */
export interface LedgerDraft {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly channelVersions: ReadonlyMap<string, DraftEntry>;
}

export interface DayReplacement {
  readonly draft: LedgerDraft;
  /** Channel/versions to render again, ascending. */
  readonly affected: readonly string[];
  /** Channel/versions that have lost their last segment, ascending. They leave the ledger and versions.json. */
  readonly emptied: readonly string[];
}

/** The result of rendering an affected channel/version. */
export interface RenderedFolder extends Partial<Stored> {
  readonly folder: string;
  readonly definitionsPending: readonly string[];
}

/**
 * Whether a contribution is still to be published. `no-op`: the ledger holds just this one, as after a commit whose
 * answer was lost. `superseded`: it holds that of a run with a later plan (then: greater run id), or a further state of
 * the same run, since receipts only grow in number.
 */
export function decide(ledger: Ledger, contribution: Contribution): Decision {
  const current = ledger.entries.get(contribution.day);
  if (current === undefined) return 'publish';
  const { entry } = contribution;
  if (current.runId !== entry.runId) return isLater(current, entry) ? 'superseded' : 'publish';
  if (current.done > entry.done || (current.done === entry.done && current.missing < entry.missing))
    return 'superseded';
  return sameEntry(current, entry) && sameSegments(ledger, contribution) ? 'no-op' : 'publish';
}

/**
 * Puts a contribution in the place of the day's earlier one.
 * @param displaced rounds that leave the data set with it, since the day counts some of their files itself
 * @throws InvalidDataError `sealed_day` when a channel/version has the day, or a displaced round, in its base and the
 *   day's own segment is gone
 */
export function replaceDay(
  ledger: Ledger,
  contribution: Contribution,
  displaced: readonly string[] = [],
): DayReplacement {
  const { day, segments } = contribution;
  const channelVersions = new Map<string, DraftEntry>(ledger.channelVersions);
  const affected: string[] = [];
  const emptied: string[] = [];
  for (const name of new Set([...ledger.channelVersions.keys(), ...segments.keys()])) {
    const before = ledger.channelVersions.get(name);
    const segment = segments.get(name);
    const leaving = roundsOf(before).filter((round) => displaced.includes(round) || !ledger.entries.has(round));
    const isSame = segmentOf(before, day)?.key === segment?.key && !isCompacted(before, day);
    if (isSame && leaving.length === 0) continue;
    const after = withoutDays(name, before, [day, ...leaving]);
    const list = segment === undefined ? after.segments : [...after.segments, { day, ...segment }];
    if (list.length === 0 && after.base === null) {
      channelVersions.delete(name);
      emptied.push(name);
      continue;
    }
    const sorted = list.toSorted((a, b) => (a.day < b.day ? -1 : 1));
    channelVersions.set(name, { folder: null, base: after.base, segments: sorted, definitionsPending: [] });
    affected.push(name);
  }
  const entries = new Map(ledger.entries).set(day, contribution.entry);
  for (const round of displaced) entries.delete(round);
  return { draft: { entries, channelVersions }, affected: affected.toSorted(), emptied: emptied.toSorted() };
}

/**
 * Takes channel/versions out of a draft: they stay as the ledger has them. For those whose stored data is damaged, so that
 * they cannot be rendered again; the next publication of the day tries again, since their segments are not the run's.
 */
export function keepAsTheyAre(draft: LedgerDraft, ledger: Ledger, names: readonly string[]): LedgerDraft {
  const channelVersions = new Map(draft.channelVersions);
  for (const name of names) {
    const entry = ledger.channelVersions.get(name);
    if (entry === undefined) channelVersions.delete(name);
    else channelVersions.set(name, entry);
  }
  return { entries: draft.entries, channelVersions };
}

/**
 * The next ledger, once every affected channel/version has its folder.
 * @throws Error when a folder is missing
 */
export function completeLedger(
  parent: Ledger,
  draft: LedgerDraft,
  commit: string,
  rendered: ReadonlyMap<string, RenderedFolder>,
): Ledger {
  const channelVersions = new Map<string, ChannelVersionEntry>();
  for (const [name, entry] of draft.channelVersions) {
    const { folder, ...rest } = { ...entry, ...rendered.get(name) };
    if (folder === null) throw new InvalidDataError('bad_staged', `${name} was not rendered`);
    channelVersions.set(name, { folder, ...rest });
  }
  return { seq: parent.seq + 1, commit, parent: parent.commit, entries: draft.entries, channelVersions };
}

function isLater(a: LedgerEntry, b: LedgerEntry): boolean {
  const [planA, planB] = [a, b].map(({ planAt }) => (planAt === undefined ? -Infinity : Date.parse(planAt)));
  if (planA !== undefined && planB !== undefined && planA !== planB) return planA > planB;
  return a.runId > b.runId;
}

function sameEntry(a: LedgerEntry, b: LedgerEntry): boolean {
  return (
    a.done === b.done &&
    a.failed === b.failed &&
    a.missing === b.missing &&
    a.fileLists.processed === b.fileLists.processed &&
    a.fileLists.missing === b.fileLists.missing
  );
}

function sameSegments(ledger: Ledger, { day, segments }: Contribution): boolean {
  const names = new Set([...ledger.channelVersions.keys(), ...segments.keys()]);
  return [...names].every((name) => {
    const before = ledger.channelVersions.get(name);
    // What is sealed came from the same run, as the entry says; it can neither be compared nor replaced.
    return isCompacted(before, day) || segmentOf(before, day)?.key === segments.get(name)?.key;
  });
}

/** The day's own segment, wherever it is; undefined when there is none or it is gone. */
function segmentOf(entry: Stored | undefined, day: string): Segment | undefined {
  return [...(entry?.segments ?? []), ...(entry?.base?.kept ?? [])].find((segment) => segment.day === day);
}

/** True when the base holds the day for good: its own segment is gone. */
function isCompacted(entry: Stored | undefined, day: string): boolean {
  return entry?.base?.days.includes(day) === true && segmentOf(entry, day) === undefined;
}

/** Rounds in it. One that the ledger does not know stayed behind when the channel/version could not be rendered. */
function roundsOf(entry: Stored | undefined): string[] {
  return [...(entry?.base?.days ?? []), ...(entry?.segments ?? []).map(({ day }) => day)].filter(isRound);
}

function withoutDays(name: string, entry: Stored | undefined, days: readonly string[]): Stored {
  return days.reduce<Stored>((rest, day) => withoutDay(name, rest, day), entry ?? { base: null, segments: [] });
}

function withoutDay(name: string, { base, segments }: Stored, day: string): Stored {
  const others = segments.filter((segment) => segment.day !== day);
  if (base?.days.includes(day) !== true) return { base, segments: others };
  if (isCompacted({ base, segments }, day)) {
    throw new InvalidDataError(
      'sealed_day',
      `${day} cannot be replaced: ${name} has it in the base ${base.key}, and the day's own segment is no longer kept`,
    );
  }
  const beneath = base.beneath === null ? null : { ...base.beneath, kept: [], beneath: null };
  return { base: beneath, segments: [...base.kept.filter((segment) => segment.day !== day), ...others] };
}
