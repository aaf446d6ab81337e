/** Data from outside that breaks a rule. Pure code throws it; the caller counts, quarantines or reports it. */
export class InvalidDataError extends Error {
  override readonly name = 'InvalidDataError';
  /** Short machine name of the broken rule, such as `bad_key`; counters and quarantine reasons use it. */
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
