/** Stage 4, beside the drain: the results of a chunk become merged, sorted parts. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failpoint } from '../failpoints.ts';
import { addCounts, type ChunkHead, type ChunkPart } from '../pipeline/aggregates/chunk-head.ts';
import { chunkRange } from '../pipeline/done-queue/chunk.ts';
import { resultKey } from '../pipeline/done-queue/done-message.ts';
import type { Outcome, Receipt } from '../pipeline/done-queue/receipt.ts';
import { type ChunkRef, type RunRef, stateKeys } from '../state/keys.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';
import { quarantine } from '../state/quarantine.ts';
import { readReceipt } from '../state/receipts.ts';
import { createJsonOnce, readJsonIfPresent } from '../state/documents.ts';
import { inWorkFolder } from '../work-folder.ts';

export interface MergeChunkInput {
  readonly run: RunRef;
  readonly chunk: number;
  readonly tasks: number;
  readonly chunkTasks: number;
}

export interface MergeChunkResult {
  readonly ref: ChunkRef;
  /** Tasks whose results are in, that were given up or refused, that have no receipt. */
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
}

const TRANSFERS_AT_ONCE = 16;

export function createAggregateActivities(ports: Pick<ActivityPorts, 'analysis' | 'threads' | 'metrics' | 'settings'>) {
  const { analysis, threads, settings } = ports;

  return {
    /**
     * Merges the results of one chunk. Reads exactly the bytes that the receipts name; a result that was written again
     * since is read anew and its new ETag noted. A result that breaks the rules is quarantined and counts as failed.
     */
    async mergeChunk({ run, chunk, tasks, chunkTasks }: MergeChunkInput): Promise<MergeChunkResult> {
      const signal = cancellationSignal();
      const { first, last } = chunkRange(chunk, chunkTasks, tasks);
      const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      return heartbeating(
        () => ({ chunk }),
        async () => {
          await failpoint('merge.begin', signal);
          const receipts = await pMap(numbers, (number) => readReceipt(analysis, run, number, signal), {
            concurrency: TRANSFERS_AT_ONCE,
          });
          const count = (outcome: Outcome): number => receipts.filter((receipt) => receipt?.outcome === outcome).length;
          const ref = { chunk, done: count('done'), failed: count('failed') };
          const key = stateKeys.chunk(run, ref);
          const known = (await readJsonIfPresent(analysis, key, signal)) as ChunkHead | undefined;
          const head =
            known ??
            (await inWorkFolder(settings.workDirectory, async (folder) => {
              const merged = await mergeReceipts(run, ref, numbers, receipts, folder, signal);
              return createJsonOnce(analysis, key, merged, signal);
            }));
          await failpoint('build.afterChunk', signal);
          log.info('chunk merged', {
            runId: run.runId,
            chunk,
            done: head.done.length,
            failed: head.failed.length,
            missing: head.missing.length,
            parts: head.parts.length,
          });
          return { ref, done: head.done.length, failed: head.failed.length, missing: head.missing.length };
        },
      );
    },
  };

  async function mergeReceipts(
    run: RunRef,
    ref: ChunkRef,
    numbers: readonly number[],
    receipts: readonly (Receipt | undefined)[],
    folder: string,
    signal: AbortSignal,
  ): Promise<ChunkHead> {
    const failed: { number: number; reason: string }[] = [];
    const fetched = await pMap(
      numbers,
      async (number, index) => {
        const receipt = receipts[index];
        if (receipt === undefined) return undefined;
        if (receipt.outcome === 'failed' || receipt.etag === null) {
          failed.push({ number, reason: receipt.reason ?? 'failed' });
          return undefined;
        }
        const path = join(folder, `result-${number}`);
        const etag = await fetchResult(analysis, receipt.id, receipt.etag, path, signal);
        if (etag !== undefined) return { number, etag, receipt, path };
        failed.push({ number, reason: 'result_missing' });
        return undefined;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
    const results = fetched.filter((result) => result !== undefined);
    const limits = { maxLineBytes: settings.maxLineBytes, maxTableBytes: settings.maxTableBytes };
    const merged = await threads.mergeResults(
      { results: results.map(({ receipt, path }) => ({ id: receipt.id, path })), folder, limits },
      signal,
    );

    const rejected = new Map(merged.rejected.map((rejection) => [rejection.id, rejection]));
    for (const { number, receipt } of results) {
      const rejection = rejected.get(receipt.id);
      if (rejection === undefined) continue;
      const { reason, message } = rejection;
      const content = `s3://${analysis.bucket}/${resultKey(receipt.id)}`;
      await quarantine(ports, { what: 'result', reason, message, content }, signal);
      failed.push({ number, reason: 'result_rejected' });
    }
    const good = results.filter(({ receipt }) => !rejected.has(receipt.id));
    const skipped: Record<string, number> = {};
    for (const { receipt } of good) addCounts(skipped, receipt.skipped);
    const parts = await pMap(
      merged.parts,
      async ({ path, storedBytes, channelVersion, sha256, slots, bytes }): Promise<ChunkPart> => {
        const key = stateKeys.chunkPart(run, ref, channelVersion, sha256);
        await analysis.createOnce(key, { path, size: storedBytes }, { contentType: 'application/zstd' }, signal);
        return { channelVersion, key, sha256, slots, bytes };
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
    return {
      chunk: ref.chunk,
      done: good.map(({ number, etag }) => ({ number, etag })),
      failed: failed.sort((a, b) => a.number - b.number),
      missing: numbers.filter((_, index) => receipts[index] === undefined),
      parts,
      filesFailed: good.flatMap(({ receipt }) => receipt.filesFailed),
      filesPartial: good.flatMap(({ receipt }) => receipt.filesPartial),
      records: good.reduce((sum, { receipt }) => sum + receipt.records, 0),
      skipped,
      dropped: merged.dropped,
    };
  }
}

/** Fetches a result as its receipt names it, or as it was written since; undefined when it is gone. */
async function fetchResult(
  store: ObjectStore,
  taskId: string,
  etag: string,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = resultKey(taskId);
  try {
    return (await store.getToFile(key, path, { ifMatch: etag, signal })).etag;
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
  const stored = await store.head(key, signal);
  return stored === undefined ? undefined : (await store.getToFile(key, path, { ifMatch: stored.etag, signal })).etag;
}
