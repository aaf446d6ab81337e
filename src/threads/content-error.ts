/** Errors about what a file holds, as they leave a thread: their class is lost there, and a thread knows only local paths. */
import { InvalidDataError, type InvalidDataReason } from '../pipeline/invalid-data.ts';

/** Whether an error is about the content, and not about reading it. */
export function isContentError(error: unknown): error is Error {
  if (error instanceof InvalidDataError) return true;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^(?:Z_|ZSTD_|ERR_BUFFER_TOO_LARGE|ERR_STRING_TOO_LONG)/.test(code);
}

/** An error about the content of a file, with its path in front, from which `LocalObjects` finds the object. */
export function namingFile(path: string, error: unknown, reason: InvalidDataReason): unknown {
  if (!isContentError(error)) return error;
  const known = error instanceof InvalidDataError ? error.reason : reason;
  return new InvalidDataError(known, `${path}: ${error.message}`, { cause: error });
}
