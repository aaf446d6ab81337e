/** What a person reads, and a script gets, when a command ends with an error. Loaded then only: most commands end well. */
import { ApplicationFailure } from '@temporalio/common';
import { ConfigError } from '../config.ts';
import { failureTypeOf } from '../error-classes.ts';
import { exitCodeOf, verdictOf } from '../failures.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { UnreachableError } from '../ports.ts';
import { errorText } from '../setup/run-items.ts';
import { CommandError, type ExitCode } from './command-error.ts';

interface EndOfCommand {
  readonly message: string;
  readonly exitCode: ExitCode;
}

const MAX_TEXT = 1000;

/** One sentence for whatever was thrown, known or not. */
export function endOf(error: unknown): EndOfCommand {
  if (error instanceof ConfigError) return { message: error.message, exitCode: 2 };
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  // Its message says what to do.
  if (error instanceof ApplicationFailure)
    return { message: error.message, exitCode: exitCodeOf(failureTypeOf(error)) };
  const text = plainLine(errorText(error), MAX_TEXT);
  if (error instanceof Error && error.name === 'CredentialsProviderError')
    return {
      message: `${text}: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --local for the embedded stack`,
      exitCode: 2,
    };
  if (error instanceof UnreachableError)
    return {
      message: `${text}: see whether it runs, or correct ${error.setting}, then run the command again`,
      exitCode: 1,
    };
  const type = failureTypeOf(error);
  if (type === 'ServiceUnavailable')
    return {
      message: `${text}: see whether the services answer ("telemetry setup" checks them), then run the command again`,
      exitCode: 1,
    };
  const isUnexpected = type === 'ProgramError' || type === 'UnexpectedError';
  const failure = { type, message: text, activity: 'the command', timeout: null };
  const { action } = verdictOf(failure, '', 'run the command again');
  const advice = isUnexpected ? '"telemetry --verbose …" shows where; report it with that' : lowerCase(action);
  return { message: `${text}: ${advice}`, exitCode: exitCodeOf(type) };
}

function lowerCase(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, '')}`;
}
