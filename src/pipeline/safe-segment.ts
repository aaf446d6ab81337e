/**
 * The one rule for names from outside that become part of a key or file name: channels, versions, measures
 * (docs/security.md T4).
 */

const SEGMENT = /^[A-Za-z0-9_.-]{1,255}$/;
/**
 * The longest name of a measure. `<name>-by-submission-date.json` must fit a file system's 255 bytes, with room for what a
 * store or a tool adds; browsers allow less than this.
 */
export const MAX_MEASURE = 128;

/** Whether it is a safe part of a path on every store and file system. */
export function isSafeSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== '.' && text !== '..';
}

/** True for a measure that the data set can hold: names become names of files (docs/formats/submissions.md 3.5). */
export function isMeasureName(text: string): boolean {
  return text.length <= MAX_MEASURE && isSafeSegment(text);
}
