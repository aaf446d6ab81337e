/** Lists of input files as the state keeps them: gzip, one line a file, sorted; their identity is the hash of the text. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { namingFile } from './content-error.ts';
import { writeLines } from './line-writer.ts';
import { textLines } from './lines.ts';

export interface FileListInfo {
  /** Local file. */
  readonly path: string;
  /** Of the text. */
  readonly sha256: string;
  readonly storedBytes: number;
}

/** @param texts lines without their last LF; equal ones may come as one text */
export async function writeFileList(
  path: string,
  texts: AsyncIterable<string>,
): Promise<FileListInfo & { readonly lines: number }> {
  const hash = createHash('sha256');
  const { lines, storedBytes } = await writeLines(path, texts, (text) => text, { hash, compress: createGzip() });
  return { path, sha256: hash.digest('hex'), storedBytes, lines };
}

/**
 * Input keys of a list, ascending; the reason behind a missing one stays in the state.
 * @throws InvalidDataError with the path in front, also while the list is read
 */
export async function* readFileList(path: string): AsyncGenerator<string> {
  const source = createGunzip();
  // An error of the file becomes one of `source`, where the loop over its blocks sees it.
  pipeline(createReadStream(path), source).catch(() => undefined);
  try {
    for await (const line of textLines(source)) if (line !== '') yield keyOfLine(line);
  } catch (error) {
    throw namingFile(path, error, 'bad_gzip');
  }
}

/** The key in a line of a list. */
export function keyOfLine(line: string): string {
  const tab = line.indexOf('\t');
  return tab < 0 ? line : line.slice(0, tab);
}
