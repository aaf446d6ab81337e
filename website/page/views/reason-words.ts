/**
 * Why an input file is missing, in the words of `telemetry`. A copy, since the site knows the published files only; a test
 * compares it.
 */
import { count } from '../format.ts';

export const REASON_WORDS: Readonly<Record<string, string>> = {
  not_found: 'no longer in the input bucket',
  bad_key: 'odd name',
  bad_container: 'corrupt',
  decoder_memory: 'compressed so that it needs too much memory',
  too_large: 'too large when unpacked',
  file_too_large: 'file too large',
  empty_file: 'empty',
  truncated_file: 'cut short',
  no_submission: 'no usable submission in it',
  out_of_memory: 'needs too much memory',
  aborted: 'given up by the worker',
  failed: 'analysis failed',
  no_result: 'no result came',
  result_missing: 'result not there',
  result_rejected: 'result unusable',
  result_too_large: 'result too large',
};

/** `corrupt 3, empty 1`; a reason of a later release keeps its name. */
export function reasonsText(reasons: readonly (readonly [reason: string, files: number])[]): string {
  return reasons
    .map(([reason, files]) => {
      const words = Object.hasOwn(REASON_WORDS, reason) ? REASON_WORDS[reason] : undefined;
      return `${words ?? reason.replaceAll('_', ' ')} ${count(files)}`;
    })
    .join(', ');
}
