/** A temporary folder of one piece of work, gone when the work ends. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export async function inWorkFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  // Something may have swept it away while the worker ran; without it every attempt would fail.
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'telemetry-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
