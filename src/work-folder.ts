/** A temporary folder for one piece of work, removed when the work ends. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export async function inWorkFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  // Something may have swept it away while the worker ran; without it every attempt would fail.
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'telemetry-'));
  try {
    return await work(folder);
  } finally {
    // When one of several transfers fails, the others may still be writing into the folder while it is removed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  }
}
