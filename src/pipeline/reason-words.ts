/** Reasons in plain words, for warnings that people read who do not know the formats. */
import type { KnownReason } from './known-reasons.ts';

/** Each completes `left out: …` and `could not be read (…)`. */
const WORDS: Readonly<Record<KnownReason, string>> = {
  // Submission files, and submissions in them.
  not_found: 'no longer in the input bucket',
  bad_key: 'odd name',
  bad_container: 'corrupt',
  decoder_memory: 'compressed so that it needs too much memory',
  too_large: 'too large when unpacked',
  file_too_large: 'file too large',
  empty_file: 'empty',
  truncated_file: 'cut short',
  line_too_long: 'line too long',
  empty_line: 'empty line',
  no_tab: 'no TAB between id and submission',
  bad_utf8: 'not UTF-8',
  bad_json: 'not JSON',
  no_info: 'no "info"',
  unsupported_ver: 'unknown version of the format',
  bad_os: 'operating system missing or odd',
  bad_os_version: 'version of the operating system missing or odd',
  bad_arch: 'architecture missing or odd',
  bad_revision: 'odd revision',
  bad_channel_version: 'odd channel or version',
  bad_filter_path: 'unusable as a filter path',
  no_submission: 'no usable submission in it',
  out_of_memory: 'needs too much memory',
  too_many_measures: 'too many measures',
  too_many_rows: 'adds too much to a result for its size',
  // Parts of a submission.
  bad_measure_name: 'odd measure name',
  measures_over_limit: 'rare measures beyond the limit',
  bad_histogram: 'histogram with impossible numbers',
  bad_simple_measure: 'simple measurement that is not a number',
  build_in_future: 'build from the future',
  name_collision: 'two measures of one name',
  negative_simple: 'negative simple measurement',
  mixed_statistics: 'statistics of two kinds',
  sanitised_value: 'value out of range',
  // Parts of a result.
  bad_result_key: 'odd name in a result',
  bad_aggregate: 'damaged sums',
  empty_aggregate: 'empty sums',
  bad_number: 'not a number',
  null_value: 'no value',
  bad_values: 'damaged values',
  bad_build_id: 'odd build id',
  bad_path: 'odd filter path',
  bad_date: 'odd date',
  clamped_sum: 'sum beyond what can be held',
  length_mismatch: 'another number of buckets than the others',
  unplanned_channel_version: 'channel/version that the day has no file of',
  submitted_in_future: 'day of submission later than the day after the run’s day',
  // Parts of a done message.
  bad_report: 'odd report of a worker',
  // Tasks.
  aborted: 'given up by the worker',
  failed: 'analysis failed',
  no_file_read: 'no file could be read',
  no_result: 'no result came',
  result_changed: 'result replaced after it was reported',
  result_missing: 'result not there',
  result_rejected: 'result unusable',
  result_too_large: 'result too large',
  other: 'another reason',
};

/** More reasons in a sentence nobody reads. */
const MAX_NAMED = 4;

/** `corrupt` when all have that reason; else `3 × corrupt, 1 × empty`, most frequent first; empty without any. */
export function reasonsInWords(counts: Readonly<Record<string, number>>): string {
  const [only, ...others] = Object.keys(counts);
  return only !== undefined && others.length === 0 ? wordsOf(only) : countedReasons(counts);
}

/** The same with the count of a single reason too. */
export function countedReasons(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const named = sorted.slice(0, MAX_NAMED).map(([reason, count]) => `${count} × ${wordsOf(reason)}`);
  const rest = sorted.slice(MAX_NAMED).reduce((sum, [, count]) => sum + count, 0);
  return [...named, ...(rest > 0 ? [`${rest} × other`] : [])].join(', ');
}

/** Reports of earlier releases may have reasons that are no longer known; they keep their name. */
function wordsOf(reason: string): string {
  return Object.hasOwn(WORDS, reason) ? WORDS[reason as KnownReason] : reason;
}
