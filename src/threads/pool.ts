/**
 * The pool of worker threads in which all parsing, merging, rendering and compressing runs, so that it never blocks the
 * event loop.
 */
import { fileURLToPath } from 'node:url';
import { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { FileJobs, Job, JobEnd, Preloaded } from './jobs.ts';
import { withoutLargeFiles } from './large-files.ts';
import { DEFAULT_THREADS } from './threads-wanted.ts';

/** The file jobs as the rest of the application calls them: input and output are files, a signal ends a job early. */
export type ThreadPool = {
  readonly [Job in keyof FileJobs]: (
    input: Parameters<FileJobs[Job]>[0],
    signal?: AbortSignal,
  ) => ReturnType<FileJobs[Job]>;
};

/** Memory of one thread; a job that needs more fails alone, not the process. */
const MAX_HEAP_MIB = 1024;
/** Room for what dies soon: rows live as long as their measure is rendered, so with less each would be copied. */
const MAX_YOUNG_MIB = 24;

export interface ThreadOptions {
  /** JavaScript memory of one thread. */
  readonly maxHeapMib?: number;
  /** The part of it for what dies soon, which a thread always fills. */
  readonly maxYoungMib?: number;
  /** Starts threads now, one for each core at most, for those who need them in a moment; otherwise each when there is work for it. */
  readonly startAtOnce?: boolean;
  /** Code that each thread loads when it starts, instead of with the first job that needs it. */
  readonly preload?: Preloaded;
}

/** For threads that sum and do not render: kernels do the work, and what is allocated beside them dies at once. */
export const SUMMING: ThreadOptions = { maxYoungMib: 6 };

export function createThreadPool(
  threads: number,
  { maxHeapMib = MAX_HEAP_MIB, maxYoungMib = MAX_YOUNG_MIB, startAtOnce = false, preload }: ThreadOptions = {},
): ThreadPool & { close(): Promise<void> } {
  const pool = new Piscina<Job, JobEnd>({
    filename: fileURLToPath(new URL('./jobs.ts', import.meta.url)),
    minThreads: startAtOnce ? Math.min(threads, DEFAULT_THREADS) : 0,
    maxThreads: threads,
    idleTimeout: 10_000,
    workerData: preload ?? null,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMib, maxYoungGenerationSizeMb: maxYoungMib },
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
  return {
    ...jobs,
    aggregateSubmissions: (input, signal) =>
      withoutLargeFiles(
        input,
        (given) => jobs.aggregateSubmissions(given, signal),
        (given) => jobs.findUnfitFiles(given, signal),
      ),
    countSubmissions: (input, signal) =>
      withoutLargeFiles(
        input,
        (given) => jobs.countSubmissions(given, signal),
        (given) => jobs.findUnfitFiles(given, signal),
      ),
    close: () => pool.close({ force: true }),
  };
}

/** An object, so that one that is missing does not compile. */
const JOBS: Readonly<Record<keyof FileJobs, true>> = {
  adoptFileLists: true,
  adoptFolder: true,
  aggregateSubmissions: true,
  countSubmissions: true,
  findFolderChanges: true,
  findPartChanges: true,
  findUnfitFiles: true,
  foldSums: true,
  indexResults: true,
  keepOneLength: true,
  linesByKey: true,
  linesOfSums: true,
  mergeDayParts: true,
  mergePartFiles: true,
  mergeResultRanges: true,
  mergeResults: true,
  mergeSortedResults: true,
  partsToResult: true,
  projectFileLists: true,
  renderSnapshotFiles: true,
  splitResult: true,
  totalRun: true,
};
const JOB_NAMES = Object.keys(JOBS) as (keyof FileJobs)[];
