/** Stage 2: the input bucket is listed and packed into the plan of the run. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { activityInfo, cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { chunkSize } from '../pipeline/done-queue/chunk.ts';
import type { Filter } from '../pipeline/filter/filter.ts';
import { largestMessage } from '../pipeline/done-queue/done-message.ts';
import { channelVersionOf } from '../pipeline/input-bucket/key.ts';
import { OtherDays } from '../pipeline/input-bucket/other-days.ts';
import { type ListLevel, type SkipCounts, walkPartitions } from '../pipeline/input-bucket/walk.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { isObjectKey } from '../pipeline/object-key.ts';
import { ChannelVersionCount } from '../pipeline/dataset/channel-version-limit.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { compactedIn } from '../pipeline/dataset/compaction.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { failure } from '../failures.ts';
import { addressOf, getIfPresent } from '../state/documents.ts';
import { type InputFile, type PackLimits, packTasks } from '../pipeline/task-queue/pack.ts';
import { checkPlanSize } from '../pipeline/task-queue/plan-limits.ts';
import { type PlanHead, planLine } from '../pipeline/task-queue/plan.ts';
import type { JobHeader } from '../pipeline/task-queue/task-message.ts';
import type { ObjectStore } from '../ports.ts';
import { adoptedEntryOf, adoptedOn } from '../pipeline/dataset/adoption/adopted-entry.ts';
import { keysOf } from '../state/file-lists.ts';
import { failpoint } from '../failpoints.ts';
import { heartbeating } from './context.ts';
import { createPlan, hasPlan, indexRun, openPlan } from '../state/plan.ts';
import { dataSetStores, isOwnState } from '../state/owner.ts';
import { readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { inWorkFolder } from '../work-folder.ts';

export interface PlanTasksInput {
  readonly run: RunRef;
  /** Null for a run that is not about one day. */
  readonly day: string | null;
  /** Exactly one of `filter`, `keys` and `keyList`. */
  readonly filter?: Filter;
  readonly keys?: readonly string[];
  /** Key, in the analysis bucket, of a text with one input key a line. */
  readonly keyList?: string;
  /** Leave out what the history adopted from the original counts: such a file could not be published. */
  readonly leaveOutAdopted?: boolean;
  /** The plan may be larger than `maxPlan`. */
  readonly allowLargePlan?: boolean;
  readonly jobName: string;
  readonly taskQueue: string;
  readonly doneQueue: string;
}

export interface PlanSummary {
  readonly files: number;
  readonly tasks: number;
  readonly bytes: number;
  readonly skipped: SkipCounts;
  /** How many keys of a key list do not exist. */
  readonly missingKeys: number;
  readonly chunkTasks: number;
}

/** Look-ups of single keys at a time. */
const HEADS_AT_ONCE = 32;

type Ports = Pick<ActivityPorts, 'input' | 'analysis' | 'published' | 'queues' | 'metrics' | 'settings'>;

export function createPlanActivities(ports: Ports) {
  const { analysis, settings } = ports;
  return {
    /**
     * Walks the input bucket, packs what the filter admits and stores the plan, once: a repeated call finds and uses it.
     * Nothing is sent before the listing is complete.
     * @throws ApplicationFailure WrongDataSet, QueueMissing, BucketMissing, TaskTooLarge, PlanTooLarge, TooManyChannelVersions,
     *   InvalidFilter; anything else is retried
     */
    async planTasks(plan: PlanTasksInput): Promise<PlanSummary> {
      const signal = cancellationSignal();
      const { run } = plan;
      await isOwnState(dataSetStores(ports), signal);
      if (await hasPlan(analysis, run, signal)) {
        await indexRun(analysis, run, signal);
        return describe((await openPlan(analysis, run, signal)).head, settings.chunkTasks);
      }
      const production = plan.leaveOutAdopted === true ? await productionDay(ports, plan.day, signal) : undefined;
      const counts: Counts = { files: 0, tasks: 0, bytes: 0 };
      return heartbeating(
        () => counts,
        () => createPlanOf(ports, plan, production, counts, signal),
      );
    },
  };
}

