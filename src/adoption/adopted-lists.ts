/** The original's FILES_PROCESSED and FILES_MISSING in the state, as lists of the ledger have to be: sorted, every key once. */
import { join } from 'node:path';
import type { LedgerEntry } from '../pipeline/dataset/ledger.ts';
import { adoptionRun, publishedNames, stateKeys } from '../state/keys.ts';
import type { AdoptedFileList } from '../threads/adopt-file-lists.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { AdoptionInput, AdoptionPorts } from './adoption.ts';

export interface AdoptedLists extends Pick<LedgerEntry, 'files' | 'fileLists'> {
  readonly badLines: number;
}

/** A list that is not there is empty: the original wrote them after everything else. */
export async function adoptLists(
  ports: AdoptionPorts,
  { original, dryRun }: AdoptionInput,
  signal: AbortSignal,
): Promise<AdoptedLists> {
  return inWorkFolder(ports.settings.workDirectory, async (folder) => {
    const fetch = async (name: string): Promise<string | null> => {
      const path = join(folder, name);
      return (await original.fetch(name, path, signal)) ? path : null;
    };
    const { processed, missing } = await ports.threads.adoptFileLists(
      {
        processed: await fetch(publishedNames.filesProcessed),
        missing: await fetch(publishedNames.filesMissing),
        folder,
      },
      signal,
    );
    const store = async (which: 'processed' | 'missing', list: AdoptedFileList): Promise<string | null> => {
      if (list.keys === 0) return null;
      const key = stateKeys.files(adoptionRun(''), which, list.sha256);
      const body = { path: list.path, size: list.storedBytes };
      if (!dryRun) await ports.analysis.createOnce(key, body, { contentType: 'application/gzip' }, signal);
      return key;
    };
    return {
      files: { processed: processed.keys, missing: missing.keys },
      fileLists: { processed: await store('processed', processed), missing: await store('missing', missing) },
      badLines: processed.badLines + missing.badLines,
    };
  });
}
