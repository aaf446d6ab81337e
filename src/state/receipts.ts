/** The receipts of a run, as the analysis bucket has them. */
import { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import { parseReceipt, parseReceiptName, type Receipt } from '../pipeline/done-queue/receipt.ts';
import { type RunRef, stateKeys } from './keys.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';

/** Which tasks have which receipt, by listing. */
export async function readProgress(
  store: ObjectStore,
  run: RunRef,
  tasks: number,
  chunkTasks: number,
  signal: AbortSignal,
): Promise<DrainProgress> {
  const progress = new DrainProgress(tasks, chunkTasks);
  await noteReceipts(store, run, progress, signal);
  return progress;
}

/** Adds every receipt that exists now. */
export async function noteReceipts(
  store: ObjectStore,
  run: RunRef,
  progress: DrainProgress,
  signal: AbortSignal,
): Promise<void> {
  const prefix = stateKeys.receipts(run);
  for await (const entry of store.list(prefix, undefined, signal)) {
    if (entry.kind !== 'object') continue;
    const name = parseReceiptName(entry.key.slice(prefix.length));
    if (name !== undefined) progress.note(name.number, name.outcome);
  }
}

/** The receipt that counts for a task: done before failed; undefined when there is none. */
export async function readReceipt(
  store: ObjectStore,
  run: RunRef,
  number: number,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  for (const outcome of ['done', 'failed'] as const) {
    try {
      const { body } = await store.get(stateKeys.receipt(run, number, outcome), { signal });
      return parseReceipt(body.toString('utf8'));
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
    }
  }
  return undefined;
}
