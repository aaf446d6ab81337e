/** A run that the ledger counts, and what is left of it in its state; found by one listing. */
import type { LedgerEntry } from '../pipeline/dataset/ledger.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import { parseChunkName } from '../state/chunks.ts';
import { runOfEntry, stateKeys } from '../state/keys.ts';
import { parseReceiptName } from '../state/receipts.ts';
import { runAgain, sentence } from './remedies.ts';
import type { Walk } from './walk.ts';

export interface LedgerRun {
  /** Day, or name of the round. */
  readonly name: string;
  readonly entry: LedgerEntry;
  readonly ref: RunRef;
  readonly chunks: readonly ChunkRef[];
  /** Keys. */
  readonly parts: readonly string[];
  /** Numbers of tasks. */
  readonly receipts: { readonly done: ReadonlySet<number>; readonly failed: ReadonlySet<number> };
  /** What to do when something of it is wrong. */
  readonly remedy: string;
}

export async function ledgerRun(walk: Walk, name: string, entry: LedgerEntry): Promise<LedgerRun> {
  const ref = runOfEntry(name, entry.runId);
  const [chunkPrefix, receiptPrefix] = [stateKeys.chunks(ref), stateKeys.receipts(ref)];
  const chunks: ChunkRef[] = [];
  const parts: string[] = [];
  const receipts = { done: new Set<number>(), failed: new Set<number>() };
  for await (const { key } of walk.ports.analysis.objects(ref.prefix, walk.signal)) {
    const chunk = key.startsWith(chunkPrefix) ? parseChunkName(key.slice(chunkPrefix.length)) : undefined;
    const receipt = key.startsWith(receiptPrefix) ? parseReceiptName(key.slice(receiptPrefix.length)) : undefined;
    if (chunk !== undefined) chunks.push(chunk);
    else if (key.startsWith(chunkPrefix)) parts.push(key);
    else if (receipt !== undefined) receipts[receipt.outcome].add(receipt.number);
  }
  return { name, entry, ref, chunks, parts, receipts, remedy: sentence(runAgain(name)) };
}
