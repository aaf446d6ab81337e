/** Which quarantined things can go back to where they came from, and what to do with the others. Pure. */
import type { QuarantineEntry } from '../pipeline/quarantine/entry.ts';
import { splitTaskId } from '../pipeline/task-queue/message-body.ts';
import { taskOfResult } from './keys.ts';

export type ReleaseStep =
  /** The message body goes to the done queue again; a drain judges it again. */
  | { readonly kind: 'send'; readonly body: string }
  /** A result of another launcher waits again; the next round judges it again. */
  | { readonly kind: 'wait'; readonly taskId: string }
  /** A run's result: only another analysis of its day can bring it. */
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
