/** Listings that stop: a bucket may hold far more than anybody wants to see. */
import type { Counted } from '../watch/rules/facts.ts';
import type { ListedObject, ObjectStore } from '../ports.ts';

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
  for await (const entry of store.list(prefix, undefined, signal)) {
    if (entry.kind !== 'object') continue;
    if (objects.length === limit) {
      more = true;
      break;
    }
    objects.push(entry);
  }
  const oldest = objects.reduce<Date | null>(
    (least, { lastModified }) => (least === null || lastModified < least ? lastModified : least),
    null,
  );
  return { objects, counted: { count: objects.length, more, oldest: oldest?.toISOString() ?? null } };
}
