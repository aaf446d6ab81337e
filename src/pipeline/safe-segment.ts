/**
 * The one rule for names from outside that become part of a key or file name: channels, versions, measures
 * (docs/security.md T4).
 */

const SEGMENT = /^[A-Za-z0-9_.-]{1,255}$/;

/** Whether it is a safe part of a path on every store and file system. */
export function isSafeSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== '.' && text !== '..';
}
