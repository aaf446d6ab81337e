/** Listings with a limit: a bucket may hold far more than anybody wants to see. */
import { parseFolderName } from '../pipeline/dataset/folder-name.ts';
import type { ListedObject, ObjectStore } from '../ports.ts';

/** A count up to a limit. */
export interface Counted {
  readonly count: number;
  /** True: there are more. */
  readonly more: boolean;
  /** ISO. */
  readonly oldest: string | null;
}

export interface BoundedList {
  readonly objects: readonly ListedObject[];
  readonly counted: Counted;
}

/** At most `limit` objects; `more` when there are others. */
export async function listAtMost(
  store: ObjectStore,
  prefix: string,
  limit: number,
  signal: AbortSignal,
): Promise<BoundedList> {
  const objects: ListedObject[] = [];
  let more = false;
  for await (const object of store.objects(prefix, signal)) {
    more = objects.length === limit;
    if (more) break;
    objects.push(object);
  }
  const oldest = objects.reduce<Date | null>(
    (least, { lastModified }) => (least === null || lastModified < least ? lastModified : least),
    null,
  );
  return { objects, counted: { count: objects.length, more, oldest: oldest?.toISOString() ?? null } };
}

/** A folder of the published space, whether or not a commit names it. */
export interface PublishedFolder {
  readonly folder: string;
  /** `YYYYMMDDHHMMSS`, when it was rendered. */
  readonly stamp: string;
}

/** Every folder of a channel/version that is in the published space. */
export async function* publishedFolders(
  published: ObjectStore,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<PublishedFolder> {
  for await (const folder of published.folders(prefix, signal)) {
    const stamp = parseFolderName(folder)?.stamp;
    if (stamp !== undefined) yield { folder, stamp };
  }
}
