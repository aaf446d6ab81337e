/** A run that the ledger counts, and what is left of it in its state; found by one listing. */
import type { DayEntry } from '../pipeline/dataset/ledger.ts';
import { parseReceiptName } from '../pipeline/done-queue/receipt.ts';
import { type ChunkRef, type RunRef, runOfEntry, stateKeys } from '../state/keys.ts';
import { parseChunkName } from './rules/chunk-rules.ts';
import { runAgain, sentence } from './remedies.ts';
import type { Walk } from './walk.ts';

export interface LedgerRun {
  /** Day, or name of the round. */
  readonly name: string;
  readonly entry: DayEntry;
  readonly ref: RunRef;
  readonly chunks: readonly ChunkRef[];
  /** Keys. */
  readonly parts: readonly string[];
  /** Numbers of tasks. */
  readonly receipts: { readonly done: ReadonlySet<number>; readonly failed: ReadonlySet<number> };
  /** What to do when something of it is wrong. */
  readonly remedy: string;
}

export async function ledgerRun(walk: Walk, name: string, entry: DayEntry): Promise<LedgerRun> {
  const ref = runOfEntry(name, entry.runId);
  const [chunkPrefix, receiptPrefix] = [stateKeys.chunks(ref), stateKeys.receipts(ref)];
  const chunks: ChunkRef[] = [];
  const parts: string[] = [];
  const receipts = { done: new Set<number>(), failed: new Set<number>() };
  for await (const listed of walk.ports.analysis.list(ref.prefix, undefined, walk.signal)) {
    if (listed.kind !== 'object') continue;
    const { key } = listed;
    const chunk = key.startsWith(chunkPrefix) ? parseChunkName(key.slice(chunkPrefix.length)) : undefined;
    const receipt = key.startsWith(receiptPrefix) ? parseReceiptName(key.slice(receiptPrefix.length)) : undefined;
    if (chunk !== undefined) chunks.push(chunk);
    else if (key.startsWith(chunkPrefix)) parts.push(key);
    else if (receipt !== undefined) receipts[receipt.outcome].add(receipt.number);
  }
  return { name, entry, ref, chunks, parts, receipts, remedy: sentence(runAgain(name)) };
}
