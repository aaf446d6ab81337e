/**
 * What the last website update published: content and headers of every file, and the ETag of the object that came of it.
 * An ETag alone is no hash of the content (multipart uploads, SSE-KMS), so this is what a new source is compared with; the
 * ETags then say which objects somebody else has changed. Losing it costs one full upload and nothing else.
 */
import { StoredJson } from '../../pipeline/stored-json.ts';
import { compareText } from '../../pipeline/text-order.ts';
import type { PublishedFile } from './plan.ts';

export interface WebsiteMemory {
  /** The site that this is about; memory of another one is no use. */
  readonly site: string;
  /** Commit of a repository, or `sha256:…` of a folder's content. */
  readonly revision: string;
  /** By path. */
  readonly files: ReadonlyMap<string, PublishedFile>;
}

export function serialiseMemory({ site, revision, files }: WebsiteMemory): string {
  const ordered = [...files].toSorted(([a], [b]) => compareText(a, b));
  return JSON.stringify({ site, revision, files: Object.fromEntries(ordered) });
}

/** @throws InvalidDataError `bad_website_memory` */
export function parseMemory(json: string): WebsiteMemory {
  const root = StoredJson.parse(json, 'bad_website_memory', 'website.json');
  const files = root
    .member('files')
    .entries()
    .map(([path, file]): [string, PublishedFile] => [
      path,
      {
        etag: file.member('etag').text(),
        size: file.member('size').count(),
        sha256: file.member('sha256').text(/^[0-9a-f]{64}$/),
        contentType: file.member('contentType').text(),
        cacheControl: file.member('cacheControl').text(),
      },
    ]);
  return { site: root.member('site').text(), revision: root.member('revision').text(), files: new Map(files) };
}
