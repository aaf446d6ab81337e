/** The published data set as versions.json, its ledger and its folders show it. */
import pMap from 'p-map';
import type { DataSetStores, Pointer } from '../state/pointer.ts';
import { analysisDay, isCalendarDay, MS_PER_DAY } from '../pipeline/calendar-day.ts';
import { isRound, roundName } from '../pipeline/dataset/entry-name.ts';
import { parseFolderName } from '../pipeline/dataset/folder-name.ts';
import type { ChannelVersionEntry, Ledger } from '../pipeline/dataset/ledger.ts';
import { MANIFEST_NAME } from '../pipeline/dataset/manifest.ts';
import { publishedNames } from '../state/keys.ts';
import { roundInstants } from '../state/rounds.ts';
import { EXPECTED_DAYS } from './rules/day-rules.ts';
import type { ChannelVersionFacts, DataSetFacts, DayFacts } from './rules/facts.ts';
import { type Counted, publishedFolders } from '../state/listing.ts';
import type { ObjectStore } from '../ports.ts';

const AT_ONCE = 8;
const MAX_FOLDERS = 5_000;
const MAX_NAMES = 10;

export async function dataSetFacts(
  stores: DataSetStores,
  { versions, ledger }: Pointer,
  now: Date,
  signal: AbortSignal,
): Promise<DataSetFacts> {
  const { published, publishedPrefix } = stores;
  const days = [...ledger.entries.keys()];
  const calendarDays = days.filter(isCalendarDay).toSorted();
  const { seq, commit, at } = versions.head;
  const names = new Set(versions.folders.values());
  const [channelVersions, unreferencedFolders, unreferencedRounds] = await Promise.all([
    pMap(versions.folders, ([name, folder]) => channelVersion(stores, name, folder, ledger, signal), {
      concurrency: AT_ONCE,
    }),
    listUnreferencedFolders(stores, names, signal),
    listUnreferencedRounds(stores.analysis, ledger, signal),
  ]);
  return {
    versions: `s3://${published.bucket}/${publishedPrefix}${publishedNames.versions}`,
    seq,
    commit,
    at,
    channelVersions,
    recentDays: recentDays(ledger, now),
    days: calendarDays.length,
    rounds: days.filter(isRound).length,
    firstDay: calendarDays[0] ?? null,
    unreferencedFolders,
    unreferencedRounds,
  };
}

async function channelVersion(
  { published, publishedPrefix }: DataSetStores,
  name: string,
  folder: string,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<ChannelVersionFacts> {
  const entry = ledger.channelVersions.get(name);
  const days = entry === undefined ? [] : daysOf(entry);
  return {
    channelVersion: name,
    folder,
    renderedAt: instantOf(folder),
    newestDay: days.at(-1) ?? null,
    days: days.length,
    definitionsPending: entry?.definitionsPending.length ?? 0,
    hasManifest: (await published.head(`${publishedPrefix}${folder}/${MANIFEST_NAME}`, signal)) !== undefined,
  };
}

/** Calendar days that brought data, ascending. */
function daysOf({ base, segments }: ChannelVersionEntry): string[] {
  return [...(base?.days ?? []), ...segments.map(({ day }) => day)].filter(isCalendarDay).toSorted();
}

function instantOf(folder: string): string {
  const stamp = parseFolderName(folder)?.stamp ?? '';
  return stamp.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z');
}

function recentDays(ledger: Ledger, now: Date): DayFacts[] {
  const first = analysisDay(new Date(now.getTime() - (EXPECTED_DAYS - 1) * MS_PER_DAY));
  return [...ledger.entries]
    .filter(([day]) => isCalendarDay(day) && day >= first)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, { planned, done, failed, missing, files, planAt }]) => ({
      day,
      planned,
      done,
      failed,
      missing,
      filesMissing: files.missing,
      planAt: planAt ?? null,
    }));
}

/** Folders on their way to be published are among them, and those that garbage collection still keeps for readers. */
async function listUnreferencedFolders(
  { published, publishedPrefix }: DataSetStores,
  shown: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Counted & { names: string[] }> {
  const orphans: string[] = [];
  let more = false;
  for await (const { folder } of publishedFolders(published, publishedPrefix, signal)) {
    if (shown.has(folder)) continue;
    more = orphans.length === MAX_FOLDERS;
    if (more) break;
    orphans.push(folder);
  }
  orphans.sort();
  const oldest = orphans[0] === undefined ? null : instantOf(orphans[0]);
  return { count: orphans.length, more, oldest, names: orphans.slice(0, MAX_NAMES) };
}

async function listUnreferencedRounds(analysis: ObjectStore, ledger: Ledger, signal: AbortSignal): Promise<Counted> {
  let count = 0;
  let more = false;
  let oldest: string | null = null;
  for await (const instant of roundInstants(analysis, signal)) {
    if (ledger.entries.has(roundName(instant))) continue;
    more = count === MAX_FOLDERS;
    if (more) break;
    count += 1;
    if (oldest === null || instant < oldest) oldest = instant;
  }
  // Rounds are named after basic ISO instants: 20131030T133100.000Z.
  const extended = oldest?.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:') ?? null;
  return { count, more, oldest: extended };
}
