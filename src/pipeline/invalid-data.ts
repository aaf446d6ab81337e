/** Data from outside, or stored earlier, that breaks a rule. Pure code throws it; the caller counts, quarantines or reports it. */

/**
 * Every rule that can be broken, by the stage that checks it. `error-classes.ts` has the failure type of each;
 * a reason without one does not compile.
 */
export type InvalidDataReason = InputReason | SubmissionReason | MessageReason | StoredReason | PublishedReason;

/** From people: an input, a filter, a setting, or a look-up in the quarantine. */
type InputReason =
  | 'invalid_day'
  | 'invalid_input'
  | 'invalid_filter'
  | 'invalid_template'
  | 'task_too_large'
  | 'plan_too_large'
  | 'too_many_channel_versions'
  | 'sealed_day'
  | 'adopted_files'
  | 'other_days'
  | 'counted_elsewhere'
  | 'website_source'
  | 'website_refused'
  | 'garbage_refused'
  | 'bad_sha'
  | 'unknown_sha'
  | 'ambiguous_sha';

/** Submissions, and the results that workers make of them. */
type SubmissionReason =
  | 'bad_json'
  | 'bad_key'
  | 'bad_arch'
  | 'bad_os'
  | 'bad_os_version'
  | 'bad_channel_version'
  | 'bad_revision'
  | 'no_info'
  | 'too_many_measures'
  | 'too_many_rows'
  | 'no_tab'
  | 'unsupported_ver'
  | 'bad_container'
  | 'decoder_memory'
  | 'too_large'
  | 'file_too_large'
  | 'line_too_long'
  | 'bad_filter_path';

/** Messages of the task queue and the done queue. */
type MessageReason =
  | 'not_base64'
  | 'bad_message'
  | 'bad_prefix'
  | 'bad_result_key'
  | 'bad_file_key'
  | 'no_files'
  | 'unknown_run'
  | 'unknown_task'
  | 'files_differ'
  | 'damaged_plan';

/** Documents of the private bucket, and the pointer. */
type StoredReason =
  | 'bad_plan'
  | 'bad_receipt'
  | 'bad_run_index'
  | 'bad_chunk'
  | 'bad_contribution'
  | 'bad_run_report'
  | 'bad_publication'
  | 'bad_staged'
  | 'bad_part'
  | 'unsorted_slots'
  | 'bad_ledger'
  | 'bad_round'
  | 'bad_entry'
  | 'bad_alert'
  | 'bad_decision'
  | 'bad_sign_of_life'
  | 'bad_garbage_plan'
  | 'bad_owner'
  | 'bad_website_memory'
  | 'bad_adopted_folder'
  | 'bad_file_list'
  | 'unsorted_list'
  | 'bad_gzip';

/** Files of the published space, ours and the original's. */
type PublishedReason =
  | 'bad_versions'
  | 'bad_status'
  | 'bad_changes'
  | 'bad_summary'
  | 'bad_manifest'
  | 'bad_filter_tree'
  | 'bad_histograms'
  | 'bad_revisions'
  | 'bad_parquet'
  | 'bad_folder_name'
  | 'missing_folder'
  | 'missing_file';

export class InvalidDataError extends Error {
  override readonly name = 'InvalidDataError';
  /** Short machine name of the broken rule; counters and quarantine reasons use it. */
  readonly reason: InvalidDataReason;

  constructor(reason: InvalidDataReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
