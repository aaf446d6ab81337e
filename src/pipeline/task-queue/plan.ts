/**
 * The plan of a run: what was asked, what was found, and every analysis task. It is the truth about which tasks exist;
 * completion is judged against it, never by an empty queue.
 *
 * Stored as gzipped lines: the head, then one task a line in task order.
 */
import { type Filter, parseFilter } from '../filter/filter.ts';
import type { SkipCounts } from '../input-bucket/walk.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';
import { isTaskId, stringList } from './message-body.ts';
import type { AnalysisTask, PackLimits } from './pack.ts';
import type { JobHeader } from './task-message.ts';

export interface PlanHead {
  readonly runId: string;
  /** `YYYYMMDD`; null for an investigation of a key list. */
  readonly day: string | null;
  readonly filter: Filter | null;
  readonly job: JobHeader;
  readonly limits: PackLimits;
  readonly files: number;
  readonly tasks: number;
  /** Sum of the file sizes. */
  readonly bytes: number;
  readonly skipped: SkipCounts;
  /** Keys of a key list that do not exist in the input bucket. */
  readonly missingKeys: readonly string[];
}

export interface PlanContent {
  readonly head: PlanHead;
  /** In task order. */
  readonly tasks: AsyncGenerator<AnalysisTask>;
}

/**
 * Reads a plan while its lines come.
 * @throws InvalidDataError `bad_plan`, also while the tasks are read
 */
export async function readPlan(lines: AsyncGenerator<string>): Promise<PlanContent> {
  const first = await lines.next();
  if (first.done === true) throw new InvalidDataError('bad_plan', 'it is empty');
  const head = parsePlanHead(first.value);
  async function* tasks(): AsyncGenerator<AnalysisTask> {
    let number = 0;
    for await (const line of lines) {
      number += 1;
      yield parsePlanLine(line);
    }
    if (number !== head.tasks)
      throw new InvalidDataError('bad_plan', `it has ${number} tasks, its head says ${head.tasks}`);
  }
  return { head, tasks: tasks() };
}

export function planLine(task: AnalysisTask): string {
  return JSON.stringify({ id: task.id, files: task.files, size: task.size });
}

/** @throws InvalidDataError `bad_plan` */
export function parsePlanHead(line: string): PlanHead {
  const root = StoredJson.document(line, 'bad_plan', 'head line of the plan');
  const [job, limits] = [root.member('job'), root.member('limits')];
  return {
    runId: root.member('runId').text(),
    day: root.member('day').nullOr((day) => day.text(/^\d{8}$/)),
    filter: root.member('filter').nullOr((filter) => parseFilter(filter.value)),
    job: {
      name: job.member('name').text(),
      owner: job.member('owner').anyText(),
      code: job.member('code').anyText(),
      targetQueue: job.member('targetQueue').text(),
    },
    limits: {
      maxFiles: limits.member('maxFiles').count(),
      maxBytes: limits.member('maxBytes').count(),
      maxMessageBytes: limits.member('maxMessageBytes').count(),
    },
    files: root.member('files').count(),
    tasks: root.member('tasks').count(),
    bytes: root.member('bytes').count(),
    skipped: root.member('skipped').counts(),
    missingKeys: root.member('missingKeys').list((key) => key.text()),
  };
}

/** @throws InvalidDataError `bad_plan` */
export function parsePlanLine(line: string): AnalysisTask {
  const root = StoredJson.parse(line, 'bad_plan', 'task line of the plan');
  const id = root.member('id').textThat(isTaskId, 'a task id');
  const files = stringList(root.member('files').value);
  return { id, files: files ?? root.member('files').fail('a list of input keys'), size: root.member('size').count() };
}
