/**
 * The report of a run: every count, so that planned = done + failed + missing can be checked, and what needs attention.
 */

import type { BadHistograms } from '../bad-histograms.ts';

export interface RunCounts {
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly files: { readonly processed: number; readonly missing: number; readonly partial: number };
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

/** Of the submissions; below it, bad ones are left out every day. */
const MANY_SKIPPED = 0.05;

export function skippedSubmissions(skipped: Readonly<Record<string, number>>): number {
  return WHOLE_SUBMISSION.reduce((sum, reason) => sum + (skipped[reason] ?? 0), 0);
}

/** What a person should look at although the run ended well; empty when all is well. */
export function warningsOf(counts: RunCounts, definitionsPending: number): string[] {
  const { failed, missing, files, records, skipped, dropped } = counts;
  const left = skippedSubmissions(skipped);
  const share = left / Math.max(1, records + left);
  return [
    ...(failed > 0 ? [`analysis tasks failed: ${failed} (${reasons(counts.failedTasks)})`] : []),
    ...(missing > 0 ? [`analysis tasks without result: ${missing}`] : []),
    ...(files.missing > 0 ? [`input files in FILES_MISSING: ${files.missing}`] : []),
    ...(files.partial > 0 ? [`input files that could be read in part only: ${files.partial}`] : []),
    ...(share > MANY_SKIPPED ? [`${left} of ${records + left} submissions were left out (${reasons(skipped)})`] : []),
    ...badHistogramWarning(counts),
    ...(Object.keys(dropped).length > 0 ? [`aggregates were dropped while merging (${reasons(dropped)})`] : []),
    ...(definitionsPending > 0 ? [`${definitionsPending} measures wait for their definition`] : []),
  ];
}

function badHistogramWarning({ records, skipped, badHistograms = {} }: RunCounts): string[] {
  const bad = skipped['bad_histogram'] ?? 0;
  if (bad <= MANY_SKIPPED * records) return [];
  const named = reasons(badHistograms);
  return [`${bad} histograms were left out as bad_histogram${named === '' ? '' : `, most of ${named}`}`];
}

/** `bad_json 3, no_tab 1`, most frequent first. */
export function reasons(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.map(([reason, count]) => `${reason} ${count}`).join(', ');
}
