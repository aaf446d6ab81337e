import { log, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { GarbageSummary } from '../activities/garbage-collection.ts';
import type { Activities } from '../activities/index.ts';
import { JOBS } from '../jobs.ts';
import {
  type CheckedGarbageCollection,
  type GarbageCollectionInput,
  parseGarbageCollectionInput,
} from '../pipeline/run-input.ts';
import { activityOptions } from './activity-options.ts';
import { alerting } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { megabytes, RunProgress } from './run-progress.ts';

const { planGarbage, removeGarbage } = proxyActivities<Activities>(activityOptions.scan);

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
  if (dryRun || garbage.objects === 0) {
    progress.update(dryRun ? 'done: nothing was removed' : 'nothing to remove', facts);
    return { ...garbage, dryRun, deleted: 0 };
  }
  progress.update('removing', facts);
  const { objects: deleted } = await removeGarbage({ id });
  progress.update('done', { ...facts, removed: `${deleted} objects` });
  log.info('garbage collection ended', { deleted, left: garbage.left });
  return { ...garbage, dryRun, deleted };
}
