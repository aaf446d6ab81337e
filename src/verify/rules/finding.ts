/** What `telemetry verify` may find: which rule of docs/protocol.md 3 is broken, where, and what to do about it. */
import type { Finding } from '../../findings.ts';

/**
 * Rules that the two buckets can show. Beside the invariants: C9, projections say what the ledger says; GC, nothing is
 * left over.
 */
export const RULES = {
  I1: 'a task counts once',
  I2: 'a day, and an input file, counts once',
  I3: 'a published folder is the sum of what the ledger names',
  I4: 'all that versions.json and the ledger name is there, whole',
  I5: 'commits follow each other',
  I6: 'nothing but versions.json and projections was overwritten',
  I8: 'planned = done + failed + missing, and no input file is lost',
  I10: 'nothing was deleted before its time',
  I12: 'versions.json is there',
  C9: 'FILES_PROCESSED, FILES_MISSING and status.json say what the ledger says',
  GC: 'no folder is left over that no commit references',
} as const;

/**
 * - I7, a message is deleted only after its receipt: once both are gone the buckets show no trace of it but a task that is
 *   missing (I1, I8).
 * - I9, order and repetition change no byte; I11, no list travels through Temporal: about runs, not about what is
 *   stored.
 */
export const NOT_SEEN_IN_BUCKETS = ['I7', 'I9', 'I11'] as const;

export type Rule = keyof typeof RULES;

/** For machines; tests and monitors distinguish findings by it. */
export type FindingKind =
  /** Something that is named is not there. */
  | 'missing'
  /** Content that does not match its name, the manifest or the ledger, or does not decompress. */
  | 'wrong-hash'
  /** A document that cannot be read, or whose parts contradict each other. */
  | 'damaged'
  /** An object in a published folder that its manifest does not know. */
  | 'extra'
  | 'double-task'
  | 'double-file'
  /** Numbers that should be equal and are not. */
  | 'wrong-count'
  /** A channel/version that is not made of what the ledger's days say. */
  | 'wrong-sum'
  /** A folder that differs from its segments rendered again. */
  | 'wrong-render'
  | 'wrong-parent'
  | 'stale-projection'
  /** A folder that no commit names. */
  | 'unreferenced'
  /** Something that the stored objects do not show. */
  | 'unknown';

export interface VerifyFinding extends Finding {
  readonly severity: 'error' | 'note';
  readonly invariant: Rule;
  readonly kind: FindingKind;
}

const ORDER = Object.keys(RULES);

/** Errors before notes, then by rule and place. */
export function compareFindings(a: VerifyFinding, b: VerifyFinding): number {
  if (a.severity !== b.severity) return a.severity === 'error' ? -1 : 1;
  const rules = ORDER.indexOf(a.invariant) - ORDER.indexOf(b.invariant);
  if (rules !== 0) return rules;
  return a.where < b.where ? -1 : a.where > b.where ? 1 : 0;
}
