/**
 * The file that every worker thread loads: the file jobs by name. Each loads its code when it is first called, since most
 * threads do one kind of work.
 */
import { workerData } from 'node:worker_threads';
import { InvalidDataError, type InvalidDataReason } from '../pipeline/invalid-data.ts';
import type { adoptFileLists as AdoptFileLists } from './adopt-file-lists.ts';
import type { adoptFolder as AdoptFolder } from './adopt-folder.ts';
import type {
  aggregateSubmissions as AggregateSubmissions,
  countSubmissions as CountSubmissions,
  findUnfitFiles as FindUnfitFiles,
} from './aggregate-submissions.ts';
import type { findFolderChanges as FindFolderChanges } from './find-folder-changes.ts';
import type { findPartChanges as FindPartChanges } from './find-part-changes.ts';
import type { foldSums as FoldSums } from './fold-sums.ts';
import type {
  mergeDayParts as MergeDayParts,
  mergePartFiles as MergePartFiles,
  partsToResult as PartsToResult,
} from './merge-parts.ts';
import type { mergeResultRanges as MergeResultRanges, mergeResults as MergeResults } from './merge-results.ts';
import type { projectFileLists as ProjectFileLists } from './project-file-lists.ts';
import type { renderSnapshotFiles as RenderSnapshotFiles } from './render-snapshot.ts';
import type {
  keepOneLength as KeepOneLength,
  mergeSortedResults as MergeSortedResults,
  splitResult as SplitResult,
} from './result-file.ts';
import type { indexResults as IndexResults, LinesByKey, ResultIndex } from './result-index.ts';
import type { linesOfSums as LinesOfSums } from './spilling-sums.ts';
import type { totalRun as TotalRun } from './total-run.ts';

export const fileJobs = {
  adoptFileLists: (async (input) =>
    (await import('./adopt-file-lists.ts')).adoptFileLists(input)) as typeof AdoptFileLists,
  adoptFolder: (async (input) => (await import('./adopt-folder.ts')).adoptFolder(input)) as typeof AdoptFolder,
  aggregateSubmissions: (async (input) =>
    (await import('./aggregate-submissions.ts')).aggregateSubmissions(input)) as typeof AggregateSubmissions,
  countSubmissions: (async (input) =>
    (await import('./aggregate-submissions.ts')).countSubmissions(input)) as typeof CountSubmissions,
  findFolderChanges: (async (input) =>
    (await import('./find-folder-changes.ts')).findFolderChanges(input)) as typeof FindFolderChanges,
  findPartChanges: (async (input) =>
    (await import('./find-part-changes.ts')).findPartChanges(input)) as typeof FindPartChanges,
  findUnfitFiles: (async (input) =>
    (await import('./aggregate-submissions.ts')).findUnfitFiles(input)) as typeof FindUnfitFiles,
  foldSums: (async (input) => (await import('./fold-sums.ts')).foldSums(input)) as typeof FoldSums,
  indexResults: (async (input) => (await import('./result-index.ts')).indexResults(input)) as typeof IndexResults,
  keepOneLength: (async (input) => (await import('./result-file.ts')).keepOneLength(input)) as typeof KeepOneLength,
  linesByKey: async (indexes: readonly ResultIndex[]): Promise<LinesByKey> =>
    (await import('./result-index.ts')).linesByKey(indexes),
  linesOfSums: (async (sums) => (await import('./spilling-sums.ts')).linesOfSums(sums)) as (
    ...sums: Parameters<typeof LinesOfSums>
  ) => Promise<ReturnType<typeof LinesOfSums>>,
  mergeDayParts: (async (input) => (await import('./merge-parts.ts')).mergeDayParts(input)) as typeof MergeDayParts,
  mergePartFiles: (async (input) => (await import('./merge-parts.ts')).mergePartFiles(input)) as typeof MergePartFiles,
  mergeResultRanges: (async (input) =>
    (await import('./merge-results.ts')).mergeResultRanges(input)) as typeof MergeResultRanges,
  mergeResults: (async (input) => (await import('./merge-results.ts')).mergeResults(input)) as typeof MergeResults,
  mergeSortedResults: (async (input) =>
    (await import('./result-file.ts')).mergeSortedResults(input)) as typeof MergeSortedResults,
  partsToResult: (async (input) => (await import('./merge-parts.ts')).partsToResult(input)) as typeof PartsToResult,
  projectFileLists: (async (input) =>
    (await import('./project-file-lists.ts')).projectFileLists(input)) as typeof ProjectFileLists,
  renderSnapshotFiles: (async (input) =>
    (await import('./render-snapshot.ts')).renderSnapshotFiles(input)) as typeof RenderSnapshotFiles,
  splitResult: (async (input) => (await import('./result-file.ts')).splitResult(input)) as typeof SplitResult,
  totalRun: (async (input) => (await import('./total-run.ts')).totalRun(input)) as typeof TotalRun,
};

export type FileJobs = typeof fileJobs;

/** The work of a program that does one kind only. */
export type Preloaded = 'aggregation' | 'merge';

const preloaded = workerData as Preloaded | null;
if (preloaded === 'aggregation') await import('./aggregate-submissions.ts');
if (preloaded === 'merge') await import('./merge-results.ts');

export interface Job {
  readonly name: keyof FileJobs;
  readonly input: unknown;
}

/** How a job ended; invalid data is a value of its own, because errors lose their class on the way out of a thread. */
export type JobEnd =
  { readonly result: unknown } | { readonly invalid: { readonly reason: InvalidDataReason; readonly message: string } };

/** The function that the pool calls in a thread. */
export default async function runJob({ name, input }: Job): Promise<JobEnd> {
  try {
    return { result: await (fileJobs[name] as (given: unknown) => Promise<unknown>)(input) };
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return { invalid: { reason: error.reason, message: error.message } };
  }
}
