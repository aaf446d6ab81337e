/**
 * When a website is not published: a source that is no website, or one that would delete most of the site
 * (docs/website.md 4).
 */
import { InvalidDataError } from '../../pipeline/invalid-data.ts';
import type { SiteFile } from './plan.ts';

export interface WebsiteLimits {
  /** A source with fewer files is refused. */
  readonly minFiles: number;
  /** Of the objects that are there, 0 to 100; more deletions are refused unless forced. */
  readonly maxDeletedPercent: number;
}

/** A dashboard has some hundred files of some kilobytes; beyond these limits the source is something else. */
const MAX_FILES = 20_000;
const MAX_FILE_BYTES = 100 << 20;
const MAX_BYTES = 1 << 30;
/** What the site holds is listed into memory. */
const MAX_OBJECTS = 100_000;
const NAMED = 5;

/**
 * Counts the files of a source while they are found.
 * @throws InvalidDataError `website_refused` once they are too many or too large for a website
 */
export function sizeGuard(): (path: string, bytes: number) => void {
  let files = 0;
  let sum = 0;
  return (path, bytes) => {
    files += 1;
    sum += bytes;
    if (bytes > MAX_FILE_BYTES) throw refused(`${path} has ${bytes} bytes, more than ${MAX_FILE_BYTES}`);
    if (files > MAX_FILES) throw refused(`it has more than ${MAX_FILES} files`);
    if (sum > MAX_BYTES) throw refused(`it has more than ${MAX_BYTES} bytes`);
  };
}

/** @throws InvalidDataError `website_refused` for a place that holds more objects than a website has */
export function checkPresent(objects: number, site: string): void {
  if (objects <= MAX_OBJECTS) return;
  throw new InvalidDataError(
    'website_refused',
    `The website is not published: ${site} holds more than ${MAX_OBJECTS} objects, which is no website; check bucket and prefix`,
  );
}

/** @throws InvalidDataError `website_refused` for a source that cannot be a website */
export function checkSource(files: readonly SiteFile[], { minFiles }: WebsiteLimits): void {
  if (!files.some(({ path }) => path === 'index.html')) throw refused(`it has no index.html (${files.length} files)`);
  if (files.length < minFiles) throw refused(`it has ${files.length} files, fewer than ${minFiles}`);
}

/** @throws InvalidDataError `website_refused` when more of the present objects would go than is allowed */
export function checkDeletions(
  deletions: readonly string[],
  present: number,
  { maxDeletedPercent }: WebsiteLimits,
): void {
  if (deletions.length * 100 <= present * maxDeletedPercent) return;
  const named = deletions.slice(0, NAMED).map((path) => path.slice(0, 100));
  const more = deletions.length > NAMED ? `, and ${deletions.length - NAMED} more` : '';
  throw new InvalidDataError(
    'website_refused',
    `The website is not published: ${deletions.length} of the site's ${present} objects would be deleted, more than ${maxDeletedPercent} % (${named.join(', ')}${more}); if that is meant, force it: --force, or {"force":true} as input`,
  );
}

function refused(why: string): InvalidDataError {
  return new InvalidDataError('website_refused', `The website is not published: its source is no website, ${why}`);
}
