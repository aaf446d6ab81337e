/** The file that every worker thread loads: the file jobs by name. */
import { aggregateSubmissions } from './aggregate-submissions.ts';
import { mergePartFiles, partsToResult } from './merge-parts.ts';
import { mergeResults } from './merge-results.ts';
import { renderSnapshotFiles } from './render-snapshot.ts';

export { aggregateSubmissions, mergePartFiles, mergeResults, partsToResult, renderSnapshotFiles };

export interface FileJobs {
  readonly aggregateSubmissions: typeof aggregateSubmissions;
  readonly mergeResults: typeof mergeResults;
  readonly mergePartFiles: typeof mergePartFiles;
  readonly partsToResult: typeof partsToResult;
  readonly renderSnapshotFiles: typeof renderSnapshotFiles;
}
