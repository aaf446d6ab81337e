/**
 * File job: the original's FILES_PROCESSED and FILES_MISSING, in append order and with repeats, → sorted lists in which every
 * key is once, and in only one of them. Sorted in blocks on disk: years of keys do not fit into memory.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { compareText } from '../pipeline/text-order.ts';
import { isGzipFile } from './gzip.ts';
import { writeLines } from './line-writer.ts';
import { LineSplitter, textLines } from './lines.ts';

export interface AdoptFileListsInput {
  /** Local copies, plain or gzip; null for a list that is not there. */
  readonly processed: string | null;
  readonly missing: string | null;
  /** Existing folder for what is written. */
  readonly folder: string;
}

export interface AdoptedFileList {
  /** Gzip, one key a line. */
  readonly path: string;
  /** Of the text. */
  readonly sha256: string;
  readonly storedBytes: number;
  readonly keys: number;
  /** Lines that cannot be a key of an object store. */
  readonly badLines: number;
}

export interface AdoptFileListsResult {
  readonly processed: AdoptedFileList;
  readonly missing: AdoptedFileList;
}

/** Characters that are sorted in memory at a time. */
const BLOCK_CHARACTERS = 32 << 20;
/** S3's limit. */
const MAX_KEY_BYTES = 1024;
/** Characters that end a line or a column where these lists are read. */
const NO_KEY = /[\p{Cc}\u2028\u2029]/u;

export async function adoptFileLists(input: AdoptFileListsInput): Promise<AdoptFileListsResult> {
  const processed = await sortBlocks(input.processed, join(input.folder, 'processed'));
  const missing = await sortBlocks(input.missing, join(input.folder, 'missing'));
  const done = processed.blocks.map((path) => linesOf(path));
  return {
    processed: await writeList(join(input.folder, 'processed.gz'), processedFiles(done), processed.badLines),
    missing: await writeList(
      join(input.folder, 'missing.gz'),
      missingFiles(
        processed.blocks.map((path) => linesOf(path)),
        missing.blocks.map((path) => linesOf(path)),
      ),
      missing.badLines,
    ),
  };
}

async function sortBlocks(list: string | null, prefix: string): Promise<{ blocks: string[]; badLines: number }> {
  const blocks: string[] = [];
  let keys: string[] = [];
  let characters = 0;
  let badLines = 0;
  const flush = async (): Promise<void> => {
    if (keys.length === 0) return;
    const path = `${prefix}-${blocks.length}`;
    await writeFile(path, keys.sort(compareText).join('\n'));
    blocks.push(path);
    keys = [];
    characters = 0;
  };
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
    keys.push(key);
    characters += key.length;
    if (characters >= BLOCK_CHARACTERS) await flush();
  }
  await flush();
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

async function writeList(path: string, list: AsyncIterable<string>, badLines: number): Promise<AdoptedFileList> {
  const hash = createHash('sha256');
  const { lines, storedBytes } = await writeLines(path, list, (key) => key, { hash, compress: createGzip() });
  return { path, sha256: hash.digest('hex'), storedBytes, keys: lines, badLines };
}
