/**
 * The files that repeat the ledger for readers of the old space: written by every publish, compared and repaired by
 * `check` (docs/protocol.md C9).
 */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import {
  readStatusDocument,
  statusDocument,
  type WrittenList,
  type WrittenLists,
} from '../pipeline/dataset/status-document.ts';
import { publishedNames } from './keys.ts';
import type { ObjectStore } from '../ports.ts';
import { inWorkFolder } from '../work-folder.ts';
import { getIfPresent } from './documents.ts';
import { keysOf } from './file-lists.ts';
import { type DataSetStores, type Pointer, readPointer } from './pointer.ts';

const LIST_HEADERS = { contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' } as const;
const STATUS_HEADERS = { contentType: 'application/json', cacheControl: 'no-cache' } as const;

/**
 * Rewrites FILES_PROCESSED, FILES_MISSING and status.json from the current ledger; once more when a commit came meanwhile.
 * @param workDirectory where the lists are put together before they are sent
 * @returns the pointer that the files show
 */
export async function writeProjections(
  stores: DataSetStores,
  workDirectory: string,
  signal: AbortSignal,
): Promise<Pointer> {
  const { analysis, published, publishedPrefix } = stores;
  for (;;) {
    const pointer = await readPointer(stores, signal);
    const { versions, ledger, etag } = pointer;
    const listsOf = (which: 'processed' | 'missing'): AsyncIterable<string>[] =>
      [...ledger.entries.values()].flatMap(({ fileLists }) => {
        const key = fileLists[which];
        return key === null ? [] : [keysOf(analysis, key, signal)];
      });
    const write = (name: string, keys: AsyncIterable<string>): Promise<WrittenList> =>
      inWorkFolder(workDirectory, (folder) =>
        writeList(published, publishedPrefix + name, keys, join(folder, name), signal),
      );
    const lists: WrittenLists = {
      FILES_PROCESSED: await write(publishedNames.filesProcessed, processedFiles(listsOf('processed'))),
      FILES_MISSING: await write(publishedNames.filesMissing, missingFiles(listsOf('processed'), listsOf('missing'))),
    };
    const status = Buffer.from(statusDocument(versions, ledger, lists));
    await published.put(publishedPrefix + publishedNames.status, status, STATUS_HEADERS, signal);
    if ((await readPointer(stores, signal)).etag === etag) return pointer;
  }
}

async function writeList(
  published: ObjectStore,
  key: string,
  keys: AsyncIterable<string>,
  path: string,
  signal: AbortSignal,
): Promise<WrittenList> {
  async function* lines(): AsyncGenerator<string> {
    for await (const inputKey of keys) yield `${inputKey}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(path), { signal });
  const { size: bytes } = await stat(path);
  const { etag } = await published.put(key, { path, size: bytes }, LIST_HEADERS, signal);
  return { bytes, etag };
}

export interface ProjectionLook {
  /** Names of files that do not say what the ledger says. */
  readonly differing: readonly string[];
  /** Whether they show an earlier commit, as they do while a run is writing them. */
  readonly behind: boolean;
}

/** Compares without reading the lists: status.json says how they were written, and must say what the ledger says. */
export async function lookAtProjections(
  { published, publishedPrefix }: DataSetStores,
  { versions, ledger }: Pointer,
  signal: AbortSignal,
): Promise<ProjectionLook> {
  const text = await textOrNull(published, publishedPrefix + publishedNames.status, signal);
  const { seq, lists } = text === null ? { seq: null, lists: null } : readStatusDocument(text);
  const behind = seq !== null && seq < versions.head.seq;
  const differing: string[] = [];
  for (const name of [publishedNames.filesProcessed, publishedNames.filesMissing]) {
    const found = await published.head(publishedPrefix + name, signal);
    const wanted = lists?.[name];
    if (found === undefined || found.size !== wanted?.bytes || found.etag !== wanted.etag) differing.push(name);
  }
  if (lists === null || text !== statusDocument(versions, ledger, lists)) differing.push(publishedNames.status);
  return { differing, behind };
}

async function textOrNull(store: ObjectStore, key: string, signal: AbortSignal): Promise<string | null> {
  return (await getIfPresent(store, key, signal))?.body.toString('utf8') ?? null;
}
