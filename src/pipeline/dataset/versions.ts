/**
 * `versions.json`, the pointer: which folder shows each channel/version, and under `$head` which commit this is
 * (docs/architecture.md 3). Clients look at keys like `word/number` only, so `$head` is invisible to them.
 */
import { isChannelVersion, parseFolderName } from './folder-name.ts';
import type { Ledger } from './ledger.ts';
import { StoredJson } from '../stored-json.ts';

interface Head {
  /** Number of the commit; 0 is the one `setup` writes. */
  readonly seq: number;
  readonly commit: string;
  readonly parent: string | null;
  /** Key of the commit's ledger in the state. */
  readonly ledger: string;
  /** ISO instant; with `commit` it makes every body unique, so an ETag never comes back. */
  readonly at: string;
}

export interface Versions {
  readonly head: Head;
  /** channel/version → folder */
  readonly folders: ReadonlyMap<string, string>;
}

/**
 * @throws InvalidDataError `bad_versions` for anything but a file of our own: to take it for empty would lose the data
 *   set
 */
export function parseVersions(json: string): Versions {
  const root = StoredJson.parse(json, 'bad_versions', 'versions.json');
  const stored = root.member('$head');
  const head: Head = {
    seq: stored.member('seq').count(),
    commit: stored.member('commit').text(),
    parent: stored.member('parent').nullOr((parent) => parent.text()),
    ledger: stored.member('ledger').text(),
    at: stored.member('at').instant(),
  };
  const folders = new Map<string, string>();
  for (const [name, value] of root.entries()) {
    if (name === '$head') continue;
    if (!isChannelVersion(name)) value.fail('named after a channel/version');
    if (parseFolderName(value.text())?.channelVersion !== name) value.fail(`a folder of ${name}`);
    folders.set(name, value.text());
  }
  return { head, folders };
}

/** The text of versions.json: `$head` first, then channel/versions ascending. */
export function serialiseVersions({ head, folders }: Versions): string {
  const { seq, commit, parent, ledger, at } = head;
  const sorted = [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ $head: { seq, commit, parent, ledger, at }, ...Object.fromEntries(sorted) });
}

/** The pointer to a new data set's empty ledger; only `setup` writes it. */
export function firstVersions(ledger: Ledger, ledgerKey: string, now: Date): Versions {
  return versionsOf(ledger, ledgerKey, now);
}

/**
 * The pointer to a ledger. A channel/version that is not in the ledger is not in the result.
 * @throws Error unless the ledger was made from the current commit
 */
export function nextVersions(current: Versions, ledger: Ledger, ledgerKey: string, now: Date): Versions {
  const { commit, seq } = current.head;
  if (ledger.parent !== commit || ledger.seq !== seq + 1) {
    throw new Error(`ledger ${ledgerKey} follows commit ${String(ledger.parent)}, not the current ${commit}`);
  }
  return versionsOf(ledger, ledgerKey, now);
}

function versionsOf(ledger: Ledger, ledgerKey: string, now: Date): Versions {
  const { seq, commit, parent } = ledger;
  const folders = new Map([...ledger.channelVersions].map(([name, entry]) => [name, entry.folder]));
  return { head: { seq, commit, parent, ledger: ledgerKey, at: now.toISOString() }, folders };
}
