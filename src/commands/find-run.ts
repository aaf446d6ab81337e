/** Finding a run by what people know of it: its day, the name of an investigation, or its workflow id. */
import type { Client, WorkflowExecutionInfo, WorkflowHandle } from '@temporalio/client';
import { JOBS } from '../jobs.ts';
import { isCalendarDay } from '../pipeline/calendar-day.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { CommandError } from './command-error.ts';

export interface FoundRun {
  readonly handle: WorkflowHandle;
  readonly workflowType: string;
  readonly isRunning: boolean;
}

/**
 * The run at work, or else the latest one: of a day whoever started it, schedule or person.
 * @param given a day (`YYYYMMDD`), a workflow id, or the name of an investigation
 * @throws CommandError when there is none
 */
export async function findRun(client: Client, given: string): Promise<FoundRun> {
  const found = isCalendarDay(given) ? await latestOfDay(client, given) : await latestNamed(client, given);
  if (found === undefined)
    throw new CommandError(
      `there is no run of ${plainLine(given, 100)}; "temporal workflow list" shows all, "telemetry status" the recent ones`,
      { exitCode: 2 },
    );
  return foundRun(client, found);
}

/** The run of a day that is at work; undefined when none is. */
export async function runAtWork(client: Client, day: string): Promise<FoundRun | undefined> {
  const found = await first(client, `${ofDay(day)} AND ExecutionStatus = "Running"`);
  return found === undefined ? undefined : foundRun(client, found);
}

function foundRun(client: Client, { workflowId, runId, type, status }: WorkflowExecutionInfo): FoundRun {
  const handle = client.workflow.getHandle(workflowId, runId);
  return { handle, workflowType: type, isRunning: status.name === 'RUNNING' };
}

/** A run has the attribute only once a worker has taken it. */
function ofDay(day: string): string {
  return `WorkflowType = "dailyAnalysis" AND (AnalysisDay = "${day}" OR WorkflowId = "${JOBS.dailyAnalysis.workflowId(day)}")`;
}

async function latestOfDay(client: Client, day: string): Promise<WorkflowExecutionInfo | undefined> {
  return (await first(client, `${ofDay(day)} AND ExecutionStatus = "Running"`)) ?? (await first(client, ofDay(day)));
}

async function latestNamed(client: Client, given: string): Promise<WorkflowExecutionInfo | undefined> {
  if (!/^[\w:.-]{1,255}$/.test(given)) return undefined;
  return (
    (await first(client, `WorkflowId = "${given}"`)) ??
    (await first(client, `WorkflowId = "${JOBS.investigation.workflowId(given)}"`))
  );
}

/** The server lists the latest first. */
async function first(client: Client, query: string): Promise<WorkflowExecutionInfo | undefined> {
  for await (const info of client.workflow.list({ query, pageSize: 1 })) return info;
  return undefined;
}
