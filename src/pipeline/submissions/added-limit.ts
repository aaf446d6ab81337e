/**
 * The limit of what one submission file may add to a result (docs/formats/submissions.md 3.8). A result that is too large counts
 * for nothing, and a few kilobytes can name rows of hundreds of megabytes: each of them repeats its path.
 */
import { InvalidDataError } from '../invalid-data.ts';

export interface AddedLimit {
  /** Bytes of a result that any file may add. */
  readonly any: number;
  /** The same, more for each stored byte. */
  readonly perStoredByte: number;
}

/** Real files add up to 35 bytes for each of theirs when they are small, and 10 when they are large: a ninth of this at most. */
export const ADDED_LIMIT: AddedLimit = { any: 8 << 20, perStoredByte: 64 };

/** @throws InvalidDataError `too_many_rows` */
export function demandFewRows(addedBytes: number, storedBytes: number, limit: AddedLimit = ADDED_LIMIT): void {
  const most = limit.any + storedBytes * limit.perStoredByte;
  if (addedBytes > most)
    throw new InvalidDataError(
      'too_many_rows',
      `A file of ${storedBytes} bytes adds more than ${most} bytes to a result; leave it out`,
    );
}
