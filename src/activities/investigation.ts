/** Investigations: a queue pair of their own, and one merged result that is never published. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { investigationQueues } from '../names.ts';
import type { RunContribution } from '../pipeline/dataset/contribution.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import { addressOf } from '../state/documents.ts';
import { stateKeys } from '../state/keys.ts';
import { LocalParts } from '../state/parts.ts';
import { inWorkFolder } from '../work-folder.ts';
import { totalsOf } from './build.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

export interface InvestigationQueues {
  readonly taskQueue: string;
  readonly doneQueue: string;
}

export interface CollectInput {
  readonly run: RunRef;
  readonly name: string;
  readonly tasks: number;
  readonly chunks: readonly ChunkRef[];
}

export interface InvestigationSummary extends Omit<
  RunContribution,
  'runId' | 'day' | 'planAt' | 'segments' | 'chunks' | 'filesProcessedKey' | 'filesMissingKey'
> {
  /** Address of the merged result. */
  readonly result: string;
  readonly lines: number;
}

const FOUR_DAYS = 4 * 86_400;

type Ports = Pick<ActivityPorts, 'analysis' | 'queues' | 'threads' | 'settings'>;

export function createInvestigationActivities(ports: Ports) {
  const { queues, settings } = ports;
  return {
    /** Idempotent: queues that exist are used. Their messages can never meet those of production. */
    async createInvestigationQueues({ name }: { readonly name: string }): Promise<InvestigationQueues> {
      const pair = investigationQueues(settings.taskQueue, name);
      if ([settings.taskQueue, settings.doneQueue].some((queue) => [pair.taskQueue, pair.doneQueue].includes(queue)))
        throw failure('InvalidInput', `The investigation ${name} would use a production queue; choose another name`);
      const attributes = { delaySeconds: 0, retentionSeconds: FOUR_DAYS };
      const { taskVisibilitySeconds, doneVisibilitySeconds } = settings;
      const signal = cancellationSignal();
      await queues.create(pair.taskQueue, { ...attributes, visibilitySeconds: taskVisibilitySeconds }, signal);
      await queues.create(pair.doneQueue, { ...attributes, visibilitySeconds: doneVisibilitySeconds }, signal);
      log.info('investigation queues created', { name, ...pair });
      return pair;
    },

    async removeInvestigationQueues({ taskQueue, doneQueue }: InvestigationQueues): Promise<void> {
      await queues.remove(taskQueue, cancellationSignal());
      await queues.remove(doneQueue, cancellationSignal());
      log.info('investigation queues removed', { taskQueue, doneQueue });
    },

    /** The result of an investigation: all chunks as one `result.txt`, beside its report; never published. */
    async collectInvestigation(input: CollectInput): Promise<InvestigationSummary> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({ name: input.name }),
        () => collect(ports, input, signal),
      );
    },
  };
}

async function collect(
  { analysis, threads, settings }: Ports,
  { run, name, tasks, chunks }: CollectInput,
  signal: AbortSignal,
): Promise<InvestigationSummary> {
  return inWorkFolder(settings.workDirectory, async (folder) => {
    const totals = await totalsOf({ analysis, threads }, run, chunks, folder, signal);
    const { filesProcessedKey, filesMissingKey, channelVersions: _, parts: chunkParts, ...counts } = totals;
    const parts = new LocalParts(analysis, folder, signal);
    const paths = await parts.paths(chunkParts.map(({ key }) => key));
    const output = join(folder, 'result.txt');
    const { lines, bytes } = await parts.reading(() => threads.partsToResult({ parts: paths, output }, signal));
    const lists = { filesProcessedKey, filesMissingKey };
    const report = { name, runId: run.runId, planned: tasks, ...counts, lines, ...lists };
    const result = stateKeys.investigationResult(name);
    const text = { contentType: 'text/plain; charset=utf-8' };
    await analysis.put(result, { path: output, size: bytes }, text, signal);
    const body = Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
    await analysis.put(stateKeys.investigationReport(name), body, { contentType: 'application/json' }, signal);
    log.info('investigation collected', { name, runId: run.runId, lines });
    return { result: addressOf(analysis, result), planned: tasks, ...counts, lines };
  });
}
