/** What the heads of a run's chunks and its plan add up to, with the run's lists of files stored on the way. */
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import type { ThreadPool } from '../threads/pool.ts';
import type { TotalRunResult } from '../threads/total-run.ts';
import { localChunkHeads } from './chunks.ts';
import { createFileList } from './file-lists.ts';
import { stateKeys } from './keys.ts';
import { localPlan } from './plan.ts';

interface StoredTotals extends Pick<TotalRunResult, 'counts' | 'parts' | 'channelVersions' | 'missingReasons'> {
  readonly files: { readonly processed: number; readonly missing: number };
  readonly filesProcessedKey: string;
  readonly filesMissingKey: string;
}

/**
 * @param folder existing one, for this call alone
 * @throws ApplicationFailure StateDamaged
 */
export async function storedTotals(
  { analysis, threads }: { readonly analysis: ObjectStore; readonly threads: ThreadPool },
  run: RunRef,
  chunks: readonly ChunkRef[],
  folder: string,
  signal: AbortSignal,
): Promise<StoredTotals> {
  const localHeads = localChunkHeads(analysis, folder, signal);
  const ordered = chunks.toSorted((a, b) => a.chunk - b.chunk);
  const heads = await localHeads.paths(ordered.map((chunk) => stateKeys.chunk(run, chunk)));
  const plans = localPlan(analysis, folder, signal);
  const [plan = ''] = await plans.paths([stateKeys.plan(run)]);
  const total = (): Promise<TotalRunResult> => threads.totalRun({ plan, heads, folder }, signal);
  const totals = await localHeads.reading(() => plans.reading(total));
  const { counts, parts, channelVersions, processed, missing, missingReasons } = totals;
  return {
    ...{ counts, parts, channelVersions, missingReasons },
    files: { processed: processed.files, missing: missing.files },
    filesProcessedKey: await createFileList(analysis, run, 'processed', processed, signal),
    filesMissingKey: await createFileList(analysis, run, 'missing', missing, signal),
  };
}
