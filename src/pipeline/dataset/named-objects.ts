/** What a commit names and its parent does not: objects that must exist before readers see it (docs/protocol.md C7). */
import type { Ledger } from './ledger.ts';
import { slotsNamedBy } from './named-slots.ts';

interface NamedObject {
  /** Who names it: a channel/version or an entry. */
  readonly by: string;
  readonly rule: 'I3' | 'I4';
}

interface StateObject extends NamedObject {
  readonly key: string;
}

interface NamedFolder extends NamedObject {
  readonly folder: string;
}

export interface NewlyNamed {
  /** Segments, bases and lists of files. */
  readonly objects: readonly StateObject[];
  readonly folders: readonly NamedFolder[];
}

/** @param parent null for the first commit of a data set */
export function newlyNamed(next: Ledger, parent: Ledger | null): NewlyNamed {
  const known = new Set(parent === null ? [] : objectsOf(parent).map(({ key }) => key));
  const objects = new Map(objectsOf(next).map((object) => [object.key, object]));
  const folders = [...next.channelVersions].map(([by, { folder }]) => ({ by, folder, rule: 'I4' as const }));
  return {
    objects: [...objects.values()].filter(({ key }) => !known.has(key)),
    folders: folders.filter(({ by, folder }) => parent?.channelVersions.get(by)?.folder !== folder),
  };
}

function objectsOf({ entries, channelVersions }: Ledger): StateObject[] {
  const slots = [...channelVersions].flatMap(([by, entry]) =>
    slotsNamedBy(by, entry).map(({ key }) => ({ by, key, rule: 'I3' as const })),
  );
  const lists = [...entries].flatMap(([by, { fileLists }]) =>
    [fileLists.processed, fileLists.missing].flatMap((key) => (key === null ? [] : [{ by, key, rule: 'I4' as const }])),
  );
  return [...slots, ...lists];
}
