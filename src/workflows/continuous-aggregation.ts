import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  proxyActivities,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { AggregationSettings } from '../activities/rounds.ts';
import { JOBS } from '../jobs.ts';
import { analysisRunKey } from '../names.ts';
import { counted } from '../pipeline/plain-text.ts';
import { roundName } from '../pipeline/dataset/entry-name.ts';
import { countedTwiceWarning } from '../pipeline/dataset/run-warnings.ts';
import { type AggregationInput, parseAggregationInput } from '../pipeline/run-input.ts';
import { roundRun } from '../state/keys.ts';
import { activityOptions } from './activity-options.ts';
import { alerting, notifyOrLog } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { ChunkMerges } from './chunk-merges.ts';
import { lookForChanges } from './data-changes.ts';
import { QuarantineFullAlert } from './quarantine-full-alert.ts';
import { publish, type PublishedRun } from './publish.ts';
import { RoundControl } from './round-control.ts';
import { RunProgress } from './run-progress.ts';

const { aggregationSettings, writeReport } = proxyActivities<Activities>(activityOptions.quick);
const { planRound, buildContribution, updateProjections, settleRound } = proxyActivities<Activities>(
  activityOptions.scan,
);

const { name: JOB, about: ABOUT } = JOBS.continuousAggregation;
const COLLECT_CALL_SECONDS = 600;
/** How often in a row a round is planned again when another publisher was first with the same input files. */
const MAX_ATTEMPTS = 3;

export interface RoundOutcome {
  /** `nothing`: no result was waiting, or all of them are counted already. */
  readonly decision: PublishedRun['decision'] | 'nothing';
  readonly results: number;
  readonly seq: number | null;
}

export interface AggregationResult {
  /** Of the whole chain of runs since the start. */
  readonly rounds: number;
  readonly results: number;
}

/**
 * Takes results that other launchers asked for off the done queue, beside the daily analysis, and publishes them in
 * rounds; runs until it is stopped.
 */
export async function continuousAggregation(raw?: AggregationInput): Promise<AggregationResult> {
  const input = checkedInput(() => parseAggregationInput(raw));
  const progress = new RunProgress('continuous aggregation');
  return alerting({ job: JOB, about: ABOUT, progress, work: () => aggregate(input, progress) });
}

async function aggregate(input: AggregationInput, progress: RunProgress): Promise<AggregationResult> {
  const control = new RoundControl<RoundOutcome>();
  progress.update('starting');
  const settings = await aggregationSettings();
  const limits = limitsOf(input, settings);
  // The start counts as a publish: nothing is due at once.
  const flood = new QuarantineFullAlert(settings.doneQueue, { job: JOB, about: ABOUT, progress });
  const totals = { publishedAt: Date.now(), rounds: 0, results: 0, ...input.carried };
  tellTotals();

  for (;;) {
    const waiting = await collect();
    const isDue = waiting >= limits.results || (waiting > 0 && secondsLeft() <= 0);
    if (isDue || control.isPublishing()) await control.answering(publishWaiting);
    progress.update('collecting results', { waiting: String(waiting) });
    if (control.isPublishing()) continue;
    if (control.isStopping()) break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      // replay-tested: 2026-11-25
      await continueAsNew<typeof continuousAggregation>({ ...input, carried: totals });
    }
  }
  progress.update('stopped');
  await condition(allHandlersFinished);
  const { rounds, results } = totals;
  log.info('continuous aggregation stopped', { rounds, results });
  return { rounds, results };

  function secondsLeft(): number {
    return Math.ceil((totals.publishedAt + limits.seconds * 1000 - Date.now()) / 1000);
  }

  /** How many results wait, once a round is due or the time of the call is up. */
  async function collect(): Promise<number> {
    const left = secondsLeft();
    const wanted = left <= 0 ? 1 : limits.results;
    const maxSeconds = left <= 0 ? COLLECT_CALL_SECONDS : Math.min(COLLECT_CALL_SECONDS, left);
    const { doneQueue } = settings;
    const found = await control.collecting({ doneQueue, results: wanted, maxSeconds, heldIsKnown: flood.raised });
    if (found !== undefined) await flood.note(found);
    return found?.waiting ?? 0;
  }

  async function publishWaiting(): Promise<RoundOutcome> {
    let outcome = await round();
    for (let attempt = 2; outcome.decision === 'overlapping' && attempt <= MAX_ATTEMPTS; attempt += 1) {
      outcome = await round();
    }
    return outcome;
  }

  async function round(): Promise<RoundOutcome> {
    const instant = new Date().toISOString().replaceAll(/[-:]/g, '');
    const day = roundName(instant);
    const run = roundRun(instant, uuid4());
    upsertSearchAttributes([{ key: analysisRunKey, value: run.runId }]);
    progress.update('planning a round', { round: day, run: `\`${run.runId}\`` });
    const { plan, overlapping } = await planRound({ run, instant, results: limits.results });
    if (overlapping > 0)
      progress.update('planning a round', { refused: `${overlapping} results count input files twice` });
    if (plan.tasks === 0) {
      totals.publishedAt = Date.now();
      return { decision: 'nothing', results: 0, seq: null };
    }
    progress.update('merging', { 'this round': `${counted(plan.tasks, 'result')} of ${counted(plan.files, 'file')}` });
    const merged = await new ChunkMerges(run, plan.tasks, plan.chunkTasks).finish();
    const contribution = await buildContribution({ run, day, tasks: plan.tasks, chunks: merged.chunks });
    const publication = await publish(run, progress);
    // Its results wait again, and the next round is planned on what the data set holds now.
    if (publication.decision === 'overlapping') return { decision: 'overlapping', results: 0, seq: publication.seq };
    await updateProjections();
    await settleRound({ run });
    const changes = await lookForChanges();
    const { channelVersions, runId, planAt, ...counts } = contribution;
    const { decision, seq, attempt } = publication;
    const reported = await writeReport({
      ...{ run, day, plan, counts, warnings: changes },
      publication: { decision, seq, attempt },
    });
    const twice = overlapping === 0 ? [] : [countedTwiceWarning(overlapping)];
    const warnings = [...reported.warnings, ...twice];
    await notifyOrLog({ job: JOB, about: ABOUT, progress, alertId: runId }, { kind: 'ended', warnings });
    totals.publishedAt = Date.now();
    totals.rounds += 1;
    totals.results += plan.tasks;
    tellTotals();
    progress.update('round published', { commit: String(seq), warnings: warnings.join('\n') || 'none' });
    log.info('round published', { round: day, runId, results: plan.tasks, seq });
    return { decision, results: plan.tasks, seq };
  }

  function tellTotals(): void {
    progress.update('collecting results', {
      published: `${counted(totals.rounds, 'round')}, ${counted(totals.results, 'result')}`,
    });
  }
}

function limitsOf(input: AggregationInput, settings: AggregationSettings): { results: number; seconds: number } {
  return { results: input.roundResults ?? settings.results, seconds: input.roundSeconds ?? settings.seconds };
}
