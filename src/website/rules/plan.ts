/** What must be written to turn the site that is there into the one of the source, and in which order. */
import { compareText } from '../../pipeline/text-order.ts';
import { isPage, type WebsiteHeaders } from './headers.ts';

/** A file of the source. */
export interface SiteFile {
  /** Components joined by `/`; the site's prefix and this are the object's key. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** An object of the site, as a listing or a PUT gives it. */
export interface SiteObject {
  readonly etag: string;
  readonly size: number;
}

/** What was published under a path, and the object that this made. */
export interface PublishedFile extends SiteObject, WebsiteHeaders {
  readonly sha256: string;
}

export type PlannedFile<File extends SiteFile = SiteFile> = File & WebsiteHeaders;

export interface WebsitePlan<File extends SiteFile = SiteFile> {
  /** First everything that pages refer to; may be uploaded in any order among themselves. */
  readonly assets: readonly PlannedFile<File>[];
  /** Only after all assets, so that no page refers to a script that is not there yet. */
  readonly pages: readonly PlannedFile<File>[];
  /** At the very end, pages first: what they refer to goes after them. */
  readonly deletions: readonly string[];
  /** Paths that stay, with what is known of them. */
  readonly unchanged: ReadonlyMap<string, PublishedFile>;
}

/**
 * @param present objects of the site by path, hidden ones left out
 * @param known what the last update published, by path; an object that is no longer as it left it is uploaded again
 */
export function planWebsite<File extends SiteFile>(
  files: readonly File[],
  present: ReadonlyMap<string, SiteObject>,
  known: ReadonlyMap<string, PublishedFile>,
  headersOf: (path: string) => WebsiteHeaders,
): WebsitePlan<File> {
  const unchanged = new Map<string, PublishedFile>();
  const changed: PlannedFile<File>[] = [];
  for (const file of files.toSorted((a, b) => compareText(a.path, b.path))) {
    const planned = { ...file, ...headersOf(file.path) };
    const published = known.get(file.path);
    if (published !== undefined && isAsPublished(present.get(file.path), published) && isSame(planned, published)) {
      unchanged.set(file.path, published);
    } else {
      changed.push(planned);
    }
  }
  const wanted = new Set(files.map(({ path }) => path));
  const gone = [...present.keys()].filter((path) => !wanted.has(path)).toSorted(compareText);
  return {
    assets: changed.filter(({ path }) => !isPage(path)),
    pages: changed.filter(({ path }) => isPage(path)),
    deletions: [...gone.filter(isPage), ...gone.filter((path) => !isPage(path))],
    unchanged,
  };
}

function isAsPublished(object: SiteObject | undefined, published: PublishedFile): boolean {
  return object?.etag === published.etag && object.size === published.size;
}

function isSame(planned: PlannedFile, published: PublishedFile): boolean {
  return (
    planned.sha256 === published.sha256 &&
    planned.contentType === published.contentType &&
    planned.cacheControl === published.cacheControl
  );
}
