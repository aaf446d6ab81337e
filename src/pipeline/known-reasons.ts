/**
 * The reasons under which files, submissions, aggregates and tasks are counted as left out. Workers choose those of their
 * messages: one that is not here counts as `other`, so that what a run counts stays small, whoever reports.
 */

const KNOWN = [
  // Submission files, and submissions in them.
  'not_found',
  'bad_key',
  'bad_container',
  'decoder_memory',
  'too_large',
  'file_too_large',
  'empty_file',
  'truncated_file',
  'line_too_long',
  'empty_line',
  'no_tab',
  'bad_utf8',
  'bad_json',
  'no_info',
  'unsupported_ver',
  'bad_os',
  'bad_os_version',
  'bad_arch',
  'bad_revision',
  'bad_channel_version',
  'bad_filter_path',
  'no_submission',
  'out_of_memory',
  'too_many_measures',
  'too_many_rows',
  // Parts of a submission.
  'bad_measure_name',
  'measures_over_limit',
  'bad_histogram',
  'bad_simple_measure',
  'build_in_future',
  'name_collision',
  'negative_simple',
  'mixed_statistics',
  'sanitised_value',
  // Parts of a result.
  'bad_result_key',
  'bad_aggregate',
  'empty_aggregate',
  'bad_number',
  'null_value',
  'bad_values',
  'bad_build_id',
  'bad_path',
  'bad_date',
  'clamped_sum',
  'length_mismatch',
  'unplanned_channel_version',
  'submitted_in_future',
  // Parts of a done message.
  'bad_report',
  // Tasks.
  'aborted',
  'failed',
  'no_file_read',
  'no_result',
  'result_changed',
  'result_missing',
  'result_rejected',
  'result_too_large',
  'other',
] as const;

export type KnownReason = (typeof KNOWN)[number];

const REASONS: ReadonlySet<string> = new Set(KNOWN);

/** Names of all reasons. */
export const KNOWN_REASONS: readonly string[] = KNOWN;

/** The largest count that a message may give; sums over the tasks of any run stay exact. */
export const MAX_COUNT = 2 ** 32 - 1;

/** The reason itself, or `other`. */
export function knownReason(reason: string): string {
  return REASONS.has(reason) ? reason : 'other';
}

/** Adds counts by reason into `total`, unknown reasons under `other`; a sum ends at 2^53−1. */
export function addCounts(total: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [given, count] of Object.entries(more)) {
    const reason = knownReason(given);
    total[reason] = addCount(total[reason] ?? 0, count);
  }
}

/** A sum of counts that stays a count that can be stored and read again. */
export function addCount(sum: number, count: number): number {
  return Math.min(sum + count, Number.MAX_SAFE_INTEGER);
}
