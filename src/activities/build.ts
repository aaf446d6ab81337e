/** Stage 5: chunks become the segments of the day, with the counts and file lists of the run. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { addCounts, type ChunkHead, type ChunkPart } from '../pipeline/aggregates/chunk-head.ts';
import { type ChunkRef, type RunRef, stateKeys } from '../state/keys.ts';
import { heartbeating } from './context.ts';
import { openPlan } from '../state/plan.ts';
import type { Metrics } from '../metrics.ts';
import type { ActivityPorts } from './ports.ts';
import { createJsonOnce, readJson, readJsonIfPresent } from '../state/documents.ts';
import { inWorkFolder } from '../work-folder.ts';

export interface ContributionInput {
  readonly run: RunRef;
  readonly day: string;
  readonly tasks: number;
  readonly chunks: readonly ChunkRef[];
}

/** What a run adds to the data set; stored once, read by the publishing activities. */
export interface Contribution {
  readonly runId: string;
  readonly day: string;
  /** When the plan was stored, by the store's clock; the later plan wins the day. */
  readonly planAt: string;
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly files: { readonly processed: number; readonly missing: number; readonly partial: number };
  readonly filesProcessedKey: string;
  readonly filesMissingKey: string;
  readonly records: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  readonly failedTasks: Readonly<Record<string, number>>;
  readonly segments: readonly {
    readonly channelVersion: string;
    readonly key: string;
    readonly sha256: string;
    readonly slots: number;
  }[];
  /** The states of the chunks that went in; absent in contributions of earlier releases. */
  readonly chunks?: readonly ChunkRef[];
}

/** The contribution without its lists, for the workflow. */
export type ContributionSummary = Omit<
  Contribution,
  'segments' | 'chunks' | 'filesProcessedKey' | 'filesMissingKey'
> & {
  readonly channelVersions: number;
};

export interface CollectInput {
  readonly run: RunRef;
  readonly name: string;
  readonly tasks: number;
  readonly chunks: readonly ChunkRef[];
}

export interface InvestigationSummary extends Omit<
  Contribution,
  'runId' | 'day' | 'planAt' | 'segments' | 'chunks' | 'filesProcessedKey' | 'filesMissingKey'
> {
  /** Address of the merged result. */
  readonly result: string;
  readonly lines: number;
}

const TRANSFERS_AT_ONCE = 16;

