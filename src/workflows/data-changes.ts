/** After a commit: what moved in the data. Nothing here fails a run, or holds it up for long. */
import { isCancellation, log, patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { readFailure } from '../failures.ts';
import { changesWarning } from '../pipeline/dataset/run-warnings.ts';
import { activityOptions } from './activity-options.ts';

const { findChanges } = proxyActivities<Activities>(activityOptions.look);

const MAX_MESSAGE = 500;

/** @returns warnings of the run */
export async function lookForChanges(): Promise<readonly string[]> {
  // Runs that began before changes were looked for end without. replay-tested: 2026-11-29
  if (!patched('changes')) return [];
  try {
    const { warnings } = await findChanges();
    return warnings;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('changes could not be looked for', { error });
    return [changesWarning(readFailure(error, MAX_MESSAGE).message)];
  }
}
