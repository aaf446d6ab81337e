/** The pool of worker threads in which all parsing, merging, rendering and compressing runs, so that no event loop waits for it. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { FileJobs } from './jobs.ts';

/** The file jobs as the rest of the application calls them: input and output are files, a signal ends a job early. */
export type ThreadPool = {
  readonly [Job in keyof FileJobs]: (
    input: Parameters<FileJobs[Job]>[0],
    signal?: AbortSignal,
  ) => ReturnType<FileJobs[Job]>;
};

/** Memory of one thread; a job that needs more fails alone, not the process. */
const MAX_HEAP_MIB = 1024;

export function createThreadPool(threads: number): ThreadPool & { close(): Promise<void> } {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./jobs.ts', import.meta.url)),
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 10_000,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const job =
    <Name extends keyof FileJobs>(name: Name) =>
    async (input: Parameters<FileJobs[Name]>[0], signal?: AbortSignal): Promise<Awaited<ReturnType<FileJobs[Name]>>> =>
      pool.run(input, { name, ...(signal !== undefined && { signal }) }) as Promise<
        Awaited<ReturnType<FileJobs[Name]>>
      >;
  return {
    aggregateSubmissions: job('aggregateSubmissions'),
    mergeResults: job('mergeResults'),
    mergePartFiles: job('mergePartFiles'),
    partsToResult: job('partsToResult'),
    close: () => pool.close({ force: true }),
  };
}
