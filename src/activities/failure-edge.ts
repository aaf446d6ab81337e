/** The edge between errors of this code base and Temporal: which ones a person must mend, so that retrying is no use. */
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { FailureType } from '../errors.ts';
import { plainText } from '../pipeline/plain-text.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { QueueMissingError } from '../ports.ts';

const BY_REASON: Readonly<Record<string, FailureType>> = {
  invalid_day: FailureType.InvalidInput,
  invalid_input: FailureType.InvalidInput,
  invalid_filter: FailureType.InvalidFilter,
  invalid_template: FailureType.InvalidFilter,
  task_too_large: FailureType.TaskTooLarge,
  plan_too_large: FailureType.PlanTooLarge,
  sealed_day: FailureType.InvalidInput,
  adopted_files: FailureType.InvalidInput,
  website_source: FailureType.WebsiteSourceMissing,
  website_refused: FailureType.WebsiteRefused,
  garbage_refused: FailureType.GarbageRefused,
};

const BY_AWS_NAME: Readonly<Record<string, FailureType>> = {
  NoSuchBucket: FailureType.BucketMissing,
  AccessDenied: FailureType.AccessDenied,
  AccessDeniedException: FailureType.AccessDenied,
  InvalidAccessKeyId: FailureType.AccessDenied,
  SignatureDoesNotMatch: FailureType.AccessDenied,
};

/**
 * Wraps every activity of a set so that its errors reach Temporal with a type, and with their cause. Everybody with access
 * to the namespace reads them there for as long as histories are kept, so they hold no secret and no signed URL (THREATS T15).
 * @param secrets values that must not appear
 */
export function translatingFailures<Set extends Record<string, (...args: never[]) => Promise<unknown>>>(
  activities: Set,
  secrets: readonly string[] = [],
): Set {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]): Promise<unknown> => {
      try {
        return await activity(...args);
      } catch (error) {
        throw toFailure(error, secrets);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Set;
}

/** Bounds what a failure brings into the history, its causes each on their own. */
const MAX_BYTES = 4096;
const MAX_CAUSES = 4;

function toFailure(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Error)) return new Error(fit(String(error), secrets));
  // How a cancellation ends is for Temporal to recognise.
  if (error instanceof CancelledFailure || error.name === 'AbortError') return error;
  return cleaned(error, secrets, MAX_CAUSES);
}

function cleaned(error: Error, secrets: readonly string[], causes: number): Error {
  const message = fit(error.message, secrets);
  const cause = error.cause instanceof Error && causes > 0 ? cleaned(error.cause, secrets, causes - 1) : undefined;
  const type = error instanceof TemporalFailure ? undefined : typeOf(error);
  const clean = type === undefined ? sameKind(error, message, cause) : finalFailure(error, type, message, secrets);
  clean.stack = fit(error.stack ?? '', secrets);
  return clean;
}

/** The original goes along as the cause, for its name and its stack. */
function finalFailure(error: Error, type: FailureType, message: string, secrets: readonly string[]): Error {
  const cause = new Error(message, error.cause instanceof Error ? { cause: cleaned(error.cause, secrets, 1) } : {});
  cause.name = error.name;
  cause.stack = fit(error.stack ?? '', secrets);
  return ApplicationFailure.create({ message, type, nonRetryable: true, cause });
}

function sameKind(error: Error, message: string, cause: Error | undefined): Error {
  if (error instanceof ApplicationFailure) {
    const { type, nonRetryable, details } = error;
    return new ApplicationFailure(message, type, nonRetryable, details, cause);
  }
  if (error instanceof TemporalFailure) return error;
  // Commands that call an activity themselves tell errors apart by class.
  const clean = Object.create(Object.getPrototypeOf(error) as object) as Error;
  return Object.assign(clean, { message, name: error.name, ...(cause !== undefined && { cause }) });
}

function fit(text: string, secrets: readonly string[]): string {
  const plain = plainText(text, secrets);
  return Buffer.byteLength(plain) <= MAX_BYTES ? plain : `${plain.slice(0, MAX_BYTES / 4)} … (cut)`;
}

function typeOf(error: Error): FailureType | undefined {
  if (error instanceof QueueMissingError) return FailureType.QueueMissing;
  if (error instanceof InvalidDataError) return BY_REASON[error.reason];
  return BY_AWS_NAME[error.name];
}
