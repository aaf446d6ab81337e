/** Turns a fault in a workflow's input into a failure that a person can read and that is not retried. */
import { ApplicationFailure } from '@temporalio/workflow';
import { FailureType } from '../errors.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';

export function checkedInput<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, FailureType.InvalidInput);
  }
}
