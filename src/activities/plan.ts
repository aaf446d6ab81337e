/** Stage 2: the input bucket is listed and packed into the plan of the run. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { activityInfo, cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import type { Filter } from '../pipeline/filter/filter.ts';
import { type ListLevel, type SkipCounts, walkPartitions } from '../pipeline/input-bucket/walk.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { compactedIn } from '../pipeline/dataset/compaction.ts';
import { type RunRef, stateKeys } from '../state/keys.ts';
import { type InputFile, packTasks } from '../pipeline/task-queue/pack.ts';
import { checkPlanSize } from '../pipeline/task-queue/plan-limits.ts';
import { type PlanHead, planLine } from '../pipeline/task-queue/plan.ts';
import { taskMessageBytes } from '../pipeline/task-queue/task-message.ts';
import type { ObjectStore } from '../ports.ts';
import { adoptedEntryOf, adoptedOn } from '../pipeline/dataset/adoption/adopted-entry.ts';
import { keysOf } from '../state/file-lists.ts';
import { failpoint } from '../failpoints.ts';
import { heartbeating } from './context.ts';
import { openPlan } from '../state/plan.ts';
import { readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { createJsonOnce } from '../state/documents.ts';
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

export function createInputBucketActivities(
  ports: Pick<ActivityPorts, 'input' | 'analysis' | 'published' | 'queues' | 'metrics' | 'settings'>,
) {
  const { input, analysis, queues, settings } = ports;

  async function describe(head: PlanHead): Promise<PlanSummary> {
    const { files, tasks, bytes, skipped, missingKeys } = head;
    return { files, tasks, bytes, skipped, missingKeys: missingKeys.length, chunkTasks: settings.chunkTasks };
  }

  return {
    /**
     * Walks the input bucket, packs what the filter admits and stores the plan, once: a repeated call finds and uses it.
     * Nothing is sent before the listing is complete.
     * @throws ApplicationFailure QueueMissing, BucketMissing, TaskTooLarge, PlanTooLarge; anything else is retried
     */
    async planTasks(plan: PlanTasksInput): Promise<PlanSummary> {
      const signal = cancellationSignal();
      const { run } = plan;
      if ((await analysis.head(stateKeys.plan(run), signal)) !== undefined) {
        await indexRun(analysis, run, signal);
        return describe((await openPlan(analysis, run, signal)).head);
      }
      const production = plan.leaveOutAdopted === true ? await productionDay(plan.day, signal) : undefined;
      const job = { name: plan.jobName, owner: settings.owner, code: settings.jobBundle, targetQueue: plan.doneQueue };
      const maxMessageBytes = Math.min(
        await queues.maxMessageBytes(plan.taskQueue, signal),
        await queues.maxMessageBytes(plan.doneQueue, signal),
      );
      const limits = { ...settings.pack, maxMessageBytes };
      const counts = { files: 0, tasks: 0, bytes: 0 };
      const skipped: SkipCounts = {};
      const missingKeys: string[] = [];

      return heartbeating(
        () => counts,
        () =>
          inWorkFolder(settings.workDirectory, async (folder) => {
            const body = join(folder, 'tasks.gz');
            const adopted = production === undefined ? NONE : await adoptedKeys(production, signal);
            const files = leavingOut(
              adopted,
              chosenFiles({ input, analysis }, plan, skipped, missingKeys, signal),
              skipped,
            );
            const tasks = packTasks(run.runId, files, limits, (bytes) => taskMessageBytes(run.runId, job, bytes));
            async function* lines(): AsyncGenerator<string> {
              for await (const task of tasks) {
                counts.tasks += 1;
                counts.files += task.files.length;
                counts.bytes += task.size;
                if (plan.allowLargePlan !== true) checkPlanSize(counts, settings.maxPlan);
                yield `${planLine(task)}\n`;
              }
            }
            await pipeline(Readable.from(lines()), createGzip(), createWriteStream(body), { signal });
            const head: PlanHead = {
              runId: run.runId,
              day: plan.day,
              filter: plan.filter ?? null,
              job,
              limits,
              ...counts,
              skipped,
              missingKeys,
            };
            // Gzip streams may follow each other, so the head, which has the counts, still comes first.
            const stored = Buffer.concat([gzipSync(`${JSON.stringify(head)}\n`), await readFile(body)]);
            const outcome = await analysis.createOnce(
              stateKeys.plan(run),
              stored,
              { contentType: 'application/gzip' },
              signal,
            );
            await failpoint('plan.afterPut', signal);
            await indexRun(analysis, run, signal);
            if (outcome === 'created') ports.metrics.add('telemetry_tasks_planned', counts.tasks);
            log.info('tasks planned', {
              day: plan.day,
              runId: run.runId,
              ...counts,
              skipped,
              attempt: activityInfo().attempt,
            });
            return describe(outcome === 'created' ? head : (await openPlan(analysis, run, signal)).head);
          }),
      );
    },
  };

  /**
   * A day that is to be published, and the data set as it is now.
   * @throws InvalidDataError `sealed_day`: said before anything is analysed in vain
   */
  async function productionDay(day: string | null, signal: AbortSignal): Promise<ProductionDay | undefined> {
    if (day === null) return undefined;
    const { publishedPrefix, compaction } = settings;
    const { ledger } = await readPointer({ analysis, published: ports.published, publishedPrefix }, signal);
    const compacted = compactedIn(ledger, day);
    if (compacted.length === 0) return { day, ledger };
    throw new InvalidDataError(
      'sealed_day',
      `${day} cannot be analysed again for the data set: its results are merged with those of other days for good in ${compacted.join(', ')}, as are all that are older than ${compaction.keepDays} days (TELEMETRY_KEEP_SEGMENT_DAYS). To look at the day for itself use "telemetry investigate"`,
    );
  }

  /** Files of a day that the adopted history counts. Days that began after the adoption have none, whatever its lists hold. */
  async function adoptedKeys({ day, ledger }: ProductionDay, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const [name, entry] = adoptedEntryOf(ledger) ?? [];
    const list = entry?.fileLists.processed ?? null;
    if (name === undefined || list === null || day > adoptedOn(name)) return NONE;
    const keys = new Set<string>();
    for await (const key of keysOf(analysis, list, signal)) if (key.includes(`.${day}.`)) keys.add(key);
    return keys;
  }
}

