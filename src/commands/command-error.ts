/** An end of a command that needs no stack trace: the message says what happened and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: ExitCode } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/**
 * 1: failed; 2: the input or configuration must be corrected, nothing was written; above 128: ended by a signal, as shells
 * count (SIGHUP, SIGINT, SIGTERM).
 */
export type ExitCode = 1 | 2 | 129 | 130 | 143;
