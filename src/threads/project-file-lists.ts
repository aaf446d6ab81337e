/** File job: the lists of files of all entries of the ledger → FILES_PROCESSED and FILES_MISSING. */
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import { readFileList } from './file-list.ts';
import { writeLines } from './line-writer.ts';

/** Local files: lists as they are stored. */
interface FileLists {
  readonly processed: readonly string[];
  readonly missing: readonly string[];
}

export interface ProjectFileListsInput extends FileLists {
  /** Files to write. */
  readonly output: { readonly processed: string; readonly missing: string };
}

export interface ProjectedFileLists {
  /** Bytes of the files. */
  readonly processed: number;
  readonly missing: number;
}

export async function projectFileLists(input: ProjectFileListsInput): Promise<ProjectedFileLists> {
  const { output } = input;
  const read = (paths: readonly string[]) => paths.map((path) => readFileList(path));
  const write = async (path: string, keys: AsyncIterable<string>): Promise<number> =>
    (await writeLines(path, keys, (key) => key)).bytes;
  return {
    processed: await write(output.processed, processedFiles(read(input.processed))),
    missing: await write(output.missing, missingFiles(read(input.processed), read(input.missing))),
  };
}
