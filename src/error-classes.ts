/** Which row of the failure table an error has: by what it is, its code, its name, and its causes. */
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { type FailureType, isFailureType } from './failures.ts';
import { InvalidDataError, type InvalidDataReason } from './pipeline/invalid-data.ts';

/** The failure type of invalid data that ends a run. Data that a stage counts and leaves out never gets that far. */
const BY_REASON = {
  invalid_day: 'InvalidInput',
  invalid_input: 'InvalidInput',
  invalid_filter: 'InvalidFilter',
  invalid_template: 'InvalidFilter',
  task_too_large: 'TaskTooLarge',
  plan_too_large: 'PlanTooLarge',
  too_many_channel_versions: 'TooManyChannelVersions',
  sealed_day: 'InvalidInput',
  adopted_files: 'InvalidInput',
  other_days: 'InvalidFilter',
  counted_elsewhere: 'InvalidInput',
  website_source: 'WebsiteSourceMissing',
  website_refused: 'WebsiteRefused',
  garbage_refused: 'GarbageRefused',
  bad_sha: 'InvalidInput',
  unknown_sha: 'InvalidInput',
  ambiguous_sha: 'InvalidInput',
  bad_json: 'InvalidData',
  bad_key: 'InvalidData',
  bad_arch: 'InvalidData',
  bad_os: 'InvalidData',
  bad_os_version: 'InvalidData',
  bad_channel_version: 'InvalidData',
  bad_revision: 'InvalidData',
  no_info: 'InvalidData',
  too_many_measures: 'InvalidData',
  too_many_rows: 'InvalidData',
  no_tab: 'InvalidData',
  unsupported_ver: 'InvalidData',
  bad_container: 'InvalidData',
  decoder_memory: 'InvalidData',
  too_large: 'InvalidData',
  file_too_large: 'InvalidData',
  line_too_long: 'InvalidData',
  bad_filter_path: 'InvalidData',
  not_base64: 'InvalidData',
  bad_message: 'InvalidData',
  bad_prefix: 'InvalidData',
  bad_result_key: 'InvalidData',
  bad_file_key: 'InvalidData',
  no_files: 'InvalidData',
  unknown_run: 'InvalidData',
  unknown_task: 'InvalidData',
  files_differ: 'InvalidData',
  damaged_plan: 'StateDamaged',
  bad_plan: 'StateDamaged',
  bad_receipt: 'StateDamaged',
  bad_run_index: 'StateDamaged',
  bad_chunk: 'StateDamaged',
  bad_contribution: 'StateDamaged',
  bad_run_report: 'StateDamaged',
  bad_publication: 'StateDamaged',
  bad_staged: 'StateDamaged',
  bad_part: 'StateDamaged',
  unsorted_slots: 'StateDamaged',
  bad_ledger: 'StateDamaged',
  bad_round: 'StateDamaged',
  bad_entry: 'StateDamaged',
  bad_alert: 'StateDamaged',
  bad_decision: 'StateDamaged',
  bad_sign_of_life: 'StateDamaged',
  bad_garbage_plan: 'StateDamaged',
  bad_owner: 'StateDamaged',
  bad_website_memory: 'StateDamaged',
  bad_adopted_folder: 'StateDamaged',
  bad_file_list: 'StateDamaged',
  unsorted_list: 'StateDamaged',
  bad_gzip: 'StateDamaged',
  bad_versions: 'PointerDamaged',
  bad_status: 'StateDamaged',
  bad_changes: 'StateDamaged',
  bad_summary: 'StateDamaged',
  bad_manifest: 'StateDamaged',
  bad_filter_tree: 'StateDamaged',
  bad_histograms: 'StateDamaged',
  bad_revisions: 'StateDamaged',
  bad_parquet: 'StateDamaged',
  bad_folder_name: 'StateDamaged',
  missing_folder: 'StateDamaged',
  missing_file: 'StateDamaged',
} as const satisfies Record<InvalidDataReason, FailureType>;

/** Names of errors: of this code base, of the AWS SDK, of Node.js and of the language. */
const BY_NAME: Readonly<Record<string, FailureType>> = {
  QueueMissingError: 'QueueMissing',
  ObjectMissingError: 'StateDamaged',
  PreconditionFailedError: 'ServiceUnavailable',
  PassingError: 'ServiceUnavailable',
  UnreachableError: 'ServiceUnavailable',
  NoSuchBucket: 'BucketMissing',
  AccessDenied: 'AccessDenied',
  AccessDeniedException: 'AccessDenied',
  InvalidAccessKeyId: 'AccessDenied',
  SignatureDoesNotMatch: 'AccessDenied',
  AbortError: 'ServiceUnavailable',
  TimeoutError: 'ServiceUnavailable',
  ServiceUnavailable: 'ServiceUnavailable',
  SlowDown: 'ServiceUnavailable',
  InternalError: 'ServiceUnavailable',
  RequestTimeout: 'ServiceUnavailable',
  ThrottlingException: 'ServiceUnavailable',
  KeyTooLongError: 'ProgramError',
  EntityTooLarge: 'ProgramError',
  TypeError: 'ProgramError',
  RangeError: 'ProgramError',
  ReferenceError: 'ProgramError',
  SyntaxError: 'ProgramError',
  EvalError: 'ProgramError',
  URIError: 'ProgramError',
  AssertionError: 'ProgramError',
};

