/** A folder of this machine as the website's source. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { FetchedFile, WebsiteSource } from '../activities/ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { compareText } from '../pipeline/text-order.ts';
import { readSourceFiles } from './source-files.ts';

/** The folder is copied first, so that what is compared is what is published. Its revision is its content. */
export function localFolder(path: string): WebsiteSource {
  const root = resolve(path);
  return {
    name: `folder ${root}`,
    fetch: async (work, signal) => {
      try {
        const { files, skipped } = await readSourceFiles(root, signal, join(work, 'website'));
        return { revision: revisionOf(files), files, skipped };
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new InvalidDataError('website_source', `The website's folder ${root} cannot be read: ${error.message}`);
      }
    },
  };
}

/** A hash of names and contents. */
export function revisionOf(files: readonly FetchedFile[]): string {
  const lines = files.map(({ path, sha256 }) => `${sha256} ${path}\n`).toSorted(compareText);
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}

function isMissing(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(String(error.code))
  );
}