interface Counts {
  files: number;
  tasks: number;
  bytes: number;
}

async function createPlanOf(
  ports: Ports,
  plan: PlanTasksInput,
  production: ProductionDay | undefined,
  counts: Counts,
  signal: AbortSignal,
): Promise<PlanSummary> {
  const { analysis, settings } = ports;
  const { run } = plan;
  const job = { name: plan.jobName, owner: settings.owner, code: settings.jobBundle, targetQueue: plan.doneQueue };
  const limits = { ...settings.pack, maxMessageBytes: await messageLimit(ports, plan, signal) };
  const found = { skipped: {} as SkipCounts, missingKeys: [] as string[] };
  return inWorkFolder(settings.workDirectory, async (folder) => {
    const adopted = production === undefined ? NONE : await adoptedKeys(analysis, production, signal);
    const chosen = chosenFiles(ports, plan, found, signal);
    const own = production === undefined ? chosen : ofDay(production.day, chosen);
    const files = leavingOut(adopted, own, found.skipped);
    const body = join(folder, 'tasks.gz');
    const lines = taskLines(ports, plan, job, limits, files, counts);
    await pipeline(Readable.from(lines), createGzip(), createWriteStream(body), { signal });
    const { runId } = run;
    const head: PlanHead = { runId, day: plan.day, filter: plan.filter ?? null, job, limits, ...counts, ...found };
    const outcome = await createPlan(analysis, run, head, await readFile(body), signal);
    await failpoint('plan.afterPut', signal);
    await indexRun(analysis, run, signal);
    if (outcome === 'created') ports.metrics.add('telemetry_tasks_planned', counts.tasks);
    const { attempt } = activityInfo();
    log.info('tasks planned', { day: plan.day, runId, ...counts, skipped: found.skipped, attempt });
    const stored = outcome === 'created' ? head : (await openPlan(analysis, run, signal)).head;
    return describe(stored, settings.chunkTasks);
  });
}

/** A task travels on both SQS queues. */
async function messageLimit({ queues }: Ports, plan: PlanTasksInput, signal: AbortSignal): Promise<number> {
  return Math.min(
    await queues.maxMessageBytes(plan.taskQueue, signal),
    await queues.maxMessageBytes(plan.doneQueue, signal),
  );
}

async function* taskLines(
  { settings }: Ports,
  { run, allowLargePlan, leaveOutAdopted }: PlanTasksInput,
  job: JobHeader,
  limits: PackLimits,
  files: AsyncIterable<InputFile>,
  counts: Counts,
): AsyncGenerator<string> {
  const channelVersions = new ChannelVersionCount('files');
  const messageBytes = largestMessage(run.runId, job);
  const folders = new Map<string, string | undefined>();
  for await (const task of packTasks(run.runId, files, limits, messageBytes)) {
    counts.tasks += 1;
    counts.files += task.files.length;
    counts.bytes += task.size;
    if (allowLargePlan !== true) checkPlanSize(counts, settings.maxPlan);
    // Of an investigation nothing is published.
    if (leaveOutAdopted === true) for (const key of task.files) noteChannelVersion(channelVersions, folders, key);
    yield `${planLine(task)}\n`;
  }
  channelVersions.check();
}

/** Folders whose channel/version is kept. */
const MAX_FOLDERS = 1000;

/** @param folders channel/versions by folder: good keys of one are all of the same, so only its first one is read */
function noteChannelVersion(
  channelVersions: ChannelVersionCount,
  folders: Map<string, string | undefined>,
  key: string,
): void {
  const folder = key.slice(0, key.lastIndexOf('/'));
  let channelVersion = folders.get(folder);
  if (channelVersion === undefined) {
    channelVersion = channelVersionOf(key);
    if (folders.size >= MAX_FOLDERS) folders.clear();
    folders.set(folder, channelVersion);
  }
  if (channelVersion !== undefined) channelVersions.note(channelVersion);
}

