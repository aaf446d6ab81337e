/** Which quarantined things can go back to where they came from, and what to do about the others. */
import { resultKey } from '../done-queue/done-message.ts';
import { isTaskId, splitTaskId } from '../task-queue/message-body.ts';
import type { QuarantineEntry } from './entry.ts';

export type ReleaseStep =
  /** The message body goes to the done queue again; a drain judges it again. */
  | { readonly kind: 'send'; readonly body: string }
  /** A result of another launcher waits again; the next round judges it again. */
  | { readonly kind: 'wait'; readonly taskId: string }
  /** A run's result: only an analysis of its day anew can bring it. */
  | { readonly kind: 'analyse'; readonly taskId: string; readonly runId: string }
  | { readonly kind: 'refuse'; readonly why: string };

export function releaseStep({ what, reason, content }: QuarantineEntry): ReleaseStep {
  if (what === 'done_message') return { kind: 'send', body: content };
  if (what === 'adopted_measure') {
    return {
      kind: 'refuse',
      why: 'was left out of the adopted history, which is fixed with its commit; the next snapshot of its channel/version goes without it',
    };
  }
  if (what !== 'result') return { kind: 'refuse', why: `is of a kind that this version does not know: ${what}` };
  const taskId = taskOfResult(content);
  if (taskId === undefined) return { kind: 'refuse', why: `names no result of a task: ${content}` };
  if (reason === 'duplicate_input') return { kind: 'wait', taskId };
  return { kind: 'analyse', taskId, runId: splitTaskId(taskId).runId };
}

const RUN_OF_A_DAY = /^state\/runs\/(\d{8})\//;

/** The day of a daily run, from the prefix of its state; undefined for other runs. */
export function dayOfRun(prefix: string): string | undefined {
  return RUN_OF_A_DAY.exec(prefix)?.[1];
}

/** The task whose result.txt lies there (`s3://bucket/output/<task id>/result.txt`). */
function taskOfResult(content: string): string | undefined {
  const taskId = /^s3:\/\/[^/]+\/output\/(.+)\/result\.txt$/.exec(content)?.[1];
  return isTaskId(taskId) && content.endsWith(`/${resultKey(taskId)}`) ? taskId : undefined;
}
