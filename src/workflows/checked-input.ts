/** Turns a fault in a workflow's input into a readable failure that is not retried. */
import { failure } from '../failures.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';

export function checkedInput<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    throw failure('InvalidInput', error.message);
  }
}
