/** The file jobs without threads: the same code, in the process of the test. */
import * as jobs from '../../src/threads/jobs.ts';
import type { ThreadPool } from '../../src/threads/pool.ts';

export function inProcessThreads(): ThreadPool {
  const job =
    <Input, Result>(run: (input: Input) => Promise<Result>) =>
    async (input: Input, signal?: AbortSignal): Promise<Result> => {
      signal?.throwIfAborted();
      return run(input);
    };
  return {
    aggregateSubmissions: job(jobs.aggregateSubmissions),
    mergeResults: job(jobs.mergeResults),
    mergePartFiles: job(jobs.mergePartFiles),
    partsToResult: job(jobs.partsToResult),
    renderSnapshotFiles: job(jobs.renderSnapshotFiles),
  };
}
