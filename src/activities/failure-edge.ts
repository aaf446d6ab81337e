/** The edge between errors of this code base and Temporal: each gets its type, and is final when the same input would cause it again. */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { failureTypeOf } from '../error-classes.ts';
import { failure, type FailureType, isFinal } from '../failures.ts';
import { isTooDeep } from '../pipeline/nesting.ts';
import { plainText } from '../pipeline/plain-text.ts';
import { inActivityContext } from './context.ts';

/**
 * An error that no row of the table knows may pass by itself, so it is tried again; with the pauses of the retry policy
 * this is about four minutes. After that the same input has failed in the same way too often.
 */
export const MAX_UNEXPECTED_ATTEMPTS = 8;

/**
 * Wraps all activities so that their errors reach Temporal with a type and a cause. Everybody with access
 * to the namespace reads them there for as long as histories are kept, so they hold no secret and no signed URL
 * (docs/security.md T15).
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
        throw toFailure(error, secrets, args[0]);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Set;
}

/** Limits the size of a failure in the history, each of its causes separately. */
const MAX_BYTES = 4096;
const MAX_CAUSES = 4;
const MAX_INPUT = 300;

function toFailure(thrown: unknown, secrets: readonly string[], input: unknown): unknown {
  try {
    return translated(thrown, secrets, input);
  } catch {
    // Whatever was thrown, Temporal gets an error with a type.
    return failure('UnexpectedError', 'The activity ended with something that cannot be read as an error');
  }
}

function translated(thrown: unknown, secrets: readonly string[], input: unknown): unknown {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  // Temporal itself must recognise a cancellation.
  if (error instanceof CancelledFailure || error.name === 'AbortError') return error;
  const type = failureTypeOf(error);
  const clean = cleaned(error, secrets, MAX_CAUSES);
  if (error instanceof TemporalFailure || !endsTheRun(type)) return clean;
  // The row says "the input that the message names"; errors of the language and of threads name none.
  const message = isProgramFault(type) ? `${clean.message} (input: ${described(input, secrets)})` : clean.message;
  const ended = ApplicationFailure.create({ message: fit(message, secrets), type, nonRetryable: true, cause: clean });
  ended.stack = clean.stack ?? '';
  return ended;
}

function endsTheRun(type: FailureType): boolean {
  if (isFinal(type)) return true;
  return type === 'UnexpectedError' && inActivityContext() && activityInfo().attempt >= MAX_UNEXPECTED_ATTEMPTS;
}

function isProgramFault(type: FailureType): boolean {
  return type === 'ProgramError' || type === 'OutOfMemory' || type === 'UnexpectedError';
}

function described(input: unknown, secrets: readonly string[]): string {
  // What describes an error must not fail itself.
  if (isTooDeep(input)) return 'nested too deep to be shown';
  return fit(JSON.stringify(input ?? null), secrets).slice(0, MAX_INPUT);
}

/** The same kind of error without secrets: commands that call an activity themselves distinguish errors by class. */
function cleaned(error: Error, secrets: readonly string[], causes: number): Error {
  const message = fit(error.message, secrets);
  const cause = error.cause instanceof Error && causes > 0 ? cleaned(error.cause, secrets, causes - 1) : undefined;
  const clean = sameKind(error, message, cause);
  clean.stack = fit(error.stack ?? '', secrets);
  return clean;
}

function sameKind(error: Error, message: string, cause: Error | undefined): Error {
  if (error instanceof ApplicationFailure) {
    const { type, nonRetryable, details } = error;
    return new ApplicationFailure(message, type, nonRetryable, details, cause);
  }
  if (error instanceof TemporalFailure) return error;
  const clean = Object.create(Object.getPrototypeOf(error) as object) as Error;
  // Defined, not assigned: a DOMException has its members as getters.
  for (const [member, value] of Object.entries({ message, name: error.name, stack: '', ...(cause && { cause }) }))
    Object.defineProperty(clean, member, { value, writable: true, configurable: true, enumerable: false });
  return clean;
}

function fit(text: string, secrets: readonly string[]): string {
  const plain = plainText(text, secrets);
  return Buffer.byteLength(plain) <= MAX_BYTES ? plain : `${plain.slice(0, MAX_BYTES / 4)} … (cut)`;
}
