/** I5: the commits from the current one back, as the stored ledgers tell them. */

/** What a stored ledger says of its commit. */
export interface StoredCommit {
  readonly key: string;
  readonly seq: number;
  readonly commit: string;
  readonly parent: string | null;
  /** Folders it shows. */
  readonly folders: readonly string[];
  /** When its ledger was stored, which is just before it became visible. */
  readonly at: Date;
}

export interface History {
  /** The current commit first. */
  readonly chain: readonly StoredCommit[];
  /** Why it ends before the first commit; null when it does not. */
  readonly broken: null | 'parent not stored' | 'seq does not grow by one';
  /** Commits of the chain that several ledgers claim to be. */
  readonly doubtful: readonly string[];
}

export function historyOf(head: StoredCommit, stored: readonly StoredCommit[]): History {
  const byCommit = Map.groupBy(stored, ({ commit }) => commit);
  const chain: StoredCommit[] = [head];
  const doubtful: string[] = [];
  for (let current = head; current.parent !== null;) {
    const candidates = byCommit.get(current.parent) ?? [];
    if (candidates.length > 1) doubtful.push(current.parent);
    const { seq } = current;
    // Numbers fall with every step, so this ends.
    const next = candidates.find((candidate) => candidate.seq === seq - 1);
    if (next === undefined) {
      const broken = candidates.length === 0 ? 'parent not stored' : 'seq does not grow by one';
      return { chain, broken, doubtful };
    }
    chain.push(next);
    current = next;
  }
  return { chain, broken: null, doubtful };
}

/** Earlier commits that readers may still use: those whose successor is younger than the grace time, newest first. */
export function recentCommits({ chain }: History, now: Date, graceMs: number): StoredCommit[] {
  return chain.filter((_, index) => {
    const successor = chain[index - 1];
    return successor !== undefined && now.getTime() - successor.at.getTime() < graceMs;
  });
}
