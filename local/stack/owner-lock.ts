/**
 * A lock that belongs to a process and is free again when that process is gone, however it went.
 * The lock is a folder of numbered files, each naming its owner; the highest number counts. A file appears complete in
 * one step (hard link) and only once, so two processes that both find a dead owner cannot both take its place.
 */
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart } from './process-facts.ts';

export interface OwnerLock {
  readonly taken: true;
  release(): Promise<void>;
}
export interface LockHeld {
  readonly taken: false;
  readonly pid: number;
}

const FREE = 'free';

/** Takes the lock for this process, or says who has it; never waits. */
export async function takeOwnerLock(directory: string): Promise<OwnerLock | LockHeld> {
  await mkdir(directory, { recursive: true });
  const draft = join(directory, `draft-${process.pid}-${performance.now()}`);
  await writeFile(draft, `${process.pid} ${(await processStart(process.pid)) ?? ''}`);
  try {
    for (;;) {
      const last = await lastNumber(directory);
      const holder = await livingOwner(join(directory, String(last)));
      if (holder !== null) return { taken: false, pid: holder };
      const mine = join(directory, String(last + 1));
      if (await linked(draft, mine)) {
        await forgetBefore(directory, last + 1);
        return { taken: true, release: () => markFree(mine) };
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function lastNumber(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).filter((name) => /^\d+$/.test(name)).map(Number);
  return Math.max(0, ...numbers);
}

async function livingOwner(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => FREE);
  const [pid, started] = text.split(/ (.*)/s);
  const owner = Number(pid);
  if (!Number.isInteger(owner)) return null;
  return (await processStart(owner)) === started ? owner : null;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The highest file stays, so that numbers never start again while somebody still looks at an old one. */
async function markFree(file: string): Promise<void> {
  await writeFile(`${file}.free`, FREE);
  await rename(`${file}.free`, file);
}

async function forgetBefore(directory: string, number: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^\d+$/.test(name) && Number(name) < number) await rm(join(directory, name), { force: true });
  }
}
