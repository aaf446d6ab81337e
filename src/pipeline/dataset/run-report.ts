/**
 * The report of a run: every count, so that planned = done + failed + missing can be checked.
 */

import type { BadHistograms } from '../bad-histograms.ts';

export interface RunCounts {
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly files: { readonly processed: number; readonly missing: number; readonly partial: number };
  /** How many files are missing for which reason; runs that an earlier release began do not know. */
  readonly missingReasons?: Readonly<Record<string, number>>;
  /** Submissions counted. */
  readonly records: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** The measures with most histograms left out; runs that an earlier release began know none. */
  readonly badHistograms?: BadHistograms;
  readonly dropped: Readonly<Record<string, number>>;
  readonly failedTasks: Readonly<Record<string, number>>;
}

/** Reasons for which a whole submission was left out; other counts are about parts of one. */
const WHOLE_SUBMISSION = [
  'no_tab',
  'empty_line',
  'bad_json',
  'no_info',
  'bad_os',
  'bad_os_version',
  'bad_arch',
  'bad_revision',
  'too_many_measures',
  'unsupported_ver',
  'line_too_long',
] as const;

export function skippedSubmissions(skipped: Readonly<Record<string, number>>): number {
  return WHOLE_SUBMISSION.reduce((sum, reason) => sum + (skipped[reason] ?? 0), 0);
}

/** `bad_json 3, no_tab 1`, most frequent first. */
export function reasons(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ');
}
