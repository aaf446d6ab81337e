/** Which runs have not ended, by Temporal: what they have stored so far they still need, however old it is. */
import { Context } from '@temporalio/activity';
import { analysisRunKey } from '../names.ts';

/** Ids of the runs of all workflows that have not ended. */
export async function runsAtWork(): Promise<ReadonlySet<string>> {
  const runs = new Set<string>();
  for await (const { typedSearchAttributes } of Context.current().client.workflow.list({
    query: "ExecutionStatus = 'Running'",
  })) {
    const runId = typedSearchAttributes.get(analysisRunKey);
    if (runId !== undefined) runs.add(runId);
  }
  return runs;
}
