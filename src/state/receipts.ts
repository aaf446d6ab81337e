/**
 * Receipts: of the tasks of a run, and of results that other launchers asked for. One create-once object per task and
 * outcome.
 */
import { pMapIterable } from 'p-map';
import { DrainProgress } from '../pipeline/done-queue/chunk.ts';
import { type ForeignReceipt, parseForeignReceipt } from '../pipeline/done-queue/foreign-result.ts';
import { type Outcome, parseReceipt, type Receipt } from '../pipeline/done-queue/receipt.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, createDocument, readDocument, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';

const RECEIPT: Codec<Receipt> = { what: 'the receipt of a task', parse: parseReceipt };
const FOREIGN: Codec<ForeignReceipt> = { what: 'the receipt of a foreign result', parse: parseForeignReceipt };

export async function createReceipt(
  store: ObjectStore,
  run: RunRef,
  number: number,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  return createDocument(store, stateKeys.receipt(run, number, receipt.outcome), RECEIPT, receipt, signal);
}

/**
 * The receipt that counts for a task: done before failed; undefined when there is none.
 * @throws ApplicationFailure StateDamaged
 */
export async function readReceipt(
  store: ObjectStore,
  run: RunRef,
  number: number,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  const read = (outcome: Outcome): Promise<Receipt | undefined> =>
    readDocumentIfPresent(store, stateKeys.receipt(run, number, outcome), RECEIPT, signal);
  return (await read('done')) ?? (await read('failed'));
}

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

/**
 * Adds every receipt that exists now.
 * @returns when the newest one was stored; null for none
 */
export async function noteReceipts(
  store: ObjectStore,
  run: RunRef,
  progress: DrainProgress,
  signal: AbortSignal,
): Promise<Date | null> {
  const prefix = stateKeys.receipts(run);
  let newest: Date | null = null;
  for await (const { key, lastModified } of store.objects(prefix, signal)) {
    const name = parseReceiptName(key.slice(prefix.length));
    if (name === undefined) continue;
    progress.note(name.number, name.outcome);
    if (newest === null || lastModified > newest) newest = lastModified;
  }
  return newest;
}

/** Task number and outcome of a name below the run's receipts; undefined for a name that is no receipt's. */
export function parseReceiptName(name: string): { number: number; outcome: Outcome } | undefined {
  const match = /^([1-9][0-9]{0,5})\.(done|failed)$/.exec(name);
  return match === null ? undefined : { number: Number(match[1]), outcome: match[2] as Outcome };
}

const RECEIPTS_AT_ONCE = 16;

/** Keys of the input files of a run that could be read in part only: one list for each task, in the store's order. */
export async function* partialFiles(store: ObjectStore, run: RunRef, signal: AbortSignal): AsyncGenerator<string> {
  const lists = pMapIterable(
    store.objects(stateKeys.receipts(run), signal),
    async ({ key }) => {
      const name = parseReceiptName(key.slice(stateKeys.receipts(run).length));
      if (name?.outcome !== 'done') return [];
      return (await readDocument(store, key, RECEIPT, signal)).filesPartial;
    },
    { concurrency: RECEIPTS_AT_ONCE },
  );
  for await (const keys of lists) yield* keys;
}

export async function createForeignReceipt(
  store: ObjectStore,
  receipt: ForeignReceipt,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  return createDocument(store, stateKeys.foreignReceipt(receipt.id, receipt.outcome), FOREIGN, receipt, signal);
}

/** @throws ApplicationFailure StateDamaged */
export async function readForeignReceipt(
  store: ObjectStore,
  taskId: string,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<ForeignReceipt> {
  return readDocument(store, stateKeys.foreignReceipt(taskId, outcome), FOREIGN, signal);
}

export async function hasForeignReceipt(
  store: ObjectStore,
  taskId: string,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<boolean> {
  return (await store.head(stateKeys.foreignReceipt(taskId, outcome), signal)) !== undefined;
}
