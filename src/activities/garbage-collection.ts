/**
 * Removal of what no commit references any more: planned from listings and ledgers, stored, then done step by step
 * (docs/protocol.md 7).
 */
import { cancellationSignal, log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import { MS_PER_DAY } from '../pipeline/calendar-day.ts';
import { parseFolderName } from '../pipeline/dataset/folder-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { type Candidate, decideGarbage } from '../pipeline/garbage/decide.ts';
import { isInGrace, reachableFrom, type StoredLedger } from '../pipeline/garbage/reachable.ts';
import type { ObjectStore } from '../ports.ts';
import { removeOldSigns } from '../state/analysis-workers.ts';
import { addressOf } from '../state/documents.ts';
import {
  chunkParts,
  compactedObjects,
  createGarbagePlan,
  isCollectable,
  readGarbagePlan,
  storeTime,
} from '../state/garbage.ts';
import { runIdIn, stateKeys } from '../state/keys.ts';
import { heartbeating } from './context.ts';
import { readLedger, storedLedgers } from '../state/ledgers.ts';
import { claimState, dataSetStores } from '../state/owner.ts';
import { type DataSetStores, type Pointer, readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { runsAtWork } from './runs-at-work.ts';

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
  /** Folders and objects left for the next run. */
  readonly left: number;
  /** Folders that stay. */
  readonly kept: number;
  /** The first names, for people. */
  readonly first: readonly string[];
}

export interface RemovedGarbage {
  readonly objects: number;
}

const DELETES_AT_ONCE = 100;
const NAMES_SHOWN = 5;

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'settings'>;

export function createGarbageActivities(ports: Ports) {
  const { analysis } = ports;
  return {
    /**
     * Finds what may go and stores the list; a repeated call finds the list. Ages come from the store's own clock.
     * @throws ApplicationFailure GarbageRefused when the data set looks wrong; WrongDataSet, PointerMissing, PointerDamaged,
     *   StateDamaged
     */
    async planGarbage({ id, ...limits }: GarbageInput): Promise<GarbageSummary> {
      const signal = cancellationSignal();
      const looked = { objects: 0 };
      return heartbeating(
        () => looked,
        async () => {
          const now = await storeTime(analysis, signal);
          const reachable = reachableFrom(await ledgersInGrace(dataSetStores(ports), now, signal));
          const found = {
            folders: await listFolders(ports, looked, signal),
            compacted: await counted(compactedObjects(analysis, signal), looked),
            chunkParts: await ofEndedRuns(await counted(chunkParts(analysis, signal), looked)),
          };
          const garbage = decideGarbage(found, reachable, now, limits);
          await createGarbagePlan(analysis, id, garbage, signal);
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

    /**
     * Removes what the stored plan lists, except what the data set references, or a run needs, by now. May be repeated.
     */
    async removeGarbage({ id }: Pick<GarbageInput, 'id'>): Promise<RemovedGarbage> {
      const signal = cancellationSignal();
      const removed = { objects: 0 };
      return heartbeating(
        () => removed,
        async () => {
          await removePlanned(ports, id, removed, signal);
          log.info('garbage removed', { id, ...removed });
          return removed;
        },
      );
    },
  };
}

async function removePlanned(
  ports: Ports,
  id: string,
  removed: { objects: number },
  signal: AbortSignal,
): Promise<void> {
  const { analysis, published, settings } = ports;
  const garbage = await readGarbagePlan(analysis, id, signal);
  const now = await storeTime(analysis, signal);
  const { folders, slots } = reachableFrom(await ledgersInGrace(dataSetStores(ports), now, signal));
  const remove = async (store: ObjectStore, keys: readonly string[]): Promise<void> => {
    for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
      const batch = keys.slice(at, at + DELETES_AT_ONCE);
      await store.delete(batch, signal);
      removed.objects += batch.length;
      await failpoint('gc.midDelete', signal);
    }
  };
  for (const { name } of garbage.folders) {
    if (folders.has(name) || parseFolderName(name) === undefined) continue;
    const objects = await Array.fromAsync(published.objects(`${settings.publishedPrefix}${name}/`, signal));
    await remove(
      published,
      objects.map(({ key }) => key),
    );
  }
  const gone = garbage.objects.filter(({ name }) => isCollectable(name) && !slots.has(name));
  await remove(
    analysis,
    (await ofEndedRuns(gone)).map(({ name }) => name),
  );
  await removeOldSigns(analysis, now, MS_PER_DAY, signal);
}

/** Without what a run that has not ended has stored: it may wait for its results longer than anything stays young. */
async function ofEndedRuns(candidates: readonly Candidate[]): Promise<Candidate[]> {
  const atWork = await runsAtWork();
  return candidates.filter(({ name }) => !atWork.has(runIdIn(name) ?? ''));
}

/** The current ledger, and each one before it that was current within the grace time. */
async function ledgersInGrace(stores: DataSetStores, now: Date, signal: AbortSignal): Promise<Ledger[]> {
  const pointer = await readPointer(stores, signal);
  await claimState(stores, pointer.ledger, signal);
  const commitOf = await ledgersByCommit(stores, pointer, signal);
  const kept: Ledger[] = [];
  let current = await commitOf(pointer.ledger.commit);
  for (;;) {
    kept.push(current.ledger);
    const { parent } = current.ledger;
    if (parent === null || !isInGrace(current, now)) return kept;
    current = await commitOf(parent);
  }
}

/** Finds the ledger of a commit. The newest are read first, and no more than are asked for. */
async function ledgersByCommit(
  { analysis }: DataSetStores,
  pointer: Pointer,
  signal: AbortSignal,
): Promise<(commit: string) => Promise<StoredLedger>> {
  const stored = await Array.fromAsync(storedLedgers(analysis, signal));
  const newestFirst = stored.toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
  const byCommit = new Map<string, StoredLedger>();
  return async (commit) => {
    for (;;) {
      const known = byCommit.get(commit);
      if (known !== undefined) return known;
      const next = newestFirst.shift();
      if (next === undefined)
        throw failure(
          'StateDamaged',
          `No ledger under ${addressOf(analysis, stateKeys.allLedgers)} is that of commit ${commit}, which commit ${pointer.ledger.commit} follows, so what its readers need is not known: nothing is removed. Restore it from the bucket’s versions`,
        );
      const ledger = await readLedger(analysis, next.key, signal);
      byCommit.set(ledger.commit, { ledger, storedAt: next.storedAt });
    }
  };
}

async function listFolders(
  { published, settings }: Ports,
  looked: { objects: number },
  signal: AbortSignal,
): Promise<Candidate[]> {
  const { publishedPrefix } = settings;
  const folders = new Map<string, Candidate>();
  for await (const { key, size, lastModified } of published.objects(publishedPrefix, signal)) {
    looked.objects += 1;
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

async function counted(candidates: AsyncIterable<Candidate>, looked: { objects: number }): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for await (const candidate of candidates) {
    looked.objects += 1;
    found.push(candidate);
  }
  return found;
}

function total(candidates: readonly Candidate[], what: 'objects' | 'bytes'): number {
  return candidates.reduce((sum, candidate) => sum + candidate[what], 0);
}
