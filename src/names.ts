/** Names that workflows, clients and operators share: search attributes, queues. */
import { defineSearchAttributeKey } from '@temporalio/common';

export const analysisDayKey = defineSearchAttributeKey('AnalysisDay', 'KEYWORD');
export const analysisRunKey = defineSearchAttributeKey('AnalysisRun', 'KEYWORD');
/** Set by Temporal on runs that a schedule started. */
export const scheduledStartKey = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** Every search attribute that the namespace must know, by name. */
export const SEARCH_ATTRIBUTES = { AnalysisDay: 'Keyword', AnalysisRun: 'Keyword' } as const;

/** Name of the SQS queue that takes another one's dead letters. */
export function deadLetterQueue(queue: string): string {
  return `${queue}-dlq`;
}

/** Worker task queue of the alerts; all other work has another one. */
export function alertTaskQueue(workerTaskQueue: string): string {
  return `${workerTaskQueue}-alerts`;
}

/** Name of an investigation: becomes part of workflow id, queue names and keys. */
export const INVESTIGATION_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** The queue pair of an investigation, named after the production task queue, so that workers find it by prefix. */
export function investigationQueues(
  productionTaskQueue: string,
  name: string,
): { taskQueue: string; doneQueue: string } {
  const prefix = `${investigationQueuePrefix(productionTaskQueue)}${name}`;
  return { taskQueue: `${prefix}-tasks`, doneQueue: `${prefix}-done` };
}

/** The name of the investigation that a queue is of; undefined for any other queue. */
export function investigationOfQueue(productionTaskQueue: string, queue: string): string | undefined {
  const prefix = investigationQueuePrefix(productionTaskQueue);
  const [, name] = /^(.+)-(?:tasks|done)$/.exec(queue.startsWith(prefix) ? queue.slice(prefix.length) : '') ?? [];
  return name !== undefined && INVESTIGATION_NAME.test(name) ? name : undefined;
}

export function investigationQueuePrefix(productionTaskQueue: string): string {
  return `${productionTaskQueue.slice(0, 36)}-inv-`;
}

/**
 * Of a task queue, for workers that do not extend it. Ours ask for less at each receive
 * (`TELEMETRY_TASK_VISIBILITY_SECONDS`), and extend that.
 */
export const TASK_QUEUE_VISIBILITY_SECONDS = 30 * 60;
