/** A failure that may pass: a worker retries by itself, a person at a terminal is asked to. */
export class PassingError extends Error {
  override readonly name = 'PassingError';
}
