/**
 * The ledger: what the data set consists of. An immutable object for each commit; `versions.json` names the one that
 * counts (PROTOCOL 2, C). Days say what was analysed, channel/versions say from what their folders are rendered.
 */
import { isChannelVersion, parseFolderName } from './folder-name.ts';
import { StoredJson } from '../stored-json.ts';

/**
 * One contribution: a day (`YYYYMMDD`), a round of continuous aggregation (`round-<instant>`), or all that the original
 * had published when it was adopted (`adopted-<instant>`).
 */
export interface DayEntry {
  readonly runId: string;
  /** LastModified of the run's plan, ISO; absent for a run without plan. The later plan wins the day. */
  readonly planAt?: string;
  /** Tasks: planned = done + failed + missing. */
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Input files: numbers, and keys of the sorted lists in the state (null for an empty list). */
  readonly files: { readonly processed: number; readonly missing: number };
  readonly fileLists: { readonly processed: string | null; readonly missing: string | null };
}

/** Sorted slots of one channel/version in the state, with the days in them. */
interface SlotObject {
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
 * Older days folded into one object, which stands for all of `days`. Counts are never subtracted from it: a day in it can
 * be replaced as long as its own segment is kept, by going back to what lies beneath plus the other kept segments.
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
  readonly days: ReadonlyMap<string, DayEntry>;
  readonly channelVersions: ReadonlyMap<string, ChannelVersionEntry>;
}

const DAY = /^(?:\d{8}|(?:round|adopted)-[A-Za-z0-9:.-]+)$/;
const SHA = /^[0-9a-f]{16,128}$/;

/** The ledger of a data set that `setup` has just created. */
export function emptyLedger(commit: string): Ledger {
  return { seq: 0, commit, parent: null, days: new Map(), channelVersions: new Map() };
}

/** The text of a ledger; equal ledgers give equal texts. */
export function serialiseLedger(ledger: Ledger): string {
  const { seq, commit, parent } = ledger;
  return JSON.stringify({
    seq,
    commit,
    parent,
    days: sortedObject(ledger.days),
    channelVersions: sortedObject(ledger.channelVersions),
  });
}

/** @throws InvalidDataError `bad_ledger`: a ledger that is damaged must stop a publish, not shrink the data set */
export function parseLedger(json: string): Ledger {
  const root = StoredJson.parse(json, 'bad_ledger', 'ledger');
  const ledger = {
    seq: root.member('seq').count(),
    commit: root.member('commit').text(),
    parent: root.member('parent').nullOr((parent) => parent.text()),
    days: new Map<string, DayEntry>(),
    channelVersions: new Map<string, ChannelVersionEntry>(),
  };
  for (const [day, stored] of root.member('days').entries()) {
    if (!DAY.test(day)) stored.fail('named after a day, round or adoption');
    ledger.days.set(day, readDay(stored));
  }
  for (const [channelVersion, stored] of root.member('channelVersions').entries()) {
    ledger.channelVersions.set(channelVersion, readChannelVersion(channelVersion, stored));
  }
  return ledger;
}

// Code point order and code unit order agree on these names: they are ASCII.
function sortedObject<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function readDay(stored: StoredJson): DayEntry {
  const planAt = stored.optional('planAt')?.text(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const counts = {
    planned: stored.member('planned').count(),
    done: stored.member('done').count(),
    failed: stored.member('failed').count(),
    missing: stored.member('missing').count(),
  };
  if (counts.planned !== counts.done + counts.failed + counts.missing) {
    stored.fail('an entry with planned = done + failed + missing');
  }
  const files = stored.member('files');
  const lists = stored.member('fileLists');
  return {
    runId: stored.member('runId').text(),
    ...(planAt === undefined ? {} : { planAt }),
    ...counts,
    files: { processed: files.member('processed').count(), missing: files.member('missing').count() },
    fileLists: {
      processed: lists.member('processed').nullOr((key) => key.text()),
      missing: lists.member('missing').nullOr((key) => key.text()),
    },
  };
}

function readChannelVersion(channelVersion: string, stored: StoredJson): ChannelVersionEntry {
  if (!isChannelVersion(channelVersion)) stored.fail('named after a channel/version');
  const folder = stored.member('folder').text();
  if (parseFolderName(folder)?.channelVersion !== channelVersion) stored.member('folder').fail(`of ${channelVersion}`);
  const entry: ChannelVersionEntry = {
    folder,
    base: stored.member('base').nullOr(readBase),
    segments: stored.member('segments').items().map(readSegment),
    definitionsPending: stored
      .member('definitionsPending')
      .items()
      .map((measure) => measure.text()),
  };
  const days = [...(entry.base?.days ?? []), ...entry.segments.map((segment) => segment.day)];
  if (days.length === 0) stored.fail('rendered from something');
  if (new Set(days).size !== days.length) stored.fail('without a day that counts twice');
  return entry;
}

function readBase(stored: StoredJson): CompactedBase {
  const kept = stored.member('kept').items().map(readSegment);
  const beneath = stored.member('beneath').nullOr(readFolded);
  const base = { ...readFolded(stored), kept, beneath };
  const parts = [...(beneath?.days ?? []), ...kept.map((segment) => segment.day)];
  const isWhole = kept.length === 0 ? beneath === null : parts.toSorted().join() === base.days.toSorted().join();
  if (!isWhole) stored.fail('a base whose days are those beneath and the kept ones');
  return base;
}

function readFolded(stored: StoredJson): FoldedDays {
  const days = stored.member('days').items();
  if (days.length === 0) stored.member('days').fail('not empty');
  return { ...readObject(stored), days: days.map((day) => day.text(DAY)) };
}

function readSegment(stored: StoredJson): Segment {
  return { day: stored.member('day').text(DAY), ...readObject(stored) };
}

function readObject(stored: StoredJson): SlotObject {
  return {
    key: stored.member('key').text(),
    sha: stored.member('sha').text(SHA),
    slots: stored.member('slots').count(),
  };
}
