/** The file jobs without worker threads: the same code, in this process. */
import { fileJobs } from '../../src/threads/jobs.ts';
import type { ThreadPool } from '../../src/threads/pool.ts';

export function inProcessThreads(): ThreadPool {
  const jobs = Object.entries(fileJobs).map(([name, job]) => [
    name,
    async (input: never, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      return job(input);
    },
  ]);
  return Object.fromEntries(jobs) as ThreadPool;
}
