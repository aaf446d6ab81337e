/** Which files of the source, and which objects of the site, belong to the website at all (docs/website.md 3.1). */

/** Why an entry of the source is left out. */
export type SkipReason =
  /** Some component of its path begins with a dot. */
  | 'hidden'
  /** Links are never followed: their target may lie outside the source. */
  | 'link'
  /** Neither file nor folder. */
  | 'special'
  /** Its name cannot be an object key that every client and listing carries unharmed. */
  | 'name';

export type Skipped = Readonly<Partial<Record<SkipReason, number>>>;

/** An object key has 1,024 bytes at most; the rest is for the site's prefix. */
const MAX_PATH_BYTES = 900;

/** Any component that begins with a dot: `.git/config`, `a/.b`. Such files are not published, such objects not touched. */
export function isHidden(path: string): boolean {
  return path.startsWith('.') || path.includes('/.');
}

/**
 * @param path components joined by `/`, without a leading one
 * @returns undefined for a path that is published
 */
export function skipReason(path: string): 'hidden' | 'name' | undefined {
  if (isHidden(path)) return 'hidden';
  return isKeyName(path) ? undefined : 'name';
}

function isKeyName(path: string): boolean {
  // Control characters break listings (XML), U+FFFD marks bytes that were not UTF-8, and \ is a separator for some
  // clients.
  const harmful = /[\p{Cc}\\\u{FFFD}]/u.test(path) || !path.isWellFormed() || path.split('/').includes('');
  return !harmful && new TextEncoder().encode(path).length <= MAX_PATH_BYTES;
}
