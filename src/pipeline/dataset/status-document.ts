/** `status.json`: the commit for readers that have no access to the state, and how the two file lists were written with it (PROTOCOL C9). */
import type { Ledger } from './ledger.ts';
import type { Versions } from './versions.ts';

/** A list as the store took it. Tells an overwritten list from the one that was written, without reading it. */
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
  const days = [...ledger.days.values()];
  const sum = (count: (day: (typeof days)[number]) => number): number =>
    days.reduce((total, day) => total + count(day), 0);
  return JSON.stringify({
    seq,
    commit,
    at,
    days: Object.fromEntries(ledger.days),
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
  let stored: { readonly seq?: unknown; readonly lists?: Partial<WrittenLists> } | null;
  try {
    stored = JSON.parse(text) as typeof stored;
  } catch {
    stored = null;
  }
  const { FILES_PROCESSED: processed, FILES_MISSING: missing } = stored?.lists ?? {};
  return {
    seq: typeof stored?.seq === 'number' ? stored.seq : null,
    lists: isWritten(processed) && isWritten(missing) ? { FILES_PROCESSED: processed, FILES_MISSING: missing } : null,
  };
}

function isWritten(value: WrittenList | undefined): value is WrittenList {
  return typeof value?.bytes === 'number' && typeof value.etag === 'string';
}
