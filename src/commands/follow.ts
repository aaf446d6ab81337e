/** `follow`: the progress of a run that somebody else started, and its result. */
import type { DailyAnalysisResult } from '../workflows/daily-analysis.ts';
import type { InvestigationResult } from '../workflows/investigation.ts';
import { findRun } from './find-run.ts';
import { followRun } from './follow-run.ts';
import { describeDay, describeInvestigation } from './run-day.ts';
import { withTemporalClient } from './temporal-client.ts';
import { print, say } from './terminal.ts';

/** @param given a day, a workflow id, or the name of an investigation */
export async function follow(given: string, { json }: { readonly json?: boolean | undefined }): Promise<void> {
  await withTemporalClient(async (client) => {
    const { handle, workflowType, isRunning } = await findRun(client, given);
    say(isRunning ? `following ${handle.workflowId}` : `${handle.workflowId} has ended`);
    const result = await followRun<unknown>(handle, given);
    print(json === true ? JSON.stringify(result) : described(workflowType, result));
  });
}

function described(workflowType: string, result: unknown): string {
  if (workflowType === 'dailyAnalysis') return describeDay(result as DailyAnalysisResult);
  if (workflowType === 'investigation') return describeInvestigation(result as InvestigationResult);
  return JSON.stringify(result, null, 2);
}
