/**
 * The files that repeat the ledger for readers of the old space: written by every publish, compared and repaired by
 * `check` (docs/protocol.md C9).
 */
import { join } from 'node:path';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import {
  readStatusDocument,
  statusDocument,
  type WrittenList,
  type WrittenLists,
} from '../pipeline/dataset/status-document.ts';
import { publishedNames } from './keys.ts';
import type { ObjectStore } from '../ports.ts';
import type { ThreadPool } from '../threads/pool.ts';
import { inWorkFolder } from '../work-folder.ts';
import { getIfPresent } from './documents.ts';
import { localFileLists } from './file-lists.ts';
import { type DataSetStores, type Pointer, readPointer } from './pointer.ts';

const LIST_HEADERS = { contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' } as const;
const STATUS_HEADERS = { contentType: 'application/json', cacheControl: 'no-cache' } as const;

export interface ProjectionPorts extends DataSetStores {
  readonly threads: Pick<ThreadPool, 'projectFileLists'>;
}

/**
 * Rewrites FILES_PROCESSED, FILES_MISSING and status.json from the current ledger; once more when a commit came meanwhile.
 * @param workDirectory where the lists are put together before they are sent
 * @returns the pointer that the files show
 */
export async function writeProjections(
  ports: ProjectionPorts,
  workDirectory: string,
  signal: AbortSignal,
): Promise<Pointer> {
  const { published, publishedPrefix } = ports;
  for (;;) {
    const pointer = await readPointer(ports, signal);
    const { versions, ledger, etag } = pointer;
    const lists = await inWorkFolder(workDirectory, (folder) => writeLists(ports, ledger, folder, signal));
    const status = Buffer.from(statusDocument(versions, ledger, lists));
    await published.put(publishedPrefix + publishedNames.status, status, STATUS_HEADERS, signal);
    if ((await readPointer(ports, signal)).etag === etag) return pointer;
  }
}

async function writeLists(
  { analysis, published, publishedPrefix, threads }: ProjectionPorts,
  { entries }: Ledger,
  folder: string,
  signal: AbortSignal,
): Promise<WrittenLists> {
  const local = localFileLists(analysis, folder, 'list', signal);
  const pathsOf = (which: 'processed' | 'missing'): Promise<string[]> =>
    local.paths([...entries.values()].flatMap(({ fileLists }) => fileLists[which] ?? []));
  const [processed, missing] = [await pathsOf('processed'), await pathsOf('missing')];
  const { filesProcessed, filesMissing } = publishedNames;
  const output = { processed: join(folder, filesProcessed), missing: join(folder, filesMissing) };
  const bytes = await local.reading(() => threads.projectFileLists({ processed, missing, output }, signal));
  const put = async (name: string, path: string, size: number): Promise<WrittenList> => {
    const { etag } = await published.put(publishedPrefix + name, { path, size }, LIST_HEADERS, signal);
    return { bytes: size, etag };
  };
  return {
    FILES_PROCESSED: await put(filesProcessed, output.processed, bytes.processed),
    FILES_MISSING: await put(filesMissing, output.missing, bytes.missing),
  };
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
