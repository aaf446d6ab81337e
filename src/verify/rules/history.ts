/** I5: the commits from the current one back, as the stored ledgers show them. */

/** What a stored ledger says about its commit. */
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
  /** Commits of the chain whose parent is not the commit before. */
  readonly faults: readonly {
    readonly commit: StoredCommit;
    readonly fault: 'parent not stored' | 'seq does not grow by one';
  }[];
  /** Commits of the chain that several ledgers claim to be. */
  readonly doubtful: readonly string[];
}

export function historyOf(head: StoredCommit, stored: readonly StoredCommit[]): History {
  const byCommit = Map.groupBy(stored, ({ commit }) => commit);
  const history = { chain: [head], faults: [] as History['faults'][number][], doubtful: [] as string[] };
  for (let current = head; current.parent !== null;) {
    const candidates = byCommit.get(current.parent) ?? [];
    if (candidates.length > 1) history.doubtful.push(current.parent);
    const { seq } = current;
    // Numbers fall with every step, so this ends.
    const next =
      candidates.find((candidate) => candidate.seq === seq - 1) ?? candidates.find((candidate) => candidate.seq < seq);
    if (next?.seq !== seq - 1) {
      const fault = candidates.length === 0 ? 'parent not stored' : 'seq does not grow by one';
      history.faults.push({ commit: current, fault });
    }
    if (next === undefined) break;
    history.chain.push(next);
    current = next;
  }
  return history;
}

/** Earlier commits that readers may still use: those whose successor is younger than the grace time, newest first. */
export function recentCommits({ chain }: History, now: Date, graceMs: number): StoredCommit[] {
  return chain.filter((_, index) => {
    const successor = chain[index - 1];
    return successor !== undefined && now.getTime() - successor.at.getTime() < graceMs;
  });
}
