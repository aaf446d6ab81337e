/** The lists of input files of a run: sorted, one key a line; a missing one is followed by a tab and the reason. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { isContentError } from '../threads/content-error.ts';
import { type FileListInfo, keyOfLine } from '../threads/file-list.ts';
import { textLines } from '../threads/lines.ts';
import { addressOf, damaged, readObject } from './documents.ts';
import { stateKeys } from './keys.ts';
import { LocalObjects } from './local-objects.ts';

const WHAT = 'a list of input files';

/** Stores a list that a thread has written. @returns its key */
export async function createFileList(
  store: ObjectStore,
  run: RunRef,
  which: 'processed' | 'missing',
  { path, sha256, storedBytes }: FileListInfo,
  signal: AbortSignal,
): Promise<string> {
  const key = stateKeys.files(run, which, sha256);
  await store.createOnce(key, { path, size: storedBytes }, { contentType: 'application/gzip' }, signal);
  return key;
}

/** Lists as local files, for a thread. @param name of the files */
export function localFileLists(store: ObjectStore, folder: string, name: string, signal: AbortSignal): LocalObjects {
  return new LocalObjects(store, folder, { what: WHAT, name }, signal);
}

/**
 * Input keys of a list, ascending; the reason behind a missing one stays in the state.
 * @throws ApplicationFailure StateDamaged, also while the list is read
 */
export async function* keysOf(store: ObjectStore, listKey: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const line of linesOf(store, listKey, signal)) yield keyOfLine(line);
}

/** The lines of a list: a key, and behind that of a missing file a TAB and the reason. The same errors. */
export async function* linesOf(store: ObjectStore, listKey: string, signal: AbortSignal): AsyncGenerator<string> {
  const { body } = await readObject(store, listKey, WHAT, signal);
  try {
    for await (const line of textLines(Readable.from([body]).pipe(createGunzip()))) if (line !== '') yield line;
  } catch (error) {
    throw isContentError(error) ? damaged(addressOf(store, listKey), WHAT, error) : error;
  }
}
