/**
 * A lock that belongs to a process and is free again when that process is gone, however it ended: an open transaction
 * on a small SQLite file, whose lock the system itself takes back.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface OwnerLock {
  readonly taken: true;
  release(): void;
}
export interface LockHeld {
  readonly taken: false;
  /** Who has it, for people: `process 4711`. */
  readonly holder: string;
}

const SQLITE_BUSY = 5;

/** Takes the lock for this process, or says who has it; never waits. */
export function takeOwnerLock(directory: string): OwnerLock | LockHeld {
  mkdirSync(directory, { recursive: true });
  const holderFile = join(directory, 'holder');
  const database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
  try {
    // Not EXCLUSIVE, which takes several locks one after the other: two processes that ask at the same moment could
    // both be refused.
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    return { taken: false, holder: holderOf(holderFile) };
  }
  // In a file beside the database: an open transaction's writes are invisible to others.
  writeFileSync(holderFile, `process ${process.pid}`);
  return {
    taken: true,
    release: () => {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

/** The file is not there in the moment between taking the lock and writing it. */
function holderOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return 'another process';
  }
}
