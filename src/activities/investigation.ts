/** Investigations: a queue pair of their own, and one merged result that is never published. */
import { join } from 'node:path';
import { cancellationSignal, log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { investigationOfQueue, investigationQueuePrefix, investigationQueues } from '../names.ts';
import type { RunContribution } from '../pipeline/dataset/contribution.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { addressOf } from '../state/documents.ts';
import { claimInvestigation, removingLeftInvestigation } from '../state/investigations.ts';
import { linesOf } from '../state/file-lists.ts';
import { stateKeys } from '../state/keys.ts';
import { LocalParts } from '../state/parts.ts';
import { inWorkFolder } from '../work-folder.ts';
import { totalsOf } from './build.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';
import { runsAtWork } from './runs-at-work.ts';

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

export interface LeftQueues {
  /** Whose queues were removed. */
  readonly investigations: number;
  /** The first names, for people. */
  readonly first: readonly string[];
}

const NAMES_SHOWN = 5;
const FOUR_DAYS = 4 * 86_400;

type Ports = Pick<ActivityPorts, 'analysis' | 'queues' | 'threads' | 'settings'>;

export function createInvestigationActivities(ports: Ports) {
  const { analysis, queues, settings } = ports;
  return {
    /**
     * Idempotent: queues that exist are used. Their messages can never meet those of production, nor those of another run of
     * the same name.
     * @param input runs of earlier releases do not give their id
     * @throws ApplicationFailure InvalidInput
     */
    async createInvestigationQueues(input: {
      readonly name: string;
      readonly runId?: string;
    }): Promise<InvestigationQueues> {
      const { name } = input;
      const pair = investigationQueues(settings.taskQueue, name);
      if ([settings.taskQueue, settings.doneQueue].some((queue) => [pair.taskQueue, pair.doneQueue].includes(queue)))
        throw failure('InvalidInput', `The investigation ${name} would use a production queue; choose another name`);
      const attributes = { delaySeconds: 0, retentionSeconds: FOUR_DAYS };
      const { taskVisibilitySeconds, doneVisibilitySeconds } = settings;
      const signal = cancellationSignal();
      if (input.runId !== undefined) await claim(analysis, name, input.runId, signal);
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

    /**
     * Removes the queues of investigations whose run has ended without doing it, because somebody terminated it. Those of a
     * run that is at work, has just begun, or is not known stay.
     */
    async removeLeftInvestigationQueues(): Promise<LeftQueues> {
      const signal = cancellationSignal();
      const removed = { names: [] as string[] };
      return heartbeating(
        () => ({ removed: removed.names.length }),
        async () => {
          for (const name of await investigationsWithQueues(ports, signal))
            if (await removeLeft(ports, name, signal)) removed.names.push(name);
          if (removed.names.length > 0) log.info('queues of ended investigations removed', removed);
          return { investigations: removed.names.length, first: removed.names.slice(0, NAMES_SHOWN) };
        },
      );
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

async function investigationsWithQueues({ queues, settings }: Ports, signal: AbortSignal): Promise<string[]> {
  const { taskQueue } = settings;
  const open = await queues.names(investigationQueuePrefix(taskQueue), signal);
  return [...new Set(open.map((queue) => investigationOfQueue(taskQueue, queue)))].filter((name) => name !== undefined);
}

async function removeLeft({ analysis, queues, settings }: Ports, name: string, signal: AbortSignal): Promise<boolean> {
  const { taskQueue, doneQueue } = investigationQueues(settings.taskQueue, name);
  const remove = async (): Promise<void> => {
    for (const queue of [taskQueue, doneQueue]) await queues.remove(queue, signal);
  };
  return removingLeftInvestigation(analysis, name, isAtWork, remove, signal);
}

async function isAtWork(owner: string): Promise<boolean> {
  return (await runsAtWork()).has(owner);
}

async function claim(analysis: ObjectStore, name: string, runId: string, signal: AbortSignal): Promise<void> {
  const owner = await claimInvestigation(analysis, name, runId, isAtWork, signal);
  if (owner === undefined) return;
  throw failure(
    'InvalidInput',
    `An investigation ${name} is at work already, as run ${owner}; wait for its end, or choose another name`,
  );
}

const KEYS_NAMED = 3;

/** A result without a submission would look like an answer. */
async function nothingFound(
  analysis: ObjectStore,
  name: string,
  { files, filesMissingKey }: Pick<RunContribution, 'files' | 'filesMissingKey'>,
  signal: AbortSignal,
): Promise<Error> {
  if (files.missing === 0)
    return failure(
      'NothingFound',
      `The investigation ${name} has no result: no file of the input bucket matches its filter`,
    );
  const named: string[] = [];
  for await (const line of linesOf(analysis, filesMissingKey, signal)) {
    named.push(plainLine(line.replace('\t', ': '), MAX_LINE));
    if (named.length === KEYS_NAMED) break;
  }
  const more = files.missing > named.length ? `; and ${files.missing - named.length} more` : '';
  return failure(
    'NothingFound',
    `The investigation ${name} has no result: none of its ${files.missing} input files could be read (${named.join('; ')}${more})`,
  );
}

const MAX_LINE = 300;

async function collect(
  { analysis, threads, settings }: Ports,
  { run, name, tasks, chunks }: CollectInput,
  signal: AbortSignal,
): Promise<InvestigationSummary> {
  return inWorkFolder(settings.workDirectory, async (folder) => {
    const totals = await totalsOf({ analysis, threads }, run, chunks, folder, signal);
    const { filesProcessedKey, filesMissingKey, channelVersions: _, parts: chunkParts, ...counts } = totals;
    if (totals.files.processed === 0) throw await nothingFound(analysis, name, totals, signal);
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
