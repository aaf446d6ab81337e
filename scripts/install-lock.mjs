/**
 * One install at a time. The lock is a folder of numbered files, each naming a process; the highest number counts. A file
 * appears complete in one step (hard link) and only once, so two launches that both find a dead owner cannot both take over.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
const FREE = 'free';

/** Waits for a living owner; takes over from one that is gone. */
export async function takeInstallLock(folder, say) {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `draft-${process.pid}`);
  writeFileSync(draft, `${process.pid} ${startOf(process.pid)}`);
  let waited = false;
  try {
    for (;;) {
      const last = Math.max(0, ...numbers(folder));
      const owner = ownerOf(join(folder, String(last)));
      if (owner !== null && isAlive(owner)) {
        if (!waited) say(`waiting for process ${owner.pid}, which is installing the packages`);
        waited = true;
        await delay(POLL_MS);
        continue;
      }
      if (owner !== null) say(`process ${owner.pid} left its install unfinished; taking over`);
      const mine = join(folder, String(last + 1));
      if (!linked(draft, mine)) continue;
      for (const number of numbers(folder)) if (number <= last) rmSync(join(folder, String(number)), { force: true });
      return { release: () => markFree(mine) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function numbers(folder) {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The process that holds the lock by this file, dead or alive; null when there is none. */
function ownerOf(file) {
  try {
    const [pid, started] = readFileSync(file, 'utf8').split(' ');
    return Number.isInteger(Number(pid)) ? { pid: Number(pid), started } : null;
  } catch {
    return null;
  }
}

function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return startOf(pid) === started;
}

/** Distinguishes a process from a later one with the same id, which is common in containers; known on Linux only. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return 'unknown';
  }
}

function linked(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function markFree(file) {
  writeFileSync(`${file}.free`, FREE);
  renameSync(`${file}.free`, file);
}
