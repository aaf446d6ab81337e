import { isCancellation, log, patched, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { GarbageSummary } from '../activities/garbage-collection.ts';
import type { Activities } from '../activities/index.ts';
import { readFailure } from '../failures.ts';
import { JOBS } from '../jobs.ts';
import {
  type CheckedGarbageCollection,
  type GarbageCollectionInput,
  parseGarbageCollectionInput,
} from '../pipeline/run-input.ts';
import { activityOptions } from './activity-options.ts';
import { alerting } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { listText, megabytes, RunProgress } from './run-progress.ts';

const { planGarbage, removeGarbage } = proxyActivities<Activities>(activityOptions.scan);
const { removeLeftInvestigationQueues } = proxyActivities<Activities>(activityOptions.look);

const MAX_MESSAGE = 300;

export interface GarbageCollectionResult extends GarbageSummary {
  readonly dryRun: boolean;
  /** Objects that were deleted. */
  readonly deleted: number;
}

/** Removes folders and parts that no commit references any more, once no reader and no publish can need them. */
export async function garbageCollection(raw?: GarbageCollectionInput): Promise<GarbageCollectionResult> {
  const input = checkedInput(() => parseGarbageCollectionInput(raw));
  const progress = new RunProgress(
    `garbage collection${input.dryRun ? ' (dry run)' : ''}${input.force ? ', forced' : ''}`,
  );
  const { name, about } = JOBS.garbageCollection;
  return alerting({ job: name, about, progress, work: () => collect(input, progress) });
}

async function collect(
  { dryRun, force, maxDeletions }: CheckedGarbageCollection,
  progress: RunProgress,
): Promise<GarbageCollectionResult> {
  const { runId: id } = workflowInfo();
  progress.update('looking for unreferenced objects');
  const garbage = await planGarbage({ id, force, maxDeletions });
  const facts = {
    garbage: `${garbage.folders} folders, ${garbage.objects} objects, ${megabytes(garbage.bytes)}`,
    kept: `${garbage.kept} folders`,
    ...(garbage.left > 0 && { left: `${garbage.left} for the next run` }),
  };
  if (dryRun) {
    progress.update('done: nothing was removed', facts);
    return { ...garbage, dryRun, deleted: 0 };
  }
  let deleted = 0;
  if (garbage.objects > 0) {
    progress.update('removing', facts);
    deleted = (await removeGarbage({ id })).objects;
  }
  await removeLeftQueues(progress);
  if (garbage.objects === 0) {
    progress.update('nothing to remove', facts);
    return { ...garbage, dryRun, deleted };
  }
  progress.update('done', { ...facts, removed: `${deleted} objects` });
  log.info('garbage collection ended', { deleted, left: garbage.left });
  return { ...garbage, dryRun, deleted };
}

/** Of investigations that somebody has terminated. Nothing here fails the collection: the next one tries again. */
async function removeLeftQueues(progress: RunProgress): Promise<void> {
  // Collections that began before left them where they were. replay-tested: 2026-11-29
  if (!patched('left-queues')) return;
  progress.update('looking for queues of ended investigations');
  try {
    const { investigations, first } = await removeLeftInvestigationQueues();
    if (investigations > 0) progress.update('removed queues', { 'queues removed of': listText(first, investigations) });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('queues of ended investigations could not be looked for', { error });
    const { message } = readFailure(error, MAX_MESSAGE);
    progress.update('queues not removed', { 'queues of ended investigations': `could not be looked for: ${message}` });
  }
}
