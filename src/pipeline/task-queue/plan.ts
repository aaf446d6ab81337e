/**
 * The plan of a run: what was asked, what was found, and every analysis task. It is the truth about which tasks exist;
 * completion is judged against it, never by an empty queue.
 *
 * Stored as gzipped lines: the head, then one task a line in task order.
 */
import { InvalidDataError } from '../invalid-data.ts';
import type { Filter } from '../filter/filter.ts';
import type { SkipCounts } from '../input-bucket/walk.ts';
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

export function planLine(task: AnalysisTask): string {
  return JSON.stringify({ id: task.id, files: task.files, size: task.size });
}

/** @throws InvalidDataError `bad_plan` */
export function parsePlanHead(line: string): PlanHead {
  const head = parseObject(line);
  const { runId, tasks, job } = head;
  if (typeof runId !== 'string' || typeof tasks !== 'number' || typeof job !== 'object' || job === null) {
    throw new InvalidDataError('bad_plan', 'The head line of the plan lacks runId, tasks or job');
  }
  return head as unknown as PlanHead;
}

/** @throws InvalidDataError `bad_plan` */
export function parsePlanLine(line: string): AnalysisTask {
  const { id, files, size } = parseObject(line);
  const keys = stringList(files);
  if (!isTaskId(id) || keys === undefined || typeof size !== 'number') {
    throw new InvalidDataError('bad_plan', `Not a task line of a plan: ${line.slice(0, 200)}`);
  }
  return { id, files: keys, size };
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through to the one error below.
  }
  throw new InvalidDataError('bad_plan', `Not a JSON object: ${line.slice(0, 200)}`);
}
