/**
 * The pool of worker threads in which all parsing, merging, rendering and compressing runs, so that it never blocks the
 * event loop.
 */
import { fileURLToPath } from 'node:url';
import { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { FileJobs, Job, JobEnd } from './jobs.ts';

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
  const pool = new Piscina<Job, JobEnd>({
    filename: fileURLToPath(new URL('./jobs.ts', import.meta.url)),
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 10_000,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const run =
    (name: keyof FileJobs) =>
    async (input: object, signal?: AbortSignal): Promise<unknown> => {
      const job: Job = { name, input };
      const transferList = Object.values(input).filter((value) => value instanceof MessagePort);
      const end = await pool.run(job, { transferList, ...(signal !== undefined && { signal }) });
      if ('invalid' in end) throw new InvalidDataError(end.invalid.reason, end.invalid.message);
      return end.result;
    };
  // The names and types of the jobs are those of `fileJobs`, which the threads load; the compiler cannot follow them there.
  const jobs = Object.fromEntries(JOB_NAMES.map((name) => [name, run(name)])) as unknown as ThreadPool;
  return { ...jobs, close: () => pool.close({ force: true }) };
}

const JOB_NAMES = [
  'adoptFileLists',
  'adoptFolder',
  'aggregateSubmissions',
  'interleaveShares',
  'mergePartFiles',
  'mergeResultShare',
  'mergeResults',
  'partsToResult',
  'renderSnapshotFiles',
  'splitResult',
] as const satisfies (keyof FileJobs)[];
