/** Whether a run of a day has less than the run that it would replace (docs/protocol.md C2). */
import type { LedgerEntry } from './ledger.ts';

/** What is compared, and how much each of the two has. */
export interface Shortfall {
  readonly what: 'submissions' | 'processed files';
  readonly has: number;
  readonly before: number;
}

/**
 * Fewer submissions; fewer processed files where the submissions of the earlier run are not known, as those of an earlier
 * release or of an external processor. Undefined when the run is no poorer.
 */
export function shortfall(current: LedgerEntry, next: LedgerEntry): Shortfall | undefined {
  const { records: before = 0 } = current;
  const compared: Shortfall =
    before > 0
      ? { what: 'submissions', has: next.records ?? 0, before }
      : { what: 'processed files', has: next.files.processed, before: current.files.processed };
  return compared.has < compared.before ? compared : undefined;
}
