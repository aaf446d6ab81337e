/** Stage 5: chunks become the segments of the day, with the counts and file lists of the run. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import type { ChunkHead } from '../pipeline/aggregates/chunk-head.ts';
import { channelVersionOf } from '../pipeline/input-bucket/key.ts';
import { ChannelVersionCount } from '../pipeline/dataset/channel-version-limit.ts';
import type { RunContribution } from '../pipeline/dataset/contribution.ts';
import { MAX_NAMED_OF_RUN, worstOf } from '../pipeline/bad-histograms.ts';
import { addCount, addCounts } from '../pipeline/known-reasons.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import type { Metrics } from '../metrics.ts';
import type { ObjectStore } from '../ports.ts';
import { readChunkHeads } from '../state/chunks.ts';
import { contributionOf } from '../state/contribution.ts';
import { createFileList } from '../state/file-lists.ts';
import { stateKeys } from '../state/keys.ts';
import { LocalParts } from '../state/parts.ts';
import { openPlan, planTime } from '../state/plan.ts';
import { inWorkFolder } from '../work-folder.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

export interface ContributionInput {
  readonly run: RunRef;
  readonly day: string;
  readonly tasks: number;
  readonly chunks: readonly ChunkRef[];
}

/** The contribution without its lists, for the workflow. */
export type ContributionSummary = Omit<
  RunContribution,
  'segments' | 'chunks' | 'filesProcessedKey' | 'filesMissingKey'
> & {
  readonly channelVersions: number;
};

type Ports = Pick<ActivityPorts, 'analysis' | 'threads' | 'metrics' | 'settings'>;

export function createBuildActivities(ports: Ports) {
  const { analysis } = ports;
  return {
    /**
     * Chunks → one segment per channel/version, the lists of files, and all counts of the run; stored once.
     * @throws ApplicationFailure TooManyChannelVersions (final)
     */
    async buildContribution(input: ContributionInput): Promise<ContributionSummary> {
      const signal = cancellationSignal();
      const { run, day } = input;
      return heartbeating(
        () => ({ day }),
        async () => {
          const { value, isNew } = await contributionOf(analysis, run, () => build(ports, input, signal), signal);
          const { segments, chunks, filesProcessedKey, filesMissingKey, ...summary } = value;
          if (isNew) countRun(ports.metrics, summary);
          const channelVersions = segments.length;
          log.info('contribution built', { day, runId: run.runId, channelVersions, records: summary.records });
          return { ...summary, channelVersions };
        },
      );
    },
  };
}

async function build(
  ports: Ports,
  { run, day, tasks, chunks }: ContributionInput,
  signal: AbortSignal,
): Promise<RunContribution> {
  const { analysis, settings } = ports;
  return inWorkFolder(settings.workDirectory, async (folder) => {
    const heads = await readChunkHeads(analysis, run, chunks, signal);
    const { channelVersions, ...totals } = await totalsOf(analysis, run, heads, signal);
    const { planned, unplanned } = plannedParts(heads, channelVersions);
    const built = await buildSegments(ports, day, planned, folder, signal);
    const segments = built.map(({ segment }) => segment);
    const tooMany = built.reduce((sum, { measuresLeftOut }) => sum + measuresLeftOut, 0);
    const dropped = { ...totals.dropped };
    if (tooMany > 0) addCounts(dropped, { too_many_measures: tooMany });
    if (unplanned > 0) addCounts(dropped, { unplanned_channel_version: unplanned });
    return {
      runId: run.runId,
      day,
      planAt: (await planTime(analysis, run, signal)).toISOString(),
      planned: tasks,
      ...totals,
      dropped,
      segments,
      chunks: chunks.toSorted((a, b) => a.chunk - b.chunk),
    };
  });
}

type Part = ChunkHead['parts'][number];

/** Parts of channel/versions that some input file of the plan is of. A worker may name others: their slots are only counted. */
function plannedParts(
  heads: readonly ChunkHead[],
  channelVersions: ReadonlySet<string>,
): { planned: Part[]; unplanned: number } {
  const planned: Part[] = [];
  let unplanned = 0;
  for (const part of heads.flatMap((head) => head.parts)) {
    if (channelVersions.has(part.channelVersion)) planned.push(part);
    else unplanned += part.slots;
  }
  return { planned, unplanned };
}

