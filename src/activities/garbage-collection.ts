/** Removal of what no commit names any more: planned from listings and ledgers, stored, then done step by step (PROTOCOL.md 7). */
import { cancellationSignal, log } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { failure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import { parseFolderName } from '../pipeline/dataset/folder-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { type Candidate, decideGarbage, type Garbage } from '../pipeline/garbage/decide.ts';
import { isInGrace, reachableFrom, type StoredLedger } from '../pipeline/garbage/reachable.ts';
import { stateKeys } from '../state/keys.ts';
import type { ListedObject, ObjectStore } from '../ports.ts';
import { heartbeating } from './context.ts';
import { type Pointer, readLedger, readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { createJson, readJson } from '../state/documents.ts';

export interface GarbageInput {
  /** Names the stored plan. */
  readonly id: string;
  readonly force: boolean;
  readonly maxDeletions: number;
}

export interface GarbageSummary {
  readonly folders: number;
  /** Of the folders, and of the state. */
  readonly objects: number;
  readonly bytes: number;
  /** Folders and objects that are left for the next run. */
  readonly left: number;
  /** Folders that stay. */
  readonly kept: number;
  /** The first names, for the eye. */
  readonly first: readonly string[];
}

export interface RemovedGarbage {
  readonly objects: number;
}

const DELETES_AT_ONCE = 100;
const NAMES_SHOWN = 5;
const COMPACTED = /^state\/segments\/[^/]+\/[^/]+\/sealed-/;
const RUN_ROOTS = ['state/runs/', 'state/rounds/', 'state/investigations/'] as const;

export function createGarbageActivities(ports: Pick<ActivityPorts, 'analysis' | 'published' | 'settings'>) {
  const { analysis, published, settings } = ports;
  const { publishedPrefix } = settings;
  const stores = { analysis, published, publishedPrefix };

  return {
    /**
     * Finds what may go and stores the list; a repeated call finds the list. Ages come from the store's own clock.
     * @throws ApplicationFailure GarbageRefused when the data set looks wrong; PointerMissing, PointerDamaged, StateDamaged
     */
    async planGarbage({ id, ...limits }: GarbageInput): Promise<GarbageSummary> {
      const signal = cancellationSignal();
      const looked = { objects: 0 };
      return heartbeating(
        () => looked,
        async () => {
          const now = await storeTime(analysis, signal);
          const pointer = await readPointer(stores, signal);
          const reachable = reachableFrom(await ledgersInGrace(pointer, now, signal));
          const count = (): void => {
            looked.objects += 1;
          };
          const found = {
            folders: await listFolders(count, signal),
            compacted: await listCompacted(count, signal),
            chunkParts: await listChunkParts(count, signal),
          };
          const garbage = decideGarbage(found, reachable, now, limits);
          await createJson(analysis, stateKeys.garbagePlan(id), garbage, signal);
          const whole = [...garbage.folders, ...garbage.objects];
          const summary = {
            folders: garbage.folders.length,
            objects: total(whole, 'objects'),
            bytes: total(whole, 'bytes'),
            left: garbage.left,
            kept: found.folders.length - garbage.folders.length,
            first: whole.slice(0, NAMES_SHOWN).map(({ name }) => name),
          };
          log.info('garbage planned', { ...summary });
          return summary;
        },
      );
    },

    /** Removes what the stored plan lists, but for what the data set names by now. May be repeated: what is gone is gone. */
    async removeGarbage({ id }: Pick<GarbageInput, 'id'>): Promise<RemovedGarbage> {
      const signal = cancellationSignal();
      const removed = { objects: 0 };
      return heartbeating(
        () => removed,
        async () => {
          const garbage = (await readJson(analysis, stateKeys.garbagePlan(id), signal)) as Garbage;
          const now = await storeTime(analysis, signal);
          const { folders, slots } = reachableFrom(
            await ledgersInGrace(await readPointer(stores, signal), now, signal),
          );
          const remove = async (store: ObjectStore, keys: readonly string[]): Promise<void> => {
            for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
              const batch = keys.slice(at, at + DELETES_AT_ONCE);
              await store.delete(batch, signal);
              removed.objects += batch.length;
              await failpoint('gc.midDelete', signal);
            }
          };
          for (const { name } of garbage.folders) {
            if (folders.has(name)) continue;
            const keys: string[] = [];
            for await (const entry of objects(published, `${publishedPrefix}${name}/`, signal)) keys.push(entry.key);
            await remove(published, keys);
          }
          const gone = garbage.objects.map(({ name }) => name).filter((key) => !slots.has(key));
          await remove(analysis, gone);
          log.info('garbage removed', { id, ...removed });
          return removed;
        },
      );
    },
  };

  /** The current ledger, and each one before it that was current within the grace time. */
  async function ledgersInGrace(pointer: Pointer, now: Date, signal: AbortSignal): Promise<Ledger[]> {
    const stored: { readonly key: string; readonly storedAt: Date }[] = [];
    for await (const { key, lastModified } of objects(analysis, stateKeys.allLedgers, signal)) {
      stored.push({ key, storedAt: lastModified });
    }
    const newestFirst = stored.toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
    const byCommit = new Map<string, StoredLedger>();
    const commitOf = async (commit: string): Promise<StoredLedger> => {
      for (;;) {
        const known = byCommit.get(commit);
        if (known !== undefined) return known;
        const next = newestFirst.shift();
        if (next === undefined) throw lostLedger(commit);
        const ledger = await readLedger(analysis, next.key, signal);
        byCommit.set(ledger.commit, { ledger, storedAt: next.storedAt });
      }
    };
    const kept: Ledger[] = [];
    let current = await commitOf(pointer.ledger.commit);
    for (;;) {
      kept.push(current.ledger);
      const { parent } = current.ledger;
      if (parent === null || !isInGrace(current, now)) return kept;
      current = await commitOf(parent);
    }
  }

  function lostLedger(commit: string): ApplicationFailure {
    return failure(
      'StateDamaged',
      `No ledger under s3://${analysis.bucket}/${stateKeys.allLedgers} is that of commit ${commit}, so what its readers need is not known: nothing is removed. Restore it from the bucket’s versions`,
    );
  }

  async function listFolders(count: () => void, signal: AbortSignal): Promise<Candidate[]> {
    const folders = new Map<string, Candidate>();
    for await (const { key, size, lastModified } of objects(published, publishedPrefix, signal)) {
      count();
      const [name = '', file] = key.slice(publishedPrefix.length).split('/');
      if (file === undefined || parseFolderName(name) === undefined) continue;
      const before = folders.get(name);
      folders.set(name, {
        name,
        objects: (before?.objects ?? 0) + 1,
        bytes: (before?.bytes ?? 0) + size,
        lastModified: before === undefined || lastModified > before.lastModified ? lastModified : before.lastModified,
      });
    }
    return [...folders.values()];
  }

  async function listCompacted(count: () => void, signal: AbortSignal): Promise<Candidate[]> {
    const compacted: Candidate[] = [];
    for await (const { key, size, lastModified } of objects(analysis, stateKeys.allSegments, signal)) {
      count();
      if (COMPACTED.test(key)) compacted.push({ name: key, objects: 1, bytes: size, lastModified });
    }
    return compacted;
  }

  async function listChunkParts(count: () => void, signal: AbortSignal): Promise<Candidate[]> {
    const parts: Candidate[] = [];
    for (const root of RUN_ROOTS) {
      for await (const group of foldersOf(root, signal)) {
        for await (const run of foldersOf(group, signal)) {
          for await (const { key, size, lastModified } of objects(analysis, `${run}chunks/`, signal)) {
            count();
            if (key.endsWith('.zst')) parts.push({ name: key, objects: 1, bytes: size, lastModified });
          }
        }
      }
    }
    return parts;
  }

  async function* foldersOf(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
    for await (const entry of analysis.list(prefix, '/', signal)) if (entry.kind === 'folder') yield entry.name;
  }
}

async function* objects(store: ObjectStore, prefix: string, signal: AbortSignal): AsyncGenerator<ListedObject> {
  for await (const entry of store.list(prefix, undefined, signal)) if (entry.kind === 'object') yield entry;
}

/** What time it is where the objects get theirs: this machine's clock may be days off. */
async function storeTime(store: ObjectStore, signal: AbortSignal): Promise<Date> {
  await store.put(stateKeys.garbageClock, Buffer.from('what time is it'), {}, signal);
  const stored = await store.head(stateKeys.garbageClock, signal);
  if (stored !== undefined) return stored.lastModified;
  throw failure('ServiceUnavailable', `s3://${store.bucket}/${stateKeys.garbageClock} was removed at once`);
}

function total(candidates: readonly Candidate[], what: 'objects' | 'bytes'): number {
  return candidates.reduce((sum, candidate) => sum + candidate[what], 0);
}
