/**
 * The adopted history in the ledger: one entry, `adopted-<instant>`, for everything that the original published until then,
 * and a sealed base for each channel/version. The original kept no counts per day, so nothing in it can be replaced.
 */
import { adoptedNameAt, isAdopted } from '../entry-name.ts';
import { type ChannelVersionEntry, type LedgerEntry, emptyLedger, type Ledger } from '../ledger.ts';

/** One channel/version of the original, read and stored. */
interface AdoptedBase {
  readonly folder: string;
  /** Object with its slots in the state; there is one for a folder without rows as well, so that it stays in the ledger. */
  readonly base: { readonly key: string; readonly sha: string; readonly slots: number };
}

export interface AdoptedHistory {
  /** Name of the ledger's entry. */
  readonly name: string;
  readonly files: LedgerEntry['files'];
  readonly fileLists: LedgerEntry['fileLists'];
  readonly channelVersions: ReadonlyMap<string, AdoptedBase>;
}

/** @param modified when the original's versions.json was last written */
export function adoptedName(modified: Date): string {
  return adoptedNameAt(modified.toISOString().replace(/\.\d+Z$/, 'Z'));
}

/** The last day, `YYYYMMDD`, whose files the adopted history may have. */
export function adoptedOn(name: string): string {
  return name.slice(adoptedNameAt('').length).slice(0, 10).replaceAll('-', '');
}

/** The adopted entry of a ledger; undefined when there is none. */
export function adoptedEntryOf(ledger: Ledger): [name: string, entry: LedgerEntry] | undefined {
  return [...ledger.entries].find(([name]) => isAdopted(name));
}

/**
 * The ledger of the adoption. Its folders are the original's own: they show what its bases hold.
 * @param parent the empty ledger of a data set that was set up already; null when the original's map is to be replaced
 */
export function adoptedLedger(parent: Ledger | null, history: AdoptedHistory, commit: string): Ledger {
  const { name, files, fileLists } = history;
  const channelVersions = new Map<string, ChannelVersionEntry>();
  for (const [channelVersion, { folder, base }] of history.channelVersions) {
    const sealed = { ...base, days: [name], kept: [], beneath: null };
    channelVersions.set(channelVersion, { folder, base: sealed, segments: [], definitionsPending: [] });
  }
  // None of these files came by a task of ours.
  const tasks = { planned: 0, done: 0, failed: 0, missing: 0 };
  const entries = new Map([[name, { runId: commit, ...tasks, files, fileLists }]]);
  const first = emptyLedger(commit);
  return parent === null
    ? { ...first, entries, channelVersions }
    : { seq: parent.seq + 1, commit, parent: parent.commit, entries, channelVersions };
}
