/** Runs as Temporal knows them: the last two weeks of every job, why runs failed, what running ones are doing. */
import { type Client, type WorkflowExecutionInfo, WorkflowFailedError } from '@temporalio/client';
import pMap from 'p-map';
import { openPlan } from '../state/plan.ts';
import { noteReceipts } from '../state/receipts.ts';
import { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import { type Failure, readFailure } from '../failures.ts';
import { JOBS, WORKFLOW_TYPES, type WorkflowType } from '../jobs.ts';
import { analysisDayKey, analysisRunKey } from '../names.ts';
import { dailyRun } from '../state/keys.ts';
import type { RunFacts, RunningFacts, StrandedRun, WatchedRun } from './rules/facts.ts';
import { plainLine } from '../pipeline/plain-text.ts';
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
  workerTaskQueue: string,
  now: Date,
  signal: AbortSignal,
): Promise<RunFacts> {
  const listed = await pMap(WORKFLOW_TYPES, (type) => listRuns(client, type, workerTaskQueue, now), {
    concurrency: AT_ONCE,
  });
  const newestFirst = listed.flat().toSorted((a, b) => b.startTime.getTime() - a.startTime.getTime());
  const budget = { failures: MAX_FAILURES_READ, running: MAX_RUNNING_READ };
  const wanted = newestFirst.map((info) => ({ info, wants: wants(info, budget) }));
  const runs = await pMap(wanted, ({ info, wants: detail }) => watchedRun(client, analysis, info, detail, signal), {
    concurrency: AT_ONCE,
  });
  return { runs, stranded: await strandedRuns(client, workerTaskQueue) };
}

/** Other applications may use the namespace: only what names a workflow or a worker task queue of ours is looked at. */
async function strandedRuns(client: Client, workerTaskQueue: string): Promise<StrandedRun[]> {
  const types = WORKFLOW_TYPES.map((type) => `"${type}"`).join(', ');
  const found = await Promise.all([
    stranded(client, 'unknown type', `TaskQueue = "${workerTaskQueue}"`, (type) => !isWorkflowType(type)),
    stranded(
      client,
      'other task queue',
      `WorkflowType IN (${types})`,
      (_type, taskQueue) => taskQueue !== workerTaskQueue,
    ),
  ]);
  return found.flat();
}

async function stranded(
  client: Client,
  why: StrandedRun['why'],
  query: string,
  isStranded: (type: string, taskQueue: string) => boolean,
): Promise<StrandedRun[]> {
  const runs: StrandedRun[] = [];
  let seen = 0;
  for await (const { workflowId, type, taskQueue, startTime } of client.workflow.list({
    query: `ExecutionStatus = "Running" AND ${query}`,
    pageSize: MAX_RUNS,
  })) {
    seen += 1;
    if (seen > MAX_RUNS) break;
    if (!isStranded(type, taskQueue)) continue;
    runs.push({ workflowId, workflowType: type, workerTaskQueue: taskQueue, startedAt: startTime.toISOString(), why });
  }
  return runs;
}

function isWorkflowType(type: string): boolean {
  return (WORKFLOW_TYPES as readonly string[]).includes(type);
}

async function listRuns(
  client: Client,
  type: WorkflowType,
  workerTaskQueue: string,
  now: Date,
): Promise<WorkflowExecutionInfo[]> {
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
      // On another worker task queue nothing was done: while it runs, it is a stranded one.
      if (info.taskQueue === workerTaskQueue) runs.push(info);
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
  if (status.name === 'FAILED' || status.name === 'TERMINATED')
    return (budget.failures -= 1) >= 0 ? 'failure' : 'nothing';
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
    analysisRun: info.typedSearchAttributes.get(analysisRunKey) ?? null,
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

async function failureOf(client: Client, info: WorkflowExecutionInfo): Promise<Failure | null> {
  const { workflowId, runId, status } = info;
  if (status.name === 'TERMINATED') return terminationOf(client, info);
  try {
    await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
    return null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return readFailure(error.cause, MAX_MESSAGE);
  }
}

/** Who terminated a run, and why they said. */
async function terminationOf(client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<Failure | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    ...CLOSE_EVENT,
  });
  const attributes = history?.events?.at(-1)?.workflowExecutionTerminatedEventAttributes;
  if (attributes === null || attributes === undefined) return null;
  const who = attributes.identity || 'somebody';
  const message = plainLine(
    `by ${who}${attributes.reason ? `: ${attributes.reason}` : ', without a reason'}`,
    MAX_MESSAGE,
  );
  return { type: null, message, activity: null, timeout: null };
}

/** Of a history only the last event. */
const CLOSE_EVENT: object = { historyEventFilterType: 2 };

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
    const progress = new DrainProgress(head.tasks, 1);
    const newest = await noteReceipts(analysis, run, progress, signal);
    const { done, failed, missing } = progress;
    return { planned: head.tasks, done, failed, open: missing, lastResultAt: newest?.toISOString() ?? null };
  } catch (error) {
    if (error instanceof ObjectMissingError) return null;
    throw error;
  }
}
