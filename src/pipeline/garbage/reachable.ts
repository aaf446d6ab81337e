/**
 * What must stay: everything that the current commit names, and those before it that readers may still hold
 * (docs/protocol.md 7, I10).
 */
import type { Ledger } from '../dataset/ledger.ts';
import { slotsNamedBy } from '../dataset/named-slots.ts';

/** How long readers may still use the previous commit. */
const GRACE_HOURS = 72;
/** How long a commit may be tried; its ledger is stored before it. */
const COMMIT_PATIENCE_HOURS = 12;
/** An unreferenced object may belong to a publish at work; none takes half as long. */
const ORPHAN_DAYS = 7;

const HOUR_MS = 3_600_000;

export interface StoredLedger {
  readonly ledger: Ledger;
  /** When it was stored, by the store's clock. */
  readonly storedAt: Date;
}

/** Whether readers may still use what was current until `next` was committed. */
export function isInGrace(next: StoredLedger, now: Date): boolean {
  return now.getTime() - next.storedAt.getTime() < (GRACE_HOURS + COMMIT_PATIENCE_HOURS) * HOUR_MS;
}

export function isYoung(lastModified: Date, now: Date): boolean {
  return now.getTime() - lastModified.getTime() < ORPHAN_DAYS * 24 * HOUR_MS;
}

export interface Reachable {
  /** Names of folders in the published space. */
  readonly folders: ReadonlySet<string>;
  /** Keys of slots in the state. */
  readonly slots: ReadonlySet<string>;
}

export function reachableFrom(ledgers: Iterable<Ledger>): Reachable {
  const folders = new Set<string>();
  const slots = new Set<string>();
  for (const { channelVersions } of ledgers) {
    for (const [channelVersion, entry] of channelVersions) {
      folders.add(entry.folder);
      for (const { key } of slotsNamedBy(channelVersion, entry)) slots.add(key);
    }
  }
  return { folders, slots };
}
