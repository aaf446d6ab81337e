/** Stage 5: chunks become the segments of the day, with the counts and file lists of the run. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import type { ChunkPart } from '../pipeline/aggregates/chunk-head.ts';
import { ChannelVersionCount } from '../pipeline/dataset/channel-version-limit.ts';
import type { RunContribution } from '../pipeline/dataset/contribution.ts';
import { dayAfter, isCalendarDay } from '../pipeline/calendar-day.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import type { Metrics } from '../metrics.ts';
import { contributionOf } from '../state/contribution.ts';
import { stateKeys } from '../state/keys.ts';
import { LocalParts } from '../state/parts.ts';
import { planTime } from '../state/plan.ts';
import { dataSetStores } from '../state/owner.ts';
import { publishedMeasures } from '../state/published-measures.ts';
import { storedTotals } from '../state/run-totals.ts';
import type { DaySegment, MergeDayInput } from '../threads/merge-parts.ts';
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

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'metrics' | 'settings'>;

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
    const { parts, channelVersions, ...totals } = await totalsOf(ports, run, chunks, folder, signal);
    const { planned, unplanned } = plannedParts(parts, new Set(channelVersions));
    const built = await buildSegments(ports, day, planned, folder, signal);
    const segments = built.map(({ segment }) => segment).filter(({ slots }) => slots > 0);
    const tooMany = built.reduce((sum, { measuresLeftOut }) => sum + measuresLeftOut, 0);
    const dropped = { ...totals.dropped };
    if (tooMany > 0) addCounts(dropped, { too_many_measures: tooMany });
    const later = built.reduce((sum, { laterRows }) => sum + laterRows, 0);
    if (later > 0) addCounts(dropped, { submitted_in_future: later });
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

/** Parts of channel/versions that some input file of the plan is of. A worker may name others: their slots are only counted. */
function plannedParts(
  parts: readonly ChunkPart[],
  channelVersions: ReadonlySet<string>,
): { planned: ChunkPart[]; unplanned: number } {
  const planned: ChunkPart[] = [];
  let unplanned = 0;
  for (const part of parts) {
    if (channelVersions.has(part.channelVersion)) planned.push(part);
    else unplanned += part.slots;
  }
  return { planned, unplanned };
}

type BuiltSegment = Pick<DaySegment, 'measuresLeftOut' | 'laterRows'> & {
  readonly segment: RunContribution['segments'][number];
};

async function buildSegments(
  ports: Ports,
  day: string,
  chunkParts: readonly ChunkPart[],
  folder: string,
  signal: AbortSignal,
): Promise<BuiltSegment[]> {
  const { analysis, settings } = ports;
  const byChannelVersion = Map.groupBy(chunkParts, ({ channelVersion }) => channelVersion);
  // Plans of rounds, and those of earlier releases, were made without this limit.
  const channelVersions = new ChannelVersionCount('parts');
  for (const { channelVersion } of chunkParts) channelVersions.note(channelVersion);
  channelVersions.check();
  const parts = new LocalParts(analysis, folder, signal);
  // Clocks and time zones are allowed a day. Rounds are of many days.
  const latest = isCalendarDay(day) ? dayAfter(day) : undefined;
  return pMap(
    [...byChannelVersion.keys()].sort(),
    async (channelVersion, index) => {
      const keys = (byChannelVersion.get(channelVersion) ?? []).map(({ key }) => key);
      const paths = await parts.paths(keys);
      const output = join(folder, `segment-${index}`);
      const merge = { parts: paths, output, latest };
      const merged = await parts.reading(() => mergeDay(ports, channelVersion, merge, signal));
      const { sha256, slots, storedBytes, measuresLeftOut, laterRows } = merged;
      const key = stateKeys.segment(channelVersion, day, sha256);
      await analysis.createOnce(key, { path: output, size: storedBytes }, { contentType: 'application/zstd' }, signal);
      return { segment: { channelVersion, key, sha256, slots }, measuresLeftOut, laterRows };
    },
    { concurrency: settings.threads },
  );
}

/** Which measures are published is asked only when a day has too many: hardly ever. */
async function mergeDay(
  ports: Ports,
  channelVersion: string,
  input: MergeDayInput,
  signal: AbortSignal,
): Promise<DaySegment> {
  const { threads } = ports;
  const merged = await threads.mergeDayParts(input, signal);
  if (merged.measuresLeftOut === 0) return merged;
  const published = await publishedMeasures(dataSetStores(ports), channelVersion, signal);
  return published.length === 0 ? merged : threads.mergeDayParts({ ...input, published }, signal);
}

type Totals = Omit<RunContribution, 'runId' | 'day' | 'planAt' | 'planned' | 'segments' | 'chunks'> & {
  readonly parts: readonly ChunkPart[];
  readonly channelVersions: readonly string[];
};

/** Counts of the whole run, its file lists (a key is in exactly one of them), its parts and the channel/versions of its files. */
export async function totalsOf(
  ports: Pick<Ports, 'analysis' | 'threads'>,
  run: RunRef,
  chunks: readonly ChunkRef[],
  folder: string,
  signal: AbortSignal,
): Promise<Totals> {
  const { counts, parts, channelVersions, missingReasons, files, ...lists } = await storedTotals(
    ports,
    run,
    chunks,
    folder,
    signal,
  );
  const { done, failed, missing, partial, records, skipped, badHistograms, dropped, failedTasks } = counts;
  return {
    ...{ done, failed, missing, files: { ...files, partial }, missingReasons, ...lists },
    ...{ records, skipped, badHistograms, dropped, failedTasks, parts, channelVersions },
  };
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
