/** The stored ledgers: each is what its name says (I6), and those of the current commit's past follow each other (I5). */
import pMap from 'p-map';
import { storedLedgers } from '../state/ledgers.ts';
import type { Pointer } from '../state/pointer.ts';
import { faultsOf, faultsWithoutParent } from '../pipeline/dataset/invariants.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { parseLedger } from '../pipeline/dataset/ledger-document.ts';
import { stateKeys } from '../state/keys.ts';
import { GRACE_MS } from './rules/folder-rules.ts';
import { type History, historyOf, recentCommits, type StoredCommit } from './rules/history.ts';
import { RESTORE, RESTORE_POINTER } from './remedies.ts';
import type { Walk } from './walk.ts';

const AT_ONCE = 8;

export interface Commits extends History {
  /** Folders that a commit names; of all stored ledgers where the chain has a gap. */
  readonly named: ReadonlySet<string>;
  /** Earlier commits within the grace time, with their ledgers. */
  readonly recent: readonly { readonly commit: StoredCommit; readonly ledger: Ledger }[];
}

export async function checkCommits(walk: Walk, { versions, ledger }: Pointer): Promise<Commits> {
  walk.step('ledgers');
  const errors = walk.errors;
  const key = versions.head.ledger;
  const stored = await storedCommits(walk, key);
  const head = stored.find((commit) => commit.key === key) ?? commitOf(key, ledger, walk.now);
  const history = historyOf(head, stored);
  walk.counts.earlierCommits = history.chain.length - 1;
  report(walk, history);
  const recent = await pMap(
    recentCommits(history, walk.now, GRACE_MS),
    async (commit) => {
      const read = await readLedgerOf(walk, commit.key);
      return read === undefined ? [] : [{ commit, ledger: read.value }];
    },
    { concurrency: AT_ONCE },
  );
  // A ledger that is not what was committed says nothing about the commits beside it.
  if (walk.errors === errors) checkTransitions(walk, { key, ledger }, recent.flat());
  const known = history.faults.length === 0 ? history.chain : stored;
  return { ...history, named: new Set(known.flatMap(({ folders }) => folders)), recent: recent.flat() };
}

/** Each commit that readers may still hold, and the current one, against the one before: what is checked before a commit is made. */
function checkTransitions(
  walk: Walk,
  head: { readonly key: string; readonly ledger: Ledger },
  recent: readonly { readonly commit: StoredCommit; readonly ledger: Ledger }[],
): void {
  const ledgers = [head, ...recent.map(({ commit, ledger }) => ({ key: commit.key, ledger }))];
  for (const { key, ledger } of ledgers) {
    const parent = ledgers.find(
      (other) => other.ledger.commit === ledger.parent && other.ledger.seq === ledger.seq - 1,
    );
    const faults = parent === undefined ? faultsWithoutParent(ledger) : faultsOf(ledger, parent.ledger);
    for (const { rule, kind, what } of faults)
      walk.error(rule, kind, walk.stateAddress(key), `commit ${ledger.seq}: ${what}`, RESTORE_POINTER);
  }
}

function commitOf(key: string, { seq, commit, parent, channelVersions }: Ledger, at: Date): StoredCommit {
  return { key, seq, commit, parent, folders: [...channelVersions.values()].map(({ folder }) => folder), at };
}

async function storedCommits(walk: Walk, headKey: string): Promise<StoredCommit[]> {
  const { analysis } = walk.ports;
  const commits: StoredCommit[] = [];
  const listed = storedLedgers(analysis, walk.signal);
  await pMap(
    listed,
    async ({ key, storedAt }) => {
      const read = await readLedgerOf(walk, key);
      if (read === undefined) return;
      // The head's own hash was checked where it was read.
      if (key !== headKey && stateKeys.ledger(read.sha256) !== key) {
        walk.error(
          'I6',
          'wrong-hash',
          walk.stateAddress(key),
          `the ledger of commit ${read.value.seq} is not what its name says`,
          RESTORE,
        );
      }
      commits.push(commitOf(key, read.value, storedAt));
    },
    { concurrency: AT_ONCE },
  );
  return commits;
}

function readLedgerOf(walk: Walk, key: string) {
  const about = { invariant: 'I6', what: 'a ledger', action: RESTORE } as const;
  return walk.document(walk.ports.analysis, key, about, parseLedger);
}

function report(walk: Walk, { faults, doubtful }: History): void {
  for (const commit of doubtful) {
    walk.note(
      'I5',
      'unknown',
      walk.stateAddress(stateKeys.allLedgers),
      `several ledgers say that they are commit ${commit}`,
      'Nothing for readers; report it, since a commit has one ledger',
    );
  }
  for (const { commit, fault } of faults) {
    if (fault === 'parent not stored') reportGap(walk, commit);
    else
      walk.error(
        'I5',
        'wrong-parent',
        walk.stateAddress(commit.key),
        `commit ${commit.seq} names the parent ${String(commit.parent)}, whose number is not ${commit.seq - 1}`,
        'Compare both ledgers with the bucket’s versions: one of them was not written by this application',
      );
  }
}

function reportGap(walk: Walk, { key, seq, at }: StoredCommit): void {
  const where = walk.stateAddress(key);
  const what = `the ledger of commit ${seq - 1}, its parent, is not stored, so what readers saw before commit ${seq} is not known`;
  if (walk.now.getTime() - at.getTime() < GRACE_MS) walk.error('I10', 'missing', where, what, RESTORE);
  else
    walk.note(
      'I5',
      'unknown',
      where,
      what,
      'Nothing if ledgers of that age were deleted on purpose; otherwise restore it from the bucket’s versions',
    );
}
