/** Runs as Temporal knows them: the last two weeks of every job, why runs failed, what running ones are doing. */
import { type Client, type WorkflowExecutionInfo, WorkflowFailedError } from '@temporalio/client';
import pMap from 'p-map';
import { openPlan } from '../state/plan.ts';
import { readProgress } from '../state/receipts.ts';
import { type Failure, readFailure } from '../failures.ts';
import { JOBS, WORKFLOW_TYPES, type WorkflowType } from '../jobs.ts';
import { analysisDayKey, analysisRunKey } from '../names.ts';
import { dailyRun } from '../state/keys.ts';
import type { RunFacts, RunningFacts, WatchedRun } from './rules/facts.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
import { pendingOf } from './pending.ts';

const PERIOD_MS = 14 * 86_400_000;
const MAX_RUNS = 100;
const MAX_FAILURES_READ = 20;
const MAX_RUNNING_READ = 10;
const AT_ONCE = 4;
const QUERY_MS = 3_000;
const MAX_MESSAGE = 1_000;

export async function runFacts(
  client: Client,
  analysis: ObjectStore,
  now: Date,
  signal: AbortSignal,
): Promise<RunFacts> {
  const listed = await pMap(WORKFLOW_TYPES, (type) => listRuns(client, type, now), {
    concurrency: AT_ONCE,
  });
  const newestFirst = listed.flat().toSorted((a, b) => b.startTime.getTime() - a.startTime.getTime());
  const budget = { failures: MAX_FAILURES_READ, running: MAX_RUNNING_READ };
  const wanted = newestFirst.map((info) => ({ info, wants: wants(info, budget) }));
  const runs = await pMap(wanted, ({ info, wants: detail }) => watchedRun(client, analysis, info, detail, signal), {
    concurrency: AT_ONCE,
  });
  return { runs };
}

async function listRuns(client: Client, type: WorkflowType, now: Date): Promise<WorkflowExecutionInfo[]> {
  const since = new Date(now.getTime() - PERIOD_MS).toISOString();
  const queries = [
    `WorkflowType = "${type}" AND ExecutionStatus = "Running"`,
    `WorkflowType = "${type}" AND ExecutionStatus != "Running" AND StartTime > "${since}"`,
  ];
  const runs: WorkflowExecutionInfo[] = [];
  for (const query of queries) {
    let count = 0;
    for await (const info of client.workflow.list({ query, pageSize: MAX_RUNS })) {
      count += 1;
      if (count > MAX_RUNS) break;
      runs.push(info);
    }
  }
  return runs;
}

/** What is asked about a run beyond the listing; the newest come first. */
function wants(
  { status }: WorkflowExecutionInfo,
  budget: { failures: number; running: number },
): 'failure' | 'running' | 'nothing' {
  if (status.name === 'RUNNING') return (budget.running -= 1) >= 0 ? 'running' : 'nothing';
  if (status.name === 'FAILED') return (budget.failures -= 1) >= 0 ? 'failure' : 'nothing';
  return 'nothing';
}

async function watchedRun(
  client: Client,
  analysis: ObjectStore,
  info: WorkflowExecutionInfo,
  detail: 'failure' | 'running' | 'nothing',
  signal: AbortSignal,
): Promise<WatchedRun> {
  const { workflowId, runId, status, startTime, closeTime } = info;
  const { name: job, about } = JOBS[info.type as WorkflowType];
  const day = info.typedSearchAttributes.get(analysisDayKey);
  return {
    job,
    about: about ?? (info.type === 'dailyAnalysis' ? day : undefined) ?? workflowId,
    workflowId,
    runId,
    status: status.name,
    startedAt: startTime.toISOString(),
    endedAt: closeTime?.toISOString() ?? null,
    failure: detail === 'failure' ? await failureOf(client, info) : null,
    running:
      status.name !== 'RUNNING'
        ? null
        : detail === 'running'
          ? await runningFacts(client, analysis, info, signal)
          : NOT_ASKED,
  };
}

const NOT_ASKED: RunningFacts = {
  phase: null,
  facts: {},
  tasks: null,
  activities: [],
  workflowTaskAttempt: 0,
  heardAt: null,
};

async function failureOf(client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<Failure | null> {
  try {
    await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
    return null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return readFailure(error.cause, MAX_MESSAGE);
  }
}

async function runningFacts(
  client: Client,
  analysis: ObjectStore,
  info: WorkflowExecutionInfo,
  signal: AbortSignal,
): Promise<RunningFacts> {
  const handle = client.workflow.getHandle(info.workflowId, info.runId);
  const [{ raw }, progress, tasks] = await Promise.all([
    handle.describe(),
    // Without a worker there is no answer.
    client
      .withDeadline(Date.now() + QUERY_MS, () =>
        handle.query<{ phase: string; facts: Readonly<Record<string, string>> }>('progress'),
      )
      .catch(() => null),
    tasksOf(analysis, info, signal),
  ]);
  return { phase: progress?.phase ?? null, facts: progress?.facts ?? {}, tasks, ...pendingOf(raw) };
}

/** By the receipts, which are the truth about the drain. */
async function tasksOf(
  analysis: ObjectStore,
  { typedSearchAttributes }: WorkflowExecutionInfo,
  signal: AbortSignal,
): Promise<RunningFacts['tasks']> {
  const day = typedSearchAttributes.get(analysisDayKey);
  const runId = typedSearchAttributes.get(analysisRunKey);
  if (day === undefined || runId === undefined) return null;
  const run = dailyRun(day, runId);
  try {
    const { head } = await openPlan(analysis, run, signal);
    const { done, failed, missing } = await readProgress(analysis, run, head.tasks, 1, signal);
    return { planned: head.tasks, done, failed, open: missing };
  } catch (error) {
    if (error instanceof ObjectMissingError) return null;
    throw error;
  }
}
