/** Stage 7, after the commit: the files that repeat the ledger for readers of the old space (PROTOCOL.md C9, C10). */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cancellationSignal, log } from '@temporalio/activity';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import type { DayEntry } from '../pipeline/dataset/ledger.ts';
import { publishedNames } from '../pipeline/state-keys.ts';
import { keysOf } from './file-lists.ts';
import { heartbeating } from './heartbeating.ts';
import { readPointer } from './pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { inWorkFolder } from '../work-folder.ts';

export interface ProjectionsResult {
  /** Commit that the files show. */
  readonly seq: number;
  readonly channelVersions: number;
  /** Address of the pointer. */
  readonly versions: string;
}

const LIST_HEADERS = { contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' } as const;
const STATUS_HEADERS = { contentType: 'application/json', cacheControl: 'no-cache' } as const;

type ProjectionPorts = Pick<ActivityPorts, 'analysis' | 'published' | 'settings'>;

export function createProjectionActivities(ports: ProjectionPorts) {
  return {
    /** Rewrites FILES_PROCESSED, FILES_MISSING and status.json from the current ledger. */
    async updateProjections(): Promise<ProjectionsResult> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({}),
        async () => {
          const { days, ...result } = await writeProjections(ports, signal);
          log.info('projections written', { seq: result.seq, days });
          return result;
        },
      );
    },
  };
}

/** Writes them from the current ledger; once more when a commit came meanwhile. */
export async function writeProjections(
  { analysis, published, settings }: ProjectionPorts,
  signal: AbortSignal,
): Promise<ProjectionsResult & { readonly days: number }> {
  const { publishedPrefix } = settings;
  const stores = { analysis, published, publishedPrefix };
  for (;;) {
    const { versions, ledger, etag } = await readPointer(stores, signal);
    const days = [...ledger.days.values()];
    await writeList(publishedNames.filesProcessed, processedFiles(listsOf(days, 'processed')));
    await writeList(publishedNames.filesMissing, missingFiles(listsOf(days, 'processed'), listsOf(days, 'missing')));
    const { seq, commit, at } = versions.head;
    const status = {
      seq,
      commit,
      at,
      days: Object.fromEntries(ledger.days),
      channelVersions: Object.fromEntries(versions.folders),
    };
    await published.put(
      publishedPrefix + publishedNames.status,
      Buffer.from(JSON.stringify(status)),
      STATUS_HEADERS,
      signal,
    );
    if ((await readPointer(stores, signal)).etag !== etag) continue;
    return {
      seq,
      channelVersions: versions.folders.size,
      versions: `s3://${published.bucket}/${publishedPrefix}${publishedNames.versions}`,
      days: days.length,
    };
  }

  function listsOf(days: readonly DayEntry[], which: 'processed' | 'missing'): AsyncIterable<string>[] {
    return days.flatMap(({ fileLists }) => {
      const key = fileLists[which];
      return key === null ? [] : [keysOf(analysis, key, signal)];
    });
  }

  async function writeList(name: string, keys: AsyncIterable<string>): Promise<void> {
    await inWorkFolder(settings.workDirectory, async (folder) => {
      const path = join(folder, name);
      async function* lines(): AsyncGenerator<string> {
        for await (const key of keys) yield `${key}\n`;
      }
      await pipeline(Readable.from(lines()), createWriteStream(path), { signal });
      await published.put(publishedPrefix + name, { path, size: (await stat(path)).size }, LIST_HEADERS, signal);
    });
  }
}
