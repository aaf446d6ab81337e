/** Reads a folder as a website: the files that are published, each with its hash; links are never followed. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FetchedFile } from '../activities/ports.ts';
import { sizeGuard } from './rules/guards.ts';
import { type Skipped, type SkipReason, skipReason } from './rules/site-path.ts';

export interface SourceFiles {
  readonly files: readonly FetchedFile[];
  readonly skipped: Skipped;
}

/**
 * @param copyTo where to copy the files to, so that later changes of the folder do no harm; without it they stay
 * @throws InvalidDataError `website_refused` when the folder is too large for a website; errors of the file system
 */
export async function readSourceFiles(root: string, signal: AbortSignal, copyTo?: string): Promise<SourceFiles> {
  const files: FetchedFile[] = [];
  const skipped: Partial<Record<SkipReason, number>> = {};
  const guard = sizeGuard();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      signal.throwIfAborted();
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const reason = skipReason(path) ?? (entry.isSymbolicLink() ? 'link' : undefined);
      if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1;
      else if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(await readSourceFile(root, path, guard, copyTo));
      else skipped.special = (skipped.special ?? 0) + 1;
    }
  }
  return { files, skipped };
}

async function readSourceFile(
  root: string,
  path: string,
  guard: (path: string, bytes: number) => void,
  copyTo: string | undefined,
): Promise<FetchedFile> {
  // A file that became a link since the folder was read is an error, not a way out of the folder.
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    guard(path, (await file.stat()).size);
    const body = await file.readFile();
    const location = join(copyTo ?? root, path);
    if (copyTo !== undefined) {
      await mkdir(dirname(location), { recursive: true });
      await writeFile(location, body);
    }
    return { path, location, size: body.length, sha256: createHash('sha256').update(body).digest('hex') };
  } finally {
    await file.close();
  }
}
