/** Publishing: stage every affected snapshot, then commit; when another publisher was first, build on its commit. */
import { proxyActivities, sleep, uuid4, workflowInfo } from '@temporalio/workflow';
import type { StagedSummary } from '../activities/stage.ts';
import type { Activities } from '../activities/index.ts';
import { failure } from '../failures.ts';
import { counted } from '../pipeline/plain-text.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { activityOptions } from './activity-options.ts';
import { fanOut } from './fan-out.ts';
import type { RunProgress } from './run-progress.ts';

const { commitDataset } = proxyActivities<Activities>(activityOptions.commit);
const { planPublication, stageSnapshot } = proxyActivities<Activities>(activityOptions.scan);

const QUICK_REBASES = 8;
const MAX_REBASES = 32;
/**
 * Temporal ends a run at 51,200 events. Another attempt to publish 1,000 channel/versions adds up to 6,000 of them; a run
 * that has this many must keep room to report its failure.
 */
const MAX_EVENTS = 40_000;
/** Channel/versions that a result names; the report has all of them. */
const MAX_NAMED = 100;

export interface PublishedRun {
  /**
   * `published`; `unchanged`: the data set holds exactly this already; `superseded`: a newer run of the day is in;
   * `overlapping`: a round of continuous aggregation has an input file that the data set counts already.
   */
  readonly decision: 'published' | 'unchanged' | 'superseded' | 'overlapping';
  /** Number of the commit that shows it. */
  readonly seq: number;
  /** The attempt whose snapshots were staged, for the report; null when none were. */
  readonly attempt: number | null;
  /** Channel/versions that were rendered, and the first of them: a list of all could be larger than a payload may be. */
  readonly rendered: number;
  readonly named: readonly string[];
}

const NOTHING_STAGED = { attempt: null, rendered: 0, named: [] } as const;

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
      return { decision: plan.decision === 'no-op' ? 'unchanged' : plan.decision, seq: plan.seq, ...NOTHING_STAGED };
    }
    let staged = 0;
    const tell = (): void => {
      const counter = { done: staged, of: plan.snapshots, unit: 'snapshots' };
      progress.update(`staging ${counted(plan.snapshots, 'snapshot')}`, {}, counter);
    };
    tell();
    const snapshots = await fanOut(plan.snapshots, async (index) => {
      // What a row of the Web UI's timeline is about; plans of earlier releases do not say it.
      const summary = plan.named?.[index] ?? `snapshot ${index + 1}`;
      const snapshot = await stageSnapshot.executeWithOptions({ summary }, [{ ...publication, index }]);
      staged += 1;
      tell();
      return snapshot;
    });
    progress.update('committing');
    const { outcome, seq } = await commitDataset(publication);
    if (outcome !== 'moved')
      return { decision: outcome === 'committed' ? 'published' : 'superseded', seq, attempt, ...renderedIn(snapshots) };
    if (workflowInfo().historyLength > MAX_EVENTS) throw contended(attempt);
    if (attempt >= QUICK_REBASES) await sleep('1 minute');
  }
  throw contended(MAX_REBASES);
}

function contended(attempts: number): Error {
  return failure('CommitContended', `Other publishers committed first ${attempts} times in a row; run the day again`);
}

function renderedIn(snapshots: readonly StagedSummary[]): Pick<PublishedRun, 'rendered' | 'named'> {
  const rendered = snapshots.filter(({ folder }) => folder !== null);
  return { rendered: rendered.length, named: rendered.slice(0, MAX_NAMED).map(({ channelVersion }) => channelVersion) };
}
