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
    readonly snapshots: readonly StagedSummary[];
  };
}

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
      const warnings = [...damage, ...warningsOf(counts, pending)];
      const key = stateKeys.report(run);
      const body = `${JSON.stringify({ day, runId: run.runId, plan, counts, publication, warnings }, null, 2)}\n`;
      await analysis.put(key, Buffer.from(body), { contentType: 'application/json' }, cancellationSignal());
      log.info('run reported', { day, runId: run.runId, warnings: warnings.length });
      return { report: `s3://${analysis.bucket}/${key}`, warnings };
    },
  };
}