function describe({ files, tasks, bytes, skipped, missingKeys }: PlanHead, chunkTasks: number): PlanSummary {
  return { files, tasks, bytes, skipped, missingKeys: missingKeys.length, chunkTasks: chunkSize(tasks, chunkTasks) };
}

interface ProductionDay {
  readonly day: string;
  readonly ledger: Ledger;
}

/**
 * A day that is to be published, and the data set as it is now.
 * @throws InvalidDataError `sealed_day`: thrown before anything is analysed in vain
 */
async function productionDay(
  ports: Ports,
  day: string | null,
  signal: AbortSignal,
): Promise<ProductionDay | undefined> {
  if (day === null) return undefined;
  const { compaction } = ports.settings;
  const { ledger } = await readPointer(dataSetStores(ports), signal);
  const compacted = compactedIn(ledger, day);
  if (compacted.length === 0) return { day, ledger };
  throw new InvalidDataError(
    'sealed_day',
    `${day} cannot be analysed again for the data set: its results are merged with those of other days for good in ${compacted.join(', ')}, as are all that were published more than ${compaction.keepDays} days ago (TELEMETRY_KEEP_SEGMENT_DAYS). To look at the day for itself use "telemetry investigate"`,
  );
}

/** Files of a day that the adopted history counts. Days that began after the adoption have none, whatever its lists hold. */
async function adoptedKeys(
  analysis: ObjectStore,
  { day, ledger }: ProductionDay,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const [name, entry] = adoptedEntryOf(ledger) ?? [];
  const list = entry?.fileLists.processed ?? null;
  if (name === undefined || list === null || day > adoptedOn(name)) return NONE;
  const keys = new Set<string>();
  for await (const key of keysOf(analysis, list, signal)) if (key.includes(`.${day}.`)) keys.add(key);
  return keys;
}

const NONE: ReadonlySet<string> = new Set();

async function* leavingOut(
  keys: ReadonlySet<string>,
  files: AsyncIterable<InputFile>,
  skipped: SkipCounts,
): AsyncGenerator<InputFile> {
  for await (const file of files) {
    if (keys.has(file.key)) skipped.adopted = (skipped.adopted ?? 0) + 1;
    else yield file;
  }
}

/** @throws InvalidDataError `other_days`, before anything is stored */
async function* ofDay(day: string, files: AsyncIterable<InputFile>): AsyncGenerator<InputFile> {
  const others = new OtherDays(day);
  for await (const file of files) {
    if (!others.has(file.key)) yield file;
    else if (others.isFull) break;
  }
  others.refuse();
}

async function* chosenFiles(
  { input, analysis }: Ports,
  plan: PlanTasksInput,
  { skipped, missingKeys }: { readonly skipped: SkipCounts; readonly missingKeys: string[] },
  signal: AbortSignal,
): AsyncGenerator<InputFile> {
  if (plan.filter !== undefined) {
    const list: ListLevel = (prefix, delimiter) => input.list(prefix, delimiter, signal);
    yield* walkPartitions(list, plan.filter, skipped);
    return;
  }
  const named = new Set([...(plan.keys ?? []), ...(await listedKeys(analysis, plan.keyList, signal))]);
  const keys = [...named].filter(isObjectKey);
  if (keys.length < named.size) skipped.malformed_key = named.size - keys.length;
  const found = await pMap(keys, async (key) => ({ key, stored: await input.head(key, signal) }), {
    concurrency: HEADS_AT_ONCE,
  });
  for (const { key, stored } of found) {
    if (stored === undefined) missingKeys.push(key);
    else yield { key, size: stored.size };
  }
}

async function listedKeys(analysis: ObjectStore, keyList: string | undefined, signal: AbortSignal): Promise<string[]> {
  if (keyList === undefined) return [];
  const stored = await getIfPresent(analysis, keyList, signal);
  if (stored === undefined)
    throw failure(
      'InvalidInput',
      `"keyList" names ${addressOf(analysis, keyList)}, which does not exist: store the list there, one input key a line`,
    );
  const lines = stored.body.toString('utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}
