/** Ledgers in the state: one immutable object for each commit, named by the hash of its text (docs/protocol.md C6). */
import { createHash } from 'node:crypto';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { parseLedger, serialiseLedger } from '../pipeline/dataset/ledger-document.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { ObjectStore } from '../ports.ts';
import { addressOf, type Codec, createDocument, inflatedText, readObject, undamaged } from './documents.ts';
import { stateKeys } from './keys.ts';

const LEDGER: Codec<Ledger> = {
  what: 'a ledger of the data set',
  parse: parseLedger,
  serialise: serialiseLedger,
  compressed: true,
};

/** @throws ApplicationFailure StateDamaged */
export async function readLedger(analysis: ObjectStore, key: string, signal: AbortSignal): Promise<Ledger> {
  const { body } = await readObject(analysis, key, LEDGER.what, signal);
  return undamaged(addressOf(analysis, key), LEDGER.what, () => {
    const text = inflatedText(body);
    if (hashedKey(text) !== key) throw new InvalidDataError('bad_ledger', 'its content is not what its name says');
    return parseLedger(text);
  });
}

/** Stores a ledger, once. @returns its key */
export async function createLedger(analysis: ObjectStore, ledger: Ledger, signal: AbortSignal): Promise<string> {
  const key = ledgerKey(ledger);
  await createDocument(analysis, key, LEDGER, ledger, signal);
  return key;
}

/** Where a ledger is, or would be, stored. */
export function ledgerKey(ledger: Ledger): string {
  return hashedKey(serialiseLedger(ledger));
}

function hashedKey(text: string): string {
  return stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
}

/** Every ledger that is stored, in the order of its key; the current one and all before it. */
export async function* storedLedgers(
  analysis: ObjectStore,
  signal: AbortSignal,
): AsyncGenerator<{ readonly key: string; readonly storedAt: Date }> {
  for await (const { key, lastModified } of analysis.objects(stateKeys.allLedgers, signal))
    yield { key, storedAt: lastModified };
}
