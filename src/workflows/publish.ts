/** Publishing: stage every affected snapshot, then commit; when another publisher was first, build on its commit. */
import { proxyActivities, sleep, uuid4 } from '@temporalio/workflow';
import type { StagedSummary } from '../activities/stage.ts';
import type { Activities } from '../activities/index.ts';
import { failure } from '../failures.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { activityOptions } from './activity-options.ts';
import type { RunProgress } from './run-progress.ts';

const { commitDataset } = proxyActivities<Activities>(activityOptions.commit);
const { planPublication, stageSnapshot } = proxyActivities<Activities>(activityOptions.scan);

const QUICK_REBASES = 8;
const MAX_REBASES = 32;

export interface PublishedRun {
  /**
   * `published`; `unchanged`: the data set holds exactly this already; `superseded`: a newer run of the day is in;
   * `overlapping`: a round of continuous aggregation has an input file that the data set counts already.
   */
  readonly decision: 'published' | 'unchanged' | 'superseded' | 'overlapping';
  /** Number of the commit that shows it. */
  readonly seq: number;
  readonly snapshots: readonly StagedSummary[];
}

/** @param more of a day: replace it also with less than the data set has */
export async function publish(
  run: RunRef,
  progress: RunProgress,
  more: { readonly replaceAnyway?: true } = {},
): Promise<PublishedRun> {
  for (let attempt = 1; attempt <= MAX_REBASES; attempt += 1) {
    const publication = { run, attempt, commit: uuid4() };
    progress.update('deciding what to publish');
    const plan = await planPublication({ ...publication, ...more });
    if (plan.decision !== 'publish') {
      return { decision: plan.decision === 'no-op' ? 'unchanged' : plan.decision, seq: plan.seq, snapshots: [] };
    }
    progress.update(`staging ${plan.snapshots} snapshots`);
    const snapshots = await Promise.all(
      Array.from({ length: plan.snapshots }, (_, index) => stageSnapshot({ ...publication, index })),
    );
    progress.update('committing');
    const { outcome, seq } = await commitDataset(publication);
    if (outcome !== 'moved') return { decision: outcome === 'committed' ? 'published' : 'superseded', seq, snapshots };
    if (attempt >= QUICK_REBASES) await sleep('1 minute');
  }
  throw failure('CommitContended', `Other publishers committed first ${MAX_REBASES} times in a row; run the day again`);
}
