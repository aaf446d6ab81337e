/** Stage 8: the report of a run, stored beside its state. */
import { cancellationSignal, log } from '@temporalio/activity';
import { type RunCounts, warningsOf } from '../pipeline/dataset/run-report.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { stateKeys } from '../state/keys.ts';
import type { StagedSummary } from './stage.ts';
import type { PlanSummary } from './plan.ts';
import type { ActivityPorts } from './ports.ts';

export interface ReportInput {
  readonly run: RunRef;
  readonly day: string;
  readonly plan: PlanSummary;
  readonly counts: RunCounts;
  readonly publication: {
    readonly decision: string;
    readonly seq: number;
    readonly snapshots: readonly ReportedSnapshot[];
  };
}

/** Those of runs that an earlier release began lack the newer members. */
type ReportedSnapshot = Omit<StagedSummary, Newer> & Partial<Pick<StagedSummary, Newer>>;
type Newer = 'hidden' | 'measuresLeftOut';

export interface ReportResult {
  readonly report: string;
  readonly warnings: readonly string[];
}

export function createReportActivities({ analysis }: Pick<ActivityPorts, 'analysis'>) {
  return {
    async writeReport({ run, day, plan, counts, publication }: ReportInput): Promise<ReportResult> {
      const pending = publication.snapshots.reduce((sum, snapshot) => sum + snapshot.definitionsPending, 0);
      const damage = publication.snapshots.flatMap((snapshot) =>
        snapshot.damage === null ? [] : [`${snapshot.channelVersion} stays as it was: ${snapshot.damage}`],
      );
      const warnings = [...damage, ...warningsOf(counts, pending), ...snapshotWarnings(publication.snapshots)];
      const key = stateKeys.report(run);
      const body = `${JSON.stringify({ day, runId: run.runId, plan, counts, publication, warnings }, null, 2)}\n`;
      await analysis.put(key, Buffer.from(body), { contentType: 'application/json' }, cancellationSignal());
      log.info('run reported', { day, runId: run.runId, warnings: warnings.length });
      return { report: `s3://${analysis.bucket}/${key}`, warnings };
    },
  };
}

function snapshotWarnings(snapshots: readonly ReportedSnapshot[]): string[] {
  const leftOut = snapshots.filter(({ measuresLeftOut = 0 }) => measuresLeftOut > 0);
  const named = leftOut
    .slice(0, MAX_NAMED)
    .map(({ channelVersion, measuresLeftOut }) => `${channelVersion}: ${measuresLeftOut}`);
  const flood = `more measures than can be real have no definition, and are not shown (${named.join(', ')})`;
  return [...hiddenWarning(snapshots), ...(leftOut.length > 0 ? [flood] : [])];
}

const MAX_NAMED = 10;

/** A bad submission and a change of the definition look alike here, so people are told which measures it is. */
function hiddenWarning(snapshots: readonly ReportedSnapshot[]): string[] {
  const hidden = snapshots.flatMap(({ channelVersion, hidden: some = [] }) =>
    some.map(({ measure, submissions }) => ({ name: `${measure} of ${channelVersion}`, submissions })),
  );
  if (hidden.length === 0) return [];
  const worst = hidden.toSorted((a, b) => b.submissions - a.submissions || (a.name < b.name ? -1 : 1));
  const named = worst.slice(0, MAX_NAMED).map(({ name, submissions }) => `${name}: ${submissions}`);
  return [`new submissions with another number of buckets than most are not shown (${named.join(', ')})`];
}
