/** Stage 4, beside the drain: the results of a chunk become merged, sorted parts. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failpoint } from '../failpoints.ts';
import type { ChunkHead } from '../pipeline/aggregates/chunk-head.ts';
import { chunkRange } from '../pipeline/done-queue/chunk.ts';
import type { Outcome, Receipt } from '../pipeline/done-queue/receipt.ts';
import { MAX_NAMED, worstOf } from '../pipeline/bad-histograms.ts';
import { addCount, addCounts } from '../pipeline/known-reasons.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { chunkHead, createChunkPart } from '../state/chunks.ts';
import { addressOf } from '../state/documents.ts';
import { stateKeys } from '../state/keys.ts';
import { quarantine } from '../state/quarantine.ts';
import { readReceipt } from '../state/receipts.ts';
import { inWorkFolder } from '../work-folder.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

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

type Ports = Pick<ActivityPorts, 'analysis' | 'threads' | 'metrics' | 'settings'>;

export function createMergeActivities(ports: Ports) {
  const { analysis, settings } = ports;
  return {
    /**
     * Merges the results of one chunk. Reads exactly the bytes that the receipts name: a result that was written again
     * since counts as failed, since the receipt says nothing about it. So does one that breaks the rules, which is
     * quarantined.
     */
    async mergeChunk({ run, chunk, tasks, chunkTasks }: MergeChunkInput): Promise<MergeChunkResult> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({ chunk }),
        async () => {
          await failpoint('merge.begin', signal);
          const receipts = await receiptsOf(analysis, run, chunkRange(chunk, chunkTasks, tasks), signal);
          const count = (outcome: Outcome): number =>
            receipts.filter(({ receipt }) => receipt?.outcome === outcome).length;
          const ref = { chunk, done: count('done'), failed: count('failed') };
          const merge = (): Promise<ChunkHead> =>
            inWorkFolder(settings.workDirectory, (folder) => mergeReceipts(ports, run, ref, receipts, folder, signal));
          const head = await chunkHead(analysis, run, ref, merge, signal);
          await failpoint('build.afterChunk', signal);
          const counts = { done: head.done.length, failed: head.failed.length, missing: head.missing.length };
          log.info('chunk merged', { runId: run.runId, chunk, ...counts, parts: head.parts.length });
          return { ref, ...counts };
        },
      );
    },
  };
}

interface NumberedReceipt {
  readonly number: number;
  /** Undefined for a task that is missing. */
  readonly receipt: Receipt | undefined;
}

async function receiptsOf(
  analysis: ObjectStore,
  run: RunRef,
  { first, last }: { readonly first: number; readonly last: number },
  signal: AbortSignal,
): Promise<NumberedReceipt[]> {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return pMap(numbers, async (number) => ({ number, receipt: await readReceipt(analysis, run, number, signal) }), {
    concurrency: TRANSFERS_AT_ONCE,
  });
}

type Failed = ChunkHead['failed'][number];

interface FetchedResult {
  readonly number: number;
  readonly receipt: Receipt;
  readonly etag: string;
  readonly path: string;
}

async function mergeReceipts(
  ports: Ports,
  run: RunRef,
  ref: ChunkRef,
  receipts: readonly NumberedReceipt[],
  folder: string,
  signal: AbortSignal,
): Promise<ChunkHead> {
  const { analysis, threads, settings } = ports;
  const { results, failed } = await fetchResults(analysis, receipts, folder, signal);
  const limits = { maxLineBytes: settings.maxLineBytes, maxTableBytes: settings.maxTableBytes };
  const files = results.map(({ receipt, path }) => ({ id: receipt.id, path }));
  const merged = await threads.mergeResults({ results: files, folder, limits }, signal);
  const rejected = new Map(merged.rejected.map((rejection) => [rejection.id, rejection]));
  for (const { number, receipt } of results) {
    const rejection = rejected.get(receipt.id);
    if (rejection === undefined) continue;
    const { reason, message } = rejection;
    const content = addressOf(analysis, stateKeys.result(receipt.id));
    await quarantine(ports, { what: 'result', reason, message, content }, signal);
    failed.push({ number, reason: 'result_rejected' });
  }
  const good = results.filter(({ receipt }) => !rejected.has(receipt.id));
  const skipped: Record<string, number> = {};
  for (const { receipt } of good) addCounts(skipped, receipt.skipped);
  const parts = await pMap(merged.parts, (part) => createChunkPart(analysis, run, ref, part, signal), {
    concurrency: TRANSFERS_AT_ONCE,
  });
  return {
    chunk: ref.chunk,
    done: good.map(({ number, etag }) => ({ number, etag })),
    failed: failed.sort((a, b) => a.number - b.number),
    missing: receipts.filter(({ receipt }) => receipt === undefined).map(({ number }) => number),
    parts,
    filesFailed: good.flatMap(({ receipt }) => receipt.filesFailed),
    filesPartial: good.flatMap(({ receipt }) => receipt.filesPartial),
    records: good.reduce((sum, { receipt }) => addCount(sum, receipt.records), 0),
    skipped,
    badHistograms: worstOf(
      good.map(({ receipt }) => receipt.badHistograms),
      MAX_NAMED,
    ),
    dropped: merged.dropped,
  };
}

/** In the order of the tasks; tasks that failed, and results that are gone, are in `failed`. */
async function fetchResults(
  analysis: ObjectStore,
  receipts: readonly NumberedReceipt[],
  folder: string,
  signal: AbortSignal,
): Promise<{ results: FetchedResult[]; failed: Failed[] }> {
  const failed: Failed[] = [];
  const fetched = await pMap(
    receipts,
    async ({ number, receipt }) => {
      if (receipt === undefined) return [];
      if (receipt.outcome === 'failed' || receipt.etag === null) {
        failed.push({ number, reason: receipt.reason ?? 'failed' });
        return [];
      }
      const path = join(folder, `result-${number}`);
      const fault = await fetchResult(analysis, receipt, receipt.etag, path, signal);
      if (fault === undefined) return [{ number, etag: receipt.etag, receipt, path }];
      failed.push({ number, reason: fault });
      return [];
    },
    { concurrency: TRANSFERS_AT_ONCE },
  );
  return { results: fetched.flat(), failed };
}

/** Fetches a result as its receipt names it. @returns why there is none; undefined when there is */
async function fetchResult(
  store: ObjectStore,
  { id, size }: Receipt,
  etag: string,
  path: string,
  signal: AbortSignal,
): Promise<'result_missing' | 'result_changed' | undefined> {
  try {
    const stored = await store.getToFile(stateKeys.result(id), path, { ifMatch: etag, signal });
    // Not every store looks at If-Match when it is read from. Receipts of earlier releases have no size.
    const isSame = unquoted(stored.etag) === unquoted(etag) && (size === 0 || stored.size === size);
    return isSame ? undefined : 'result_changed';
  } catch (error) {
    if (error instanceof ObjectMissingError) return 'result_missing';
    if (error instanceof PreconditionFailedError) return 'result_changed';
    throw error;
  }
}

/** Stores differ in the quotes of ETags that they list. */
function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}
