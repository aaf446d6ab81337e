/**
 * Members that an answer must have. One without them is incomplete, or was not given by the service (a proxy's page has
 * status 200 too): an error that may pass, never an empty listing, an empty queue or an object of 1970.
 */
import { PassingError } from '../ports.ts';

/** @throws PassingError when there is none */
export function demanded<T>(value: T | undefined, member: string, about: string): T {
  if (value !== undefined && value !== '') return value;
  throw incomplete(about, `has no ${member}`);
}

/** A number of at least 0. @throws PassingError */
export function demandedNumber(text: string | undefined, member: string, about: string): number {
  const number = Number(demanded(text, member, about));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw incomplete(about, `has the ${member} ${JSON.stringify(text?.slice(0, 100))}`);
}

export function incomplete(about: string, why: string): PassingError {
  return new PassingError(
    `${about}: the answer ${why}; see whether the endpoint is the service itself, and not a proxy or another server`,
  );
}
