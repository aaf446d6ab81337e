/** Which results of other launchers wait for a round: one empty object each, beside their receipts. */
import type { Outcome } from '../pipeline/done-queue/receipt.ts';
import { isTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore } from '../ports.ts';
import { stateKeys } from './keys.ts';

export interface WaitingResult {
  readonly taskId: string;
  readonly outcome: Outcome;
}

/** The receipt is stored before: a round that met a result without one would fail. */
export async function letWait(
  store: ObjectStore,
  { taskId, outcome }: WaitingResult,
  signal: AbortSignal,
): Promise<void> {
  await store.createOnce(stateKeys.waiting(taskId, outcome), Buffer.from(''), {}, signal);
}

/** These no longer wait: their round is in the data set, or they are in quarantine. */
export async function letGo(store: ObjectStore, results: readonly WaitingResult[], signal: AbortSignal): Promise<void> {
  await store.delete(
    results.map(({ taskId, outcome }) => stateKeys.waiting(taskId, outcome)),
    signal,
  );
}

/** All that wait, the oldest first. */
export async function listWaiting(store: ObjectStore, signal: AbortSignal): Promise<WaitingResult[]> {
  const waiting: (WaitingResult & { since: number })[] = [];
  for await (const { key, lastModified } of store.objects(stateKeys.allWaiting, signal)) {
    const name = parseWaitingName(key.slice(stateKeys.allWaiting.length));
    if (name !== undefined) waiting.push({ ...name, since: lastModified.getTime() });
  }
  return waiting.sort((a, b) => a.since - b.since || (a.taskId < b.taskId ? -1 : 1));
}

/** Task id and outcome of a name below the waiting prefix; undefined for any other name. */
function parseWaitingName(name: string): WaitingResult | undefined {
  const match = /^(.+)\.(done|failed)$/.exec(name);
  if (match === null || !isTaskId(match[1])) return undefined;
  return { taskId: match[1], outcome: match[2] as Outcome };
}
