/**
 * The messages of the task queue: base64 of JSON, seven fields, as the launcher sent and spot workers read them
 * (docs/formats/queues.md 2.2, 2.4).
 */
import { bodyJson, decodeBody, encodeBody, isTaskId, stringList } from './message-body.ts';
import type { AnalysisTask } from './pack.ts';
import { InvalidDataError } from '../invalid-data.ts';

export interface JobHeader {
  /** Free job name, such as `dashboard-20131029`. */
  readonly name: string;
  /** E-mail address of whoever answers for the job. */
  readonly owner: string;
  /** Key of the job bundle in the analysis bucket; spot workers unpack it, our own worker has its processor built in. */
  readonly code: string;
  /** Name of the done queue that the worker reports to. */
  readonly targetQueue: string;
}

export interface TaskMessage extends AnalysisTask, JobHeader {}

/** The message body of a task. */
export function encodeTaskMessage(task: AnalysisTask, job: JobHeader): string {
  return encodeBody({ ...taskFields(task, job) });
}

/**
 * Bytes of the encoded message of a task of this run whose file list takes so many bytes as JSON (texts and separators, no
 * brackets). Asked for each file of a plan.
 */
export function taskMessageBytes(runId: string, job: JobHeader): (filesJsonBytes: number) => number {
  const frame = bodyJson(taskFields({ id: `${runId}/999999`, files: [], size: Number.MAX_SAFE_INTEGER }, job)).length;
  return (filesJsonBytes) => 4 * Math.ceil((frame + filesJsonBytes) / 3);
}

/** @throws InvalidDataError `not_base64`, `bad_json` or `bad_message` */
export function decodeTaskMessage(body: string): TaskMessage {
  const { fields } = decodeBody(body);
  const { id, name, owner, code, size } = fields;
  const files = stringList(fields['files']);
  const targetQueue = fields['target-queue'];
  if (!isTaskId(id) || files === undefined)
    throw badMessage('"id" must be <run id>/<number> and "files" a list of texts');
  if (typeof targetQueue !== 'string' || !/^[A-Za-z0-9_-]{1,80}$/.test(targetQueue))
    throw badMessage('"target-queue" must name a queue');
  return {
    id,
    files,
    size: typeof size === 'number' && Number.isSafeInteger(size) ? size : 0,
    name: typeof name === 'string' ? name : '',
    owner: typeof owner === 'string' ? owner : '',
    code: typeof code === 'string' ? code : '',
    targetQueue,
  };
}

/** The seven fields as they are written; the done message repeats them (docs/formats/queues.md 2.3). */
export function taskFields(task: AnalysisTask, job: JobHeader): Record<string, unknown> {
  return {
    id: task.id,
    name: job.name,
    owner: job.owner,
    code: job.code,
    'target-queue': job.targetQueue,
    files: task.files,
    size: task.size,
  };
}

function badMessage(message: string): InvalidDataError {
  return new InvalidDataError('bad_message', `Task message: ${message}`);
}
