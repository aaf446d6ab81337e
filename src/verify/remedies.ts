/** Instructions to operators that several checks share. */

export const RESTORE = 'Restore it from the bucket’s versions or a copy; nothing else has it';

export const RESTORE_POINTER =
  'Put the last good version of versions.json back (docs/operating.md, "Restore the data set"), then run the days since then again';

/** @param day a day, or the name of a round */
export function runAgain(day: string | null): string {
  return day !== null && /^\d{8}$/.test(day)
    ? `run the day again: telemetry run-day --day ${day}`
    : 'restore the object from the bucket’s versions or a copy';
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function inSentence(remedy: string): string {
  return remedy.charAt(0).toLowerCase() + remedy.slice(1);
}
