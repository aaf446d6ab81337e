/**
 * `status.json`: the commit for readers that have no access to the state, and how the two file lists were written with
 * it (docs/protocol.md C9).
 */
import type { Ledger } from './ledger.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';
import type { Versions } from './versions.ts';

/** A list as it was stored. Shows without reading it whether a list was overwritten. */
export interface WrittenList {
  readonly bytes: number;
  readonly etag: string;
}

export interface WrittenLists {
  readonly FILES_PROCESSED: WrittenList;
  readonly FILES_MISSING: WrittenList;
}

/** The text of status.json; equal arguments give equal texts. */
export function statusDocument({ head, folders }: Versions, ledger: Ledger, lists: WrittenLists): string {
  const { seq, commit, at } = head;
  const days = [...ledger.entries.values()];
  const sum = (count: (day: (typeof days)[number]) => number): number =>
    days.reduce((total, day) => total + count(day), 0);
  return JSON.stringify({
    seq,
    commit,
    at,
    days: Object.fromEntries(ledger.entries),
    channelVersions: Object.fromEntries(folders),
    /** Measures that are published with a stand-in for their definition, by channel/version. */
    definitionsPending: Object.fromEntries(
      [...ledger.channelVersions].map(([name, { definitionsPending }]) => [name, definitionsPending.length]),
    ),
    missing: {
      tasks: sum(({ failed, missing }) => failed + missing),
      files: sum(({ files }) => files.missing),
    },
    lists: { FILES_PROCESSED: written(lists.FILES_PROCESSED), FILES_MISSING: written(lists.FILES_MISSING) },
  });
}

function written({ bytes, etag }: WrittenList): WrittenList {
  return { bytes, etag };
}

/** Commit number and lists in a stored text; nulls for what is not there, such as the lists in files of earlier releases. */
export function readStatusDocument(text: string): { readonly seq: number | null; readonly lists: WrittenLists | null } {
  return {
    seq: readOrNull(text, (root) => root.member('seq').count()),
    lists: readOrNull(text, (root) => {
      const lists = root.member('lists');
      return {
        FILES_PROCESSED: readWritten(lists.member('FILES_PROCESSED')),
        FILES_MISSING: readWritten(lists.member('FILES_MISSING')),
      };
    }),
  };
}

/** A wrong projection is written again, so damage is no failure here. */
function readOrNull<T>(text: string, read: (root: StoredJson) => T): T | null {
  try {
    return read(StoredJson.parse(text, 'bad_status', 'status.json'));
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

function readWritten(stored: StoredJson): WrittenList {
  return { bytes: stored.member('bytes').count(), etag: stored.member('etag').text() };
}
