/** The ledger as it is stored: a JSON document, compressed, named by the hash of its text (docs/protocol.md 2). */
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';
import { ENTRY_NAME } from './entry-name.ts';
import { isChannelVersion } from './folder-name.ts';
import { faultsWithin } from './invariants.ts';
import type {
  ChannelVersionEntry,
  CompactedBase,
  FoldedDays,
  Ledger,
  LedgerEntry,
  Segment,
  SlotObject,
} from './ledger.ts';

const SHA = /^[0-9a-f]{16,128}$/;

/** The text of a ledger; equal ledgers give equal texts. */
export function serialiseLedger(ledger: Ledger): string {
  const { seq, commit, parent } = ledger;
  return JSON.stringify({
    seq,
    commit,
    parent,
    days: sortedObject(ledger.entries),
    channelVersions: sortedObject(ledger.channelVersions),
  });
}

/** @throws InvalidDataError `bad_ledger`: a ledger that is damaged must stop a publish, not shrink the data set */
export function parseLedger(json: string): Ledger {
  const root = StoredJson.document(json, 'bad_ledger', 'ledger');
  const ledger = {
    seq: root.member('seq').count(),
    commit: root.member('commit').text(),
    parent: root.member('parent').nullOr((parent) => parent.text()),
    entries: new Map(
      root
        .member('days')
        .entries()
        .map(([name, stored]) => [name, readEntry(stored)]),
    ),
    channelVersions: new Map(
      root
        .member('channelVersions')
        .entries()
        .map(([name, stored]) => [name, readChannelVersion(name, stored)]),
    ),
  };
  const [fault] = faultsWithin(ledger);
  if (fault !== undefined) throw new InvalidDataError('bad_ledger', `${fault.what} (${fault.rule})`);
  return ledger;
}

// Code point order and code unit order agree on these names: they are ASCII.
function sortedObject<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function readEntry(stored: StoredJson): LedgerEntry {
  const planAt = stored.optional('planAt')?.instant();
  const records = stored.optional('records')?.count();
  const files = stored.member('files');
  const missingReasons = stored.optional('missingReasons')?.counts();
  const lists = stored.member('fileLists');
  return {
    runId: stored.member('runId').text(),
    ...(planAt === undefined ? {} : { planAt }),
    planned: stored.member('planned').count(),
    done: stored.member('done').count(),
    failed: stored.member('failed').count(),
    missing: stored.member('missing').count(),
    ...(records === undefined ? {} : { records }),
    files: { processed: files.member('processed').count(), missing: files.member('missing').count() },
    ...(missingReasons === undefined ? {} : { missingReasons }),
    fileLists: {
      processed: lists.member('processed').nullOr((key) => key.text()),
      missing: lists.member('missing').nullOr((key) => key.text()),
    },
  };
}

function readChannelVersion(name: string, stored: StoredJson): ChannelVersionEntry {
  if (!isChannelVersion(name)) stored.fail('named after a channel/version');
  return {
    folder: stored.member('folder').text(),
    base: stored.member('base').nullOr(readBase),
    segments: stored.member('segments').list(readSegment),
    definitionsPending: stored.member('definitionsPending').list((measure) => measure.text()),
  };
}

export function readBase(stored: StoredJson): CompactedBase {
  return {
    ...readFolded(stored),
    kept: stored.member('kept').list(readSegment),
    beneath: stored.member('beneath').nullOr(readFolded),
  };
}

export function readFolded(stored: StoredJson): FoldedDays {
  const days = stored.member('days').list((day) => day.text(ENTRY_NAME));
  if (days.length === 0) stored.member('days').fail('not empty');
  return { ...readObject(stored), days };
}

export function readSegment(stored: StoredJson): Segment {
  return { day: stored.member('day').text(ENTRY_NAME), ...readObject(stored) };
}

function readObject(stored: StoredJson): SlotObject {
  return {
    key: stored.member('key').text(),
    sha: stored.member('sha').text(SHA),
    slots: stored.member('slots').count(),
  };
}
