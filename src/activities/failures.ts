/** The edge between errors of this code base and Temporal: which ones a person must mend, so that retrying is no use. */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { FailureType } from '../errors.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { QueueMissingError } from '../ports.ts';

const BY_REASON: Readonly<Record<string, FailureType>> = {
  invalid_day: FailureType.InvalidInput,
  invalid_input: FailureType.InvalidInput,
  invalid_filter: FailureType.InvalidFilter,
  invalid_template: FailureType.InvalidFilter,
  task_too_large: FailureType.TaskTooLarge,
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

/** Wraps every activity of a set so that its errors reach Temporal with a type, and with their cause. */
export function translatingFailures<Set extends Record<string, (...args: never[]) => Promise<unknown>>>(
  activities: Set,
): Set {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]): Promise<unknown> => {
      try {
        return await activity(...args);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Set;
}

function toFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TemporalFailure) return error;
  const type = typeOf(error);
  if (type === undefined) return error;
  return ApplicationFailure.create({ message: error.message, type, nonRetryable: true, cause: error });
}

function typeOf(error: Error): FailureType | undefined {
  if (error instanceof QueueMissingError) return FailureType.QueueMissing;
  if (error instanceof InvalidDataError) return BY_REASON[error.reason];
  return BY_AWS_NAME[error.name];
}
