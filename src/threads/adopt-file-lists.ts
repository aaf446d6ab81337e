/**
 * File job: the original's FILES_PROCESSED and FILES_MISSING, in append order and with repeats, → sorted lists in which every
 * key is once, and in only one of them. Sorted in blocks on disk: years of keys do not fit into memory.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { type FileListInfo, writeFileList } from './file-list.ts';
import { isGzipFile } from './gzip.ts';
import { LineBlocks } from './line-blocks.ts';
import { LineSplitter, textLines } from './lines.ts';

export interface AdoptFileListsInput {
  /** Local copies, plain or gzip; null for a list that is not there. */
  readonly processed: string | null;
  readonly missing: string | null;
  /** Existing folder for what is written. */
  readonly folder: string;
}

export interface AdoptedFileList extends FileListInfo {
  readonly keys: number;
  /** Lines that cannot be a key of an object store. */
  readonly badLines: number;
}

export interface AdoptFileListsResult {
  readonly processed: AdoptedFileList;
  readonly missing: AdoptedFileList;
}

/** S3's limit. */
const MAX_KEY_BYTES = 1024;
/** Characters that end a line or a column where these lists are read. */
const NO_KEY = /[\p{Cc}\u2028\u2029]/u;

export async function adoptFileLists(input: AdoptFileListsInput): Promise<AdoptFileListsResult> {
  const processed = await sortBlocks(input.processed, join(input.folder, 'processed'));
  const missing = await sortBlocks(input.missing, join(input.folder, 'missing'));
  const [done, doneAgain] = [await processed.blocks.blocks(), await processed.blocks.blocks()];
  return {
    processed: await writeList(join(input.folder, 'processed.gz'), processedFiles(done), processed.badLines),
    missing: await writeList(
      join(input.folder, 'missing.gz'),
      missingFiles(doneAgain, await missing.blocks.blocks()),
      missing.badLines,
    ),
  };
}

async function sortBlocks(list: string | null, prefix: string): Promise<{ blocks: LineBlocks; badLines: number }> {
  const blocks = new LineBlocks(prefix);
  let badLines = 0;
  const refuse = (): void => {
    badLines += 1;
  };
  for await (const line of list === null ? [] : linesOf(list, refuse)) {
    const key = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (key === '') continue;
    if (NO_KEY.test(key)) {
      refuse();
      continue;
    }
    const adding = blocks.add(key);
    if (adding !== undefined) await adding;
  }
  return { blocks, badLines };
}

async function* linesOf(path: string, onTooLong = (): void => undefined): AsyncGenerator<string> {
  const source = (await isGzipFile(path)) ? createGunzip() : new PassThrough();
  // An error of the file becomes one of `source`, where the loop over its blocks sees it.
  pipeline(createReadStream(path), source).catch(() => undefined);
  try {
    yield* textLines(source, new LineSplitter(MAX_KEY_BYTES + 1, onTooLong));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    throw new InvalidDataError('bad_gzip', `the list does not decompress: ${(error as Error).message}`);
  }
}

async function writeList(path: string, keys: AsyncIterable<string>, badLines: number): Promise<AdoptedFileList> {
  const { lines, ...list } = await writeFileList(path, keys);
  return { ...list, keys: lines, badLines };
}