async function buildSegments(
  { analysis, threads, settings }: Ports,
  day: string,
  chunkParts: readonly Part[],
  folder: string,
  signal: AbortSignal,
): Promise<{ segment: RunContribution['segments'][number]; measuresLeftOut: number }[]> {
  const byChannelVersion = Map.groupBy(chunkParts, ({ channelVersion }) => channelVersion);
  // Plans of rounds, and those of earlier releases, were made without this limit.
  const channelVersions = new ChannelVersionCount('parts');
  for (const { channelVersion } of chunkParts) channelVersions.note(channelVersion);
  channelVersions.check();
  const parts = new LocalParts(analysis, folder, signal);
  return pMap(
    [...byChannelVersion.keys()].sort(),
    async (channelVersion, index) => {
      const keys = (byChannelVersion.get(channelVersion) ?? []).map(({ key }) => key);
      const paths = await parts.paths(keys);
      const output = join(folder, `segment-${index}`);
      const merged = await parts.reading(() => threads.mergeDayParts({ parts: paths, output }, signal));
      const { sha256, slots, storedBytes, measuresLeftOut } = merged;
      const key = stateKeys.segment(channelVersion, day, sha256);
      await analysis.createOnce(key, { path: output, size: storedBytes }, { contentType: 'application/zstd' }, signal);
      return { segment: { channelVersion, key, sha256, slots }, measuresLeftOut };
    },
    { concurrency: settings.threads },
  );
}

type Totals = Omit<RunContribution, 'runId' | 'day' | 'planAt' | 'planned' | 'segments' | 'chunks'> & {
  readonly channelVersions: ReadonlySet<string>;
};

/** Counts of the whole run, its file lists (a key is in exactly one of them), and the channel/versions of its files. */
export async function totalsOf(
  analysis: ObjectStore,
  run: RunRef,
  heads: readonly ChunkHead[],
  signal: AbortSignal,
): Promise<Totals> {
  const skipped: Record<string, number> = {};
  const dropped: Record<string, number> = {};
  const failedTasks: Record<string, number> = {};
  for (const head of heads) {
    addCounts(skipped, head.skipped);
    addCounts(dropped, head.dropped);
    for (const { reason } of head.failed) addCounts(failedTasks, { [reason]: 1 });
  }
  const { processed, missing, channelVersions } = await filesOf(analysis, run, heads, signal);
  const sum = (count: (head: ChunkHead) => number): number => heads.reduce((total, head) => total + count(head), 0);
  return {
    done: sum(({ done }) => done.length),
    failed: sum(({ failed }) => failed.length),
    missing: sum((head) => head.missing.length),
    files: {
      processed: processed.length,
      missing: missing.length,
      partial: sum(({ filesPartial }) => filesPartial.length),
    },
    filesProcessedKey: await createFileList(analysis, run, 'processed', processed, signal),
    filesMissingKey: await createFileList(analysis, run, 'missing', missing, signal),
    records: heads.reduce((total, { records }) => addCount(total, records), 0),
    skipped,
    badHistograms: worstOf(
      heads.map((head) => head.badHistograms),
      MAX_NAMED_OF_RUN,
    ),
    dropped,
    failedTasks,
    channelVersions,
  };
}

/** Lines of both lists: every file of the plan is in one of them, a missing one with its reason behind a tab. */
async function filesOf(
  analysis: ObjectStore,
  run: RunRef,
  heads: readonly ChunkHead[],
  signal: AbortSignal,
): Promise<{ processed: string[]; missing: string[]; channelVersions: Set<string> }> {
  const unread = new Map<string, string>();
  const lostTasks = new Map<number, string>();
  for (const head of heads) {
    for (const { key, reason } of head.filesFailed) unread.set(key, reason);
    for (const { number, reason } of head.failed) lostTasks.set(number, reason);
    for (const number of head.missing) lostTasks.set(number, 'no_result');
  }
  const processed: string[] = [];
  const missing: string[] = [];
  const byFolder = new Map<string, string | undefined>();
  const { head: plan, tasks } = await openPlan(analysis, run, signal);
  // Receipts are numbered by the task's place in the plan, which the task ids of a round do not contain.
  let number = 0;
  for await (const task of tasks) {
    number += 1;
    const lost = lostTasks.get(number);
    for (const key of task.files) {
      const folder = key.slice(0, key.lastIndexOf('/'));
      // A key alone may be bad; all good ones of a folder are of one channel/version.
      if (byFolder.get(folder) === undefined) byFolder.set(folder, channelVersionOf(key));
      const reason = lost ?? unread.get(key);
      if (reason === undefined) processed.push(key);
      else missing.push(`${key}\t${reason}`);
    }
  }
  for (const key of plan.missingKeys) missing.push(`${key}\tnot_found`);
  const channelVersions = new Set([...byFolder.values()].filter((name) => name !== undefined));
  return { processed, missing, channelVersions };
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
