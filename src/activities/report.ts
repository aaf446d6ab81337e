/** Stage 8: the report of a run, stored beside its state. */
import { cancellationSignal, log } from '@temporalio/activity';
import type { RunCounts } from '../pipeline/dataset/run-report.ts';
import {
  type CountOf,
  countWarnings,
  damageWarning,
  definitionWarning,
  hiddenWarning,
  moreWarnings,
  undefinedMeasuresWarning,
  unfitRowsWarning,
  type WarnedRun,
} from '../pipeline/dataset/run-warnings.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { stateKeys } from '../state/keys.ts';
import { readPublicationOf, readStagedSnapshots } from '../state/publication.ts';
import { type StagedSummary, stagedSummary } from './stage.ts';
import type { PlanSummary } from './plan.ts';
import type { ActivityPorts } from './ports.ts';

export interface ReportInput {
  readonly run: RunRef;
  readonly day: string;
  readonly plan: PlanSummary;
  readonly counts: RunCounts;
  /** What was found after the commit; runs that an earlier release began have none. */
  readonly warnings?: readonly string[];
  readonly publication: {
    readonly decision: string;
    readonly seq: number;
    /** The attempt whose staged snapshots are reported; null when none were staged. */
    readonly attempt?: number | null;
    /** As runs of earlier releases give them. */
    readonly snapshots?: readonly ReportedSnapshot[];
  };
}

/** Those of runs that an earlier release began lack the newer members. */
type ReportedSnapshot = Omit<StagedSummary, Newer> & Partial<Pick<StagedSummary, Newer>>;
type Newer = 'hidden' | 'measuresLeftOut' | 'rowsLeftOut' | 'definitionFaults';

export interface ReportResult {
  readonly report: string;
  /** The first ones, cut where they are long; the report has all of them, whole. */
  readonly warnings: readonly string[];
}

/** Warnings go through the history, to people: more than this nobody reads. */
const MAX_WARNINGS = 20;
const MAX_WARNING = 1000;

export function createReportActivities({ analysis }: Pick<ActivityPorts, 'analysis'>) {
  return {
    /** Reads the staged snapshots itself: a list of 1,000 would be too large for a payload. */
    async writeReport({
      run,
      day,
      plan,
      counts,
      publication,
      warnings: found = [],
    }: ReportInput): Promise<ReportResult> {
      const signal = cancellationSignal();
      const { decision, seq, attempt = null, snapshots = await stagedIn(analysis, run, attempt, signal) } = publication;
      const pending = snapshots.reduce((sum, snapshot) => sum + snapshot.definitionsPending, 0);
      const damage = snapshots.flatMap((snapshot) =>
        snapshot.damage === null ? [] : [damageWarning(snapshot.channelVersion, snapshot.damage)],
      );
      const warned = { day, runId: run.runId };
      const counted = countWarnings(warned, counts, pending);
      const warnings = [...damage, ...counted, ...snapshotWarnings(warned, snapshots), ...found];
      const key = stateKeys.report(run);
      const report = { day, runId: run.runId, plan, counts, publication: { decision, seq, snapshots }, warnings };
      const body = `${JSON.stringify(report, null, 2)}\n`;
      await analysis.put(key, Buffer.from(body), { contentType: 'application/json' }, signal);
      log.info('run reported', { day, runId: run.runId, warnings: warnings.length });
      return { report: `s3://${analysis.bucket}/${key}`, warnings: shortened(warned, warnings) };
    },
  };
}

function snapshotWarnings(run: WarnedRun, snapshots: readonly ReportedSnapshot[]): string[] {
  // Channel/versions share files.
  const faults = new Set(snapshots.flatMap(({ definitionFaults = [] }) => definitionFaults));
  const hidden = snapshots.flatMap(({ channelVersion, hidden: some = [] }) =>
    some.map(({ measure, submissions }) => ({ name: `${measure} of ${channelVersion}`, count: submissions })),
  );
  const leftOut = countedIn(snapshots, ({ measuresLeftOut = 0 }) => measuresLeftOut);
  const unfit = countedIn(snapshots, ({ rowsLeftOut = 0 }) => rowsLeftOut);
  return [
    ...[...faults].map(definitionWarning),
    ...(hidden.length > 0 ? [hiddenWarning(run, hidden)] : []),
    ...(leftOut.length > 0 ? [undefinedMeasuresWarning(run, leftOut)] : []),
    ...(unfit.length > 0 ? [unfitRowsWarning(run, unfit)] : []),
  ];
}

function countedIn(
  snapshots: readonly ReportedSnapshot[],
  countOf: (snapshot: ReportedSnapshot) => number,
): readonly CountOf[] {
  return snapshots
    .map((snapshot) => ({ name: snapshot.channelVersion, count: countOf(snapshot) }))
    .filter(({ count }) => count > 0);
}

async function stagedIn(
  analysis: ObjectStore,
  run: RunRef,
  attempt: number | null,
  signal: AbortSignal,
): Promise<StagedSummary[]> {
  if (attempt === null) return [];
  const { snapshots } = await readPublicationOf(analysis, run, attempt, signal);
  return (await readStagedSnapshots(analysis, run, attempt, snapshots, signal)).map(stagedSummary);
}

function shortened(run: WarnedRun, warnings: readonly string[]): string[] {
  const shown = warnings.slice(0, MAX_WARNINGS).map((warning) => plainLine(warning, MAX_WARNING));
  const more = warnings.length - shown.length;
  return more > 0 ? [...shown, moreWarnings(run, more)] : shown;
}