export function createContributionActivities(
  ports: Pick<ActivityPorts, 'analysis' | 'threads' | 'metrics' | 'settings'>,
) {
  const { analysis, threads, settings } = ports;

  return {
    /** Chunks → one segment per channel/version, the lists of files, and all counts of the run; stored once. */
    async buildContribution(input: ContributionInput): Promise<ContributionSummary> {
      const signal = cancellationSignal();
      const { run, day, tasks } = input;
      const key = stateKeys.contribution(run);
      return heartbeating(
        () => ({ day }),
        async () => {
          const known = (await readJsonIfPresent(analysis, key, signal)) as Contribution | undefined;
          const contribution =
            known ??
            (await inWorkFolder(settings.workDirectory, async (folder) => {
              const heads = await readHeads(run, input.chunks, signal);
              const segments = await buildSegments(day, heads, folder, signal);
              const built: Contribution = {
                runId: run.runId,
                day,
                planAt: await planTime(run, signal),
                planned: tasks,
                ...(await totals(run, heads, signal)),
                segments,
                chunks: input.chunks.toSorted((a, b) => a.chunk - b.chunk),
              };
              return createJsonOnce(analysis, key, built, signal);
            }));
          const { segments, chunks, filesProcessedKey, filesMissingKey, ...summary } = contribution;
          if (known === undefined) countRun(ports.metrics, summary);
          log.info('contribution built', {
            day,
            runId: run.runId,
            channelVersions: segments.length,
            records: summary.records,
          });
          return { ...summary, channelVersions: segments.length };
        },
      );
    },

    /** The result of an investigation: all chunks as one `result.txt`, beside its report; never published. */
    async collectInvestigation(input: CollectInput): Promise<InvestigationSummary> {
      const signal = cancellationSignal();
      const { run, name, tasks } = input;
      return heartbeating(
        () => ({ name }),
        () =>
          inWorkFolder(settings.workDirectory, async (folder) => {
            const heads = await readHeads(run, input.chunks, signal);
            const parts = heads.flatMap((head) => head.parts);
            const paths = await download(parts, folder, signal);
            const output = join(folder, 'result.txt');
            const { lines, bytes } = await threads.partsToResult({ parts: paths, output }, signal);
            const { filesProcessedKey, filesMissingKey, ...counts } = await totals(run, heads, signal);
            const report = {
              name,
              runId: run.runId,
              planned: tasks,
              ...counts,
              lines,
              filesProcessedKey,
              filesMissingKey,
            };
            const prefix = `investigations/${name}/`;
            await analysis.put(
              `${prefix}result.txt`,
              { path: output, size: bytes },
              { contentType: 'text/plain; charset=utf-8' },
              signal,
            );
            await analysis.put(
              `${prefix}report.json`,
              Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
              { contentType: 'application/json' },
              signal,
            );
            log.info('investigation collected', { name, runId: run.runId, lines });
            return { result: `s3://${analysis.bucket}/${prefix}result.txt`, planned: tasks, ...counts, lines };
          }),
      );
    },
  };

  async function readHeads(run: RunRef, chunks: readonly ChunkRef[], signal: AbortSignal): Promise<ChunkHead[]> {
    const ordered = [...chunks].sort((a, b) => a.chunk - b.chunk);
    return pMap(ordered, async (ref) => (await readJson(analysis, stateKeys.chunk(run, ref), signal)) as ChunkHead, {
      concurrency: TRANSFERS_AT_ONCE,
    });
  }

  async function planTime(run: RunRef, signal: AbortSignal): Promise<string> {
    const stored = await analysis.head(stateKeys.plan(run), signal);
    return (stored?.lastModified ?? new Date(0)).toISOString();
  }

  async function buildSegments(
    day: string,
    heads: readonly ChunkHead[],
    folder: string,
    signal: AbortSignal,
  ): Promise<Contribution['segments']> {
    const byChannelVersion = Map.groupBy(
      heads.flatMap((head) => head.parts),
      ({ channelVersion }) => channelVersion,
    );
    const names = [...byChannelVersion.keys()].sort();
    return pMap(
      names,
      async (channelVersion, index) => {
        const paths = await download(byChannelVersion.get(channelVersion) ?? [], join(folder, String(index)), signal);
        const output = join(folder, `segment-${index}`);
        const { sha256, slots, storedBytes } = await threads.mergePartFiles({ parts: paths, output }, signal);
        const key = stateKeys.segment(channelVersion, day, sha256);
        await analysis.createOnce(
          key,
          { path: output, size: storedBytes },
          { contentType: 'application/zstd' },
          signal,
        );
        return { channelVersion, key, sha256, slots };
      },
      { concurrency: settings.threads },
    );
  }

  /** Fetches parts to files named after `prefix`, in order. */
  async function download(parts: readonly ChunkPart[], prefix: string, signal: AbortSignal): Promise<string[]> {
    return pMap(
      parts,
      async ({ key }, index) => {
        const path = `${prefix}-part-${index}`;
        await analysis.getToFile(key, path, { signal });
        return path;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }

  /** Counts of the whole run, and its file lists: a key is in exactly one of them. */
  async function totals(
    run: RunRef,
    heads: readonly ChunkHead[],
    signal: AbortSignal,
  ): Promise<Omit<Contribution, 'runId' | 'day' | 'planAt' | 'planned' | 'segments' | 'chunks'>> {
    const skipped: Record<string, number> = {};
    const dropped: Record<string, number> = {};
    const failedTasks: Record<string, number> = {};
    const unread = new Map<string, string>();
    const lostTasks = new Map<number, string>();
    for (const head of heads) {
      addCounts(skipped, head.skipped);
      addCounts(dropped, head.dropped);
      for (const { key, reason } of head.filesFailed) unread.set(key, reason);
      for (const { number, reason } of head.failed) {
        lostTasks.set(number, reason);
        addCounts(failedTasks, { [reason]: 1 });
      }
      for (const number of head.missing) lostTasks.set(number, 'no_result');
    }
    const processed: string[] = [];
    const missing: string[] = [];
    const { head: plan, tasks } = await openPlan(analysis, run, signal);
    // Receipts are numbered by the task's place in the plan, which a round's task ids do not tell.
    let number = 0;
    for await (const task of tasks) {
      number += 1;
      const lost = lostTasks.get(number);
      for (const key of task.files) {
        const reason = lost ?? unread.get(key);
        if (reason === undefined) processed.push(key);
        else missing.push(`${key}\t${reason}`);
      }
    }
    for (const key of plan.missingKeys) missing.push(`${key}\tnot_found`);
    return {
      done: heads.reduce((sum, head) => sum + head.done.length, 0),
      failed: heads.reduce((sum, head) => sum + head.failed.length, 0),
      missing: heads.reduce((sum, head) => sum + head.missing.length, 0),
      files: {
        processed: processed.length,
        missing: missing.length,
        partial: heads.reduce((sum, head) => sum + head.filesPartial.length, 0),
      },
      filesProcessedKey: await storeList(run, 'processed', processed, signal),
      filesMissingKey: await storeList(run, 'missing', missing, signal),
      records: heads.reduce((sum, head) => sum + head.records, 0),
      skipped,
      dropped,
      failedTasks,
    };
  }

  async function storeList(
    run: RunRef,
    which: 'processed' | 'missing',
    lines: string[],
    signal: AbortSignal,
  ): Promise<string> {
    const text = Buffer.from(
      lines
        .sort()
        .map((line) => `${line}\n`)
        .join(''),
    );
    const key = stateKeys.files(run, which, createHash('sha256').update(text).digest('hex'));
    await analysis.createOnce(key, gzipSync(text), { contentType: 'application/gzip' }, signal);
    return key;
  }
}

function countRun(
  metrics: Metrics,
  { done, failed, missing, records }: Omit<ContributionSummary, 'channelVersions'>,
): void {
  for (const [outcome, tasks] of Object.entries({ done, failed, missing })) {
    metrics.add('telemetry_tasks', tasks, { outcome });
  }
  metrics.add('telemetry_submissions', records);
}