interface ProductionDay {
  readonly day: string;
  readonly ledger: Ledger;
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

async function indexRun(analysis: ObjectStore, run: RunRef, signal: AbortSignal): Promise<void> {
  await createJsonOnce(analysis, stateKeys.runIndex(run.runId), { prefix: run.prefix }, signal);
}

async function* chosenFiles(
  { input, analysis }: Pick<ActivityPorts, 'input' | 'analysis'>,
  plan: PlanTasksInput,
  skipped: SkipCounts,
  missingKeys: string[],
  signal: AbortSignal,
): AsyncGenerator<InputFile> {
  if (plan.filter !== undefined) {
    const list: ListLevel = (prefix, delimiter) => input.list(prefix, delimiter, signal);
    yield* walkPartitions(list, plan.filter, skipped);
    return;
  }
  const text = plan.keyList === undefined ? '' : (await analysis.get(plan.keyList, { signal })).body.toString('utf8');
  const keys = new Set(
    [...(plan.keys ?? []), ...text.split('\n').map((line) => line.trim())].filter((key) => key !== ''),
  );
  const found = await pMap(keys, async (key) => ({ key, stored: await input.head(key, signal) }), {
    concurrency: HEADS_AT_ONCE,
  });
  for (const { key, stored } of found) {
    if (stored === undefined) missingKeys.push(key);
    else yield { key, size: stored.size };
  }
}
