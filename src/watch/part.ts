/** One part of a look: its result, or why there is none, within a time limit whatever the service does. */
import { ApplicationFailure } from '@temporalio/common';
import { withDeadline } from '../deadline.ts';
import { FailureType } from '../failures.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import type { Part } from './rules/facts.ts';
import { QueueMissingError } from '../ports.ts';
import { errorText } from '../setup/run-items.ts';

const PART_MS = 30_000;

/** Never rejects. The signal aborts when the time is up; clients that ignore it are left behind. */
export async function partOf<T>(look: (signal: AbortSignal) => Promise<T>): Promise<Part<T>> {
  try {
    return { known: await withDeadline(PART_MS, look) };
  } catch (error) {
    const text = error instanceof ApplicationFailure ? error.message : errorText(error);
    return { unknown: plainLine(text, 500), type: typeOf(error) };
  }
}

function typeOf(error: unknown): string | null {
  if (error instanceof ApplicationFailure) return error.type ?? null;
  return error instanceof QueueMissingError ? FailureType.QueueMissing : null;
}
