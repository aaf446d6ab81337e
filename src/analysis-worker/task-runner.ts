/**
 * One analysis task, from message to result: the spot worker's protocol with the duties of docs/formats/queues.md 2.7.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pMap from 'p-map';
import { hashOfFile } from '../file-hash.ts';
import type { Logger } from '../observability.ts';
import {
  encodeDoneMessage,
  type FailedFile,
  NO_REPORT,
  type TaskReport,
  RESULT_NAME,
} from '../pipeline/done-queue/done-message.ts';
import type { SubmissionRules } from '../pipeline/submissions/aggregator.ts';
import { decodeTaskMessage, type TaskMessage } from '../pipeline/task-queue/task-message.ts';
import { type MessageQueues, ObjectMissingError, type ObjectStore } from '../ports.ts';
import { stateKeys } from '../state/keys.ts';
import type { AggregateSubmissionsInput, SubmissionFile } from '../threads/aggregate-submissions.ts';
import type { ThreadPool } from '../threads/pool.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { Presence } from './presence.ts';
import { runProcessor } from './processor.ts';

export interface TaskRunnerPorts {
  readonly input: ObjectStore;
  readonly analysis: ObjectStore;
  readonly queues: MessageQueues;
  readonly threads: Pick<ThreadPool, 'aggregateSubmissions'>;
  readonly logger: Logger;
  readonly presence: Pick<Presence, 'during'>;
  readonly settings: {
    readonly rules: SubmissionRules;
    readonly limits: AggregateSubmissionsInput['limits'];
    readonly workDirectory: string;
    /** External processor to run instead of the built-in aggregation. */
    readonly processor: string | undefined;
    /** Which done queues a task may name; a message must not make a worker write elsewhere. */
    readonly mayReportTo: (queue: string) => boolean;
  };
}

/** A task received this often is given up: it never succeeded, and may be what kills workers. */
const GIVE_UP_AT_RECEIVE = 5;
const DOWNLOADS_AT_ONCE = 6;

/**
 * Runs one task. Resolves when its done message is sent, so that the task message may be deleted.
 * @param signal ends it, for another worker to begin it again
 * @throws whatever should let the task be tried again
 */
export async function runTask(
  body: string,
  receiveCount: number,
  ports: TaskRunnerPorts,
  signal?: AbortSignal,
): Promise<void> {
  const task = decodeTaskMessage(body);
  await ports.presence.during(task.id, () => runDecoded(task, receiveCount, ports, signal));
}

async function runDecoded(
  task: TaskMessage,
  receiveCount: number,
  ports: TaskRunnerPorts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const logger = ports.logger.child({ taskId: task.id });
  if (!ports.settings.mayReportTo(task.targetQueue)) {
    throw new Error(`Task ${task.id} names the done queue ${task.targetQueue}, which this worker may not report to`);
  }
  if (receiveCount >= GIVE_UP_AT_RECEIVE) {
    logger.error({ receiveCount }, 'analysis task given up');
    await report(task, { aborted: true, report: NO_REPORT }, ports);
    return;
  }
  const startedAt = performance.now();
  const outcome = await inWorkFolder(ports.settings.workDirectory, (folder) => analyse(task, folder, ports, signal));
  await report(task, outcome, ports);
  const { records, filesFailed } = outcome.report;
  logger.info(
    {
      files: task.files.length,
      records,
      filesFailed: filesFailed.length,
      aborted: outcome.aborted,
      durationMs: Math.round(performance.now() - startedAt),
    },
    'analysis task ended',
  );
}

interface Outcome {
  readonly aborted: boolean;
  readonly report: TaskReport;
}

async function analyse(
  task: TaskMessage,
  folder: string,
  ports: TaskRunnerPorts,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const { files, missing } = await download(task, folder, ports.input, signal);
  const output = join(folder, 'output');
  await mkdir(output);
  const { rules, limits, processor } = ports.settings;
  let taskReport: TaskReport;
  if (processor === undefined) {
    const { filesFailed, filesPartial, records, skipped, badHistograms } = await ports.threads.aggregateSubmissions(
      { files, output: join(output, RESULT_NAME), folder, rules, limits },
      signal,
    );
    taskReport = { filesFailed: [...missing, ...filesFailed], filesPartial, records, skipped, badHistograms };
  } else {
    await runProcessor(processor, files, output, ports.logger, signal);
    taskReport = { ...NO_REPORT, filesFailed: missing };
  }
  // From here on it is soon done: the result is stored and reported even if the worker is told to end.
  signal?.throwIfAborted();
  const isStored = await upload(output, task, ports.analysis);
  // Whoever made the stored result reports it; without their message the task counts as failed. Never with our counts.
  if (!isStored) ports.logger.error({ taskId: task.id }, 'another attempt has stored another result');
  return { aborted: !isStored, report: taskReport };
}

async function download(
  task: TaskMessage,
  folder: string,
  input: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<{ files: SubmissionFile[]; missing: FailedFile[] }> {
  const missing: FailedFile[] = [];
  const found = await pMap(
    task.files,
    async (key, index) => {
      const path = join(folder, `input-${index}`);
      try {
        await input.getToFile(key, path, signal === undefined ? {} : { signal });
        return { key, path };
      } catch (error) {
        if (!(error instanceof ObjectMissingError)) throw error;
        missing.push({ key, reason: 'not_found' });
        return undefined;
      }
    },
    { concurrency: DOWNLOADS_AT_ONCE },
  );
  return { files: found.filter((file) => file !== undefined), missing };
}

/**
 * Stores everything in the folder, each file once: an earlier attempt of the task may have stored it, and its result
 * may be counted already.
 * @returns whether the stored result is this one
 */
async function upload(output: string, task: TaskMessage, analysis: ObjectStore): Promise<boolean> {
  const entries = await readdir(output, { recursive: true, withFileTypes: true });
  let isStored = true;
  for (const entry of entries.filter((file) => file.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const key = `${stateKeys.output(task.id)}${relative(output, path)}`;
    const { size } = await stat(path);
    const outcome = await analysis.createOnce(key, { path, size }, { contentType: 'text/plain; charset=utf-8' });
    if (outcome === 'exists' && key === stateKeys.result(task.id))
      isStored = await isSame(analysis, key, { path, size }, `${output}-stored`);
  }
  return isStored;
}

async function isSame(
  store: ObjectStore,
  key: string,
  own: { readonly path: string; readonly size: number },
  path: string,
): Promise<boolean> {
  const stored = await store.head(key);
  if (stored?.size !== own.size) return false;
  await store.getToFile(key, path, { ifMatch: stored.etag });
  return (await hashOfFile(path)) === (await hashOfFile(own.path));
}

async function report(task: TaskMessage, outcome: Outcome, { queues }: TaskRunnerPorts): Promise<void> {
  const refused = await queues.send(task.targetQueue, [encodeDoneMessage(task, outcome, stateKeys.output)]);
  if (refused.length > 0) throw new Error(`SQS refused the done message of ${task.id} for ${task.targetQueue}`);
}
