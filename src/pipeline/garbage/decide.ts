/** What a garbage collection removes, and when it refuses to remove anything (docs/protocol.md 7). */
import { InvalidDataError } from '../invalid-data.ts';
import { isYoung, type Reachable } from './reachable.ts';

/** A folder of the published space, or one object of the state. */
export interface Candidate {
  readonly name: string;
  readonly objects: number;
  readonly bytes: number;
  /** Of its youngest object. */
  readonly lastModified: Date;
}

export interface Found {
  readonly folders: readonly Candidate[];
  /** Days that were folded into one object; everything else that the ledgers name is kept for good. */
  readonly compacted: readonly Candidate[];
  /** Parts of merged chunks: of no use once the segments of their run are built. */
  readonly chunkParts: readonly Candidate[];
}

export interface Limits {
  /** Objects of one run; folders are taken whole. */
  readonly maxDeletions: number;
  /** Remove also when more than half of the folders would go. */
  readonly force: boolean;
}

export interface Garbage {
  readonly folders: readonly Candidate[];
  /** Objects of the state. */
  readonly objects: readonly Candidate[];
  /** Garbage that is left for the next run. */
  readonly left: number;
}

/**
 * Oldest first.
 * @throws InvalidDataError `garbage_refused` when the data set looks wrong rather than old
 */
export function decideGarbage(found: Found, reachable: Reachable, now: Date, limits: Limits): Garbage {
  if (reachable.folders.size === 0 && found.folders.length > 0) {
    throw new InvalidDataError(
      'garbage_refused',
      `The current commit names no folder, and there are ${found.folders.length}: nothing is removed. See whether versions.json is the right one ("telemetry verify")`,
    );
  }
  const isOld = ({ lastModified }: Candidate): boolean => !isYoung(lastModified, now);
  const folders = found.folders.filter((folder) => !reachable.folders.has(folder.name) && isOld(folder));
  if (!limits.force && folders.length * 2 > found.folders.length) {
    throw new InvalidDataError(
      'garbage_refused',
      `${folders.length} of ${found.folders.length} folders would go, which is more than half: nothing is removed. When that is right, as for the first collection after a long time, run "telemetry collect-garbage --delete --force"`,
    );
  }
  const compacted = found.compacted.filter((object) => !reachable.slots.has(object.name) && isOld(object));
  const chunkParts = found.chunkParts.filter(isOld);
  const taken = { folders: [] as Candidate[], objects: [] as Candidate[] };
  let deletions = 0;
  let left = 0;
  const take = (list: Candidate[], candidates: readonly Candidate[]): void => {
    for (const candidate of candidates.toSorted((a, b) => a.lastModified.getTime() - b.lastModified.getTime())) {
      if (deletions + candidate.objects > limits.maxDeletions) {
        left += 1;
        continue;
      }
      deletions += candidate.objects;
      list.push(candidate);
    }
  };
  take(taken.folders, folders);
  take(taken.objects, [...compacted, ...chunkParts]);
  return { ...taken, left };
}
