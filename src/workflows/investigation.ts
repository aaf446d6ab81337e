import {
  CancellationScope,
  log,
  proxyActivities,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { InvestigationQueues, InvestigationSummary } from '../activities/investigation.ts';
import { analysisDayKey, analysisRunKey, INVESTIGATION_NAME } from '../names.ts';
import { counted } from '../pipeline/plain-text.ts';
import type { Filter } from '../pipeline/filter/filter.ts';
import { type InvestigationInput, largePlan, parseInvestigationInput, type Patience } from '../pipeline/run-input.ts';
import { investigationRun } from '../state/keys.ts';
import { activityOptions } from './activity-options.ts';
import { checkedInput } from './checked-input.ts';
import { drainAndMerge } from './drain-and-merge.ts';
import { QuarantineFullAlert } from './quarantine-full-alert.ts';
import { megabytes, RunProgress } from './run-progress.ts';

const { renderFilter, parseFilterDocument, createInvestigationQueues, removeInvestigationQueues } =
  proxyActivities<Activities>(activityOptions.quick);
const { planTasks, enqueueTasks, collectInvestigation } = proxyActivities<Activities>(activityOptions.scan);

export type InvestigationResult = InvestigationSummary & { readonly name: string; readonly runId: string };

/**
 * The same analysis with queues of its own: its merged result is in `investigations/<name>/` and is never published.
 */
export async function investigation(raw?: InvestigationInput): Promise<InvestigationResult> {
  const input = checkedInput(() => parseInvestigationInput(raw, INVESTIGATION_NAME));
  const { name } = input;
  const progress = new RunProgress(`investigation ${name}`);
  const run = investigationRun(name, uuid4());
  upsertSearchAttributes([
    { key: analysisRunKey, value: run.runId },
    ...(input.day === undefined ? [] : [{ key: analysisDayKey, value: input.day }]),
  ]);

  progress.update('rendering the filter', { run: `\`${run.runId}\`` });
  const chosen = await chooseFiles(input);
  // A cancelled creation would leave queues behind that nothing removes.
  const queues = await CancellationScope.nonCancellable(() => createInvestigationQueues({ name, runId: run.runId }));
  try {
    return await analyse(queues);
  } finally {
    await CancellationScope.nonCancellable(() => removeInvestigationQueues(queues));
  }

  async function analyse({ taskQueue, doneQueue }: InvestigationQueues): Promise<InvestigationResult> {
    progress.update('listing the input bucket', { queues: `\`${taskQueue}\`, \`${doneQueue}\`` });
    const plan = await planTasks({
      run,
      day: input.day ?? null,
      ...chosen,
      ...largePlan(input),
      jobName: `investigation-${name}`,
      taskQueue,
      doneQueue,
    });
    progress.update('sending analysis tasks', {
      input: `${counted(plan.files, 'file')}, ${megabytes(plan.bytes)}, in ${counted(plan.tasks, 'task')}`,
    });
    if (plan.tasks > 0) await enqueueTasks({ run, taskQueue });
    const flood = new QuarantineFullAlert(doneQueue, null);
    const drained = await drainAndMerge(run, plan, { taskQueue, doneQueue }, input satisfies Patience, progress, flood);
    progress.update('collecting the result', {
      tasks: `${drained.done} done, ${drained.failed} failed, ${drained.missing} missing`,
    });
    const summary = await collectInvestigation({ run, name, tasks: plan.tasks, chunks: drained.chunks });
    progress.update('done', { submissions: String(summary.records), result: `\`${summary.result}\`` });
    log.info('investigation ended', { name, runId: run.runId, lines: summary.lines });
    return { ...summary, name, runId: run.runId };
  }
}

async function chooseFiles(
  input: InvestigationInput,
): Promise<{ filter: Filter } | { keys: readonly string[] } | { keyList: string }> {
  if (input.keys !== undefined) return { keys: input.keys };
  if (input.keyList !== undefined) return { keyList: input.keyList };
  if (input.day === undefined) return { filter: await parseFilterDocument({ document: input.filter }) };
  return {
    filter: await renderFilter({
      day: input.day,
      document: input.filter,
      now: workflowInfo().startTime.toISOString(),
      allowFuture: true,
    }),
  };
}
