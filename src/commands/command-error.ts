/** An end of a command that needs no stack trace: the message says what happened and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** 1: failed; 2: the input or configuration must be corrected, nothing was written. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: 1 | 2 } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}
