/** The lists of input files of a run: sorted, one key a line; a missing one is followed by a tab and the reason. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { textLines } from '../threads/lines.ts';
import { addressOf, damaged, isDamage, readObject } from './documents.ts';
import { stateKeys } from './keys.ts';

const WHAT = 'a list of input files';

/** Stores a list under the hash of its content. @returns its key */
export async function createFileList(
  store: ObjectStore,
  run: RunRef,
  which: 'processed' | 'missing',
  lines: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const sorted = lines.toSorted();
  const text = Buffer.from(sorted.map((line) => `${line}\n`).join(''));
  const key = stateKeys.files(run, which, createHash('sha256').update(text).digest('hex'));
  await store.createOnce(key, gzipSync(text), { contentType: 'application/gzip' }, signal);
  return key;
}

/**
 * Input keys of a list, ascending; the reason behind a missing one stays in the state.
 * @throws ApplicationFailure StateDamaged, also while the list is read
 */
export async function* keysOf(store: ObjectStore, listKey: string, signal: AbortSignal): AsyncGenerator<string> {
  const { body } = await readObject(store, listKey, WHAT, signal);
  try {
    for await (const line of textLines(Readable.from([body]).pipe(createGunzip())))
      if (line !== '') yield line.split('\t', 1)[0] ?? line;
  } catch (error) {
    throw isDamage(error) ? damaged(addressOf(store, listKey), WHAT, error) : error;
  }
}
