/** Instructions to operators that several checks share. */
import { submissionDateOf } from '../pipeline/input-bucket/key.ts';

export const RESTORE = 'Restore it from the bucket’s versions or a copy; nothing else has it';

export const RESTORE_POINTER =
  'Put the last good version of versions.json back (docs/operating.md, "Restore the data set"), then run the days since then again';

/** @param day a day, or the name of a round */
export function runAgain(day: string | null): string {
  return day !== null && /^\d{8}$/.test(day)
    ? `run the day again: telemetry run-day --day ${day}`
    : 'restore the object from the bucket’s versions or a copy';
}

/**
 * What to do about a file that two entries count. Of two days the one that the file is not of gives it back: its next
 * run takes the files of its own day only, so that it has fewer submissions than before. A round gives way to the day,
 * and a day leaves to the adopted history what that counts.
 */
export function countOnce(key: string, one: string, other: string): string {
  const days = [one, other].filter((name) => /^\d{8}$/.test(name));
  const wrong = days.find((day) => day !== submissionDateOf(key)) ?? days[0];
  if (wrong === undefined) return runAgain(null);
  return `run ${wrong} again with the configured filter, which gives back what is not its own: telemetry run-day --day ${wrong} --replace-anyway`;
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function inSentence(remedy: string): string {
  return remedy.charAt(0).toLowerCase() + remedy.slice(1);
}