/** Codes of Node.js and of the system. */
const BY_CODE: Readonly<Record<string, FailureType>> = {
  ECONNREFUSED: 'ServiceUnavailable',
  ECONNRESET: 'ServiceUnavailable',
  ECONNABORTED: 'ServiceUnavailable',
  EHOSTUNREACH: 'ServiceUnavailable',
  ENETUNREACH: 'ServiceUnavailable',
  ENOTFOUND: 'ServiceUnavailable',
  ETIMEDOUT: 'ServiceUnavailable',
  EPIPE: 'ServiceUnavailable',
  EAI_AGAIN: 'ServiceUnavailable',
  UND_ERR_SOCKET: 'ServiceUnavailable',
  UND_ERR_CONNECT_TIMEOUT: 'ServiceUnavailable',
  ENOSPC: 'DiskFull',
  EDQUOT: 'DiskFull',
  ENAMETOOLONG: 'ProgramError',
  EISDIR: 'ProgramError',
  ENOTDIR: 'ProgramError',
  EINVAL: 'ProgramError',
  ERR_WORKER_OUT_OF_MEMORY: 'OutOfMemory',
};

/**
 * The row of an error: first by the error itself, then by its causes: `fetch` reports a refused connection as the cause
 * of a `TypeError`. `UnexpectedError` for what no row knows.
 */
export function failureTypeOf(error: unknown): FailureType {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const type = ownType(at);
    if (type === 'ProgramError' && causedByService(at)) return 'ServiceUnavailable';
    if (type !== undefined) return type;
  }
  return 'UnexpectedError';
}

function ownType(error: Error): FailureType | undefined {
  if (error instanceof ApplicationFailure) return isFailureType(error.type) ? error.type : undefined;
  if (error instanceof TimeoutFailure) return 'TimedOut';
  if (error instanceof InvalidDataError) return BY_REASON[error.reason];
  const byCode = codeType(error);
  if (byCode !== undefined) return byCode;
  const named = Object.hasOwn(BY_NAME, error.name) ? BY_NAME[error.name] : undefined;
  const { $metadata, $fault } = error as ServiceError;
  if ($metadata === undefined) return named;
  // An answer that could not be read may be readable next time, whatever error it caused in the SDK.
  if (named === 'ProgramError' && $fault === undefined) return 'ServiceUnavailable';
  return named ?? statusType($metadata.httpStatusCode);
}

/** Services have many names for the same few answers. */
function statusType(status: number | undefined): FailureType | undefined {
  if (status === undefined) return undefined;
  if (status >= 500 || status === 408 || status === 409 || status === 429) return 'ServiceUnavailable';
  return status === 401 || status === 403 ? 'AccessDenied' : undefined;
}

/** Of connections: undici's, TLS', and of a machine that is short of something. */
const PASSING_CODE =
  /^(?:UND_ERR_|ERR_SSL_|ERR_TLS_|CERT_|EPROTO$|EMFILE$|ENFILE$|EADDRNOTAVAIL$|ENETDOWN$|EHOSTDOWN$)/;

/** Node.js has many codes for wrong arguments and impossible lengths. */
const PROGRAM_CODE = /^ERR_(?:INVALID|OUT_OF_RANGE|STRING_TOO_LONG|BUFFER)/;

function codeType({ code }: ServiceError): FailureType | undefined {
  if (typeof code !== 'string') return undefined;
  if (Object.hasOwn(BY_CODE, code)) return BY_CODE[code];
  if (PASSING_CODE.test(code)) return 'ServiceUnavailable';
  return PROGRAM_CODE.test(code) ? 'ProgramError' : undefined;
}

interface ServiceError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $fault?: unknown;
}

/** `fetch` throws a `TypeError` for whatever happened to the connection, and several addresses have an `AggregateError`. */
function causedByService({ cause }: Error): boolean {
  if (!(cause instanceof Error)) return false;
  const causes = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.some((each) => each instanceof Error && ownType(each) === 'ServiceUnavailable');
}
