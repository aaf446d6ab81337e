/** I4 for a folder, by names and sizes; and what a folder is that no commit references. */
import type { ManifestFile } from '../../pipeline/dataset/manifest.ts';

export interface FolderDifference {
  readonly missing: readonly string[];
  readonly wrongSize: readonly { readonly name: string; readonly listed: number; readonly bytes: number }[];
  /** Not in the manifest. */
  readonly extra: readonly string[];
}

/** @param listed sizes by name inside the folder, without the manifest */
export function compareFolder(files: readonly ManifestFile[], listed: ReadonlyMap<string, number>): FolderDifference {
  const names = new Set(files.map(({ name }) => name));
  return {
    missing: files.filter(({ name }) => !listed.has(name)).map(({ name }) => name),
    wrongSize: files.flatMap(({ name, bytes }) => {
      const size = listed.get(name);
      return size === undefined || size === bytes ? [] : [{ name, listed: size, bytes }];
    }),
    extra: [...listed.keys()].filter((name) => !names.has(name)).toSorted(),
  };
}

/**
 * - `in progress`: a publish of ours began it not long ago; it is still being written, or waits for garbage collection
 * - `left behind`: of ours, and older than garbage collection leaves anything
 * - `of the original`: older than the adoption
 * - `stray`: none of ours
 */
export type Unreferenced = 'in progress' | 'left behind' | 'of the original' | 'stray';

/** docs/protocol.md 7. */
export const GRACE_MS = 72 * 3_600_000;
const ORPHAN_MS = 7 * 24 * 3_600_000;
/** Garbage collection runs once a day. */
const COLLECTION_MS = 24 * 3_600_000;

/**
 * @param claimed whether a publish of this deployment claimed the folder's name
 * @param youngest LastModified of its youngest object
 * @param adoptedUntil time stamp (`YYYYMMDDHHMMSS`) of what was adopted; null when nothing was
 */
export function judgeUnreferenced(
  folder: { readonly stamp: string; readonly claimed: boolean; readonly youngest: Date },
  adoptedUntil: string | null,
  now: Date,
): Unreferenced {
  if (folder.claimed)
    return now.getTime() - folder.youngest.getTime() < ORPHAN_MS + COLLECTION_MS ? 'in progress' : 'left behind';
  return adoptedUntil !== null && folder.stamp <= adoptedUntil ? 'of the original' : 'stray';
}
