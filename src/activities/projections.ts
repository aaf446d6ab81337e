/**
 * Stage 7, after the commit: the files that repeat the ledger for readers of the old space (docs/protocol.md C9, C10).
 */
import { cancellationSignal, log } from '@temporalio/activity';
import { failpoint } from '../failpoints.ts';
import { publishedNames } from '../state/keys.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';
import { writeProjections } from '../state/projections.ts';

export interface ProjectionsResult {
  /** Commit that the files show. */
  readonly seq: number;
  readonly channelVersions: number;
  /** Address of the pointer. */
  readonly versions: string;
}

export function createProjectionActivities(
  ports: Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'settings'>,
) {
  const { analysis, published, threads, settings } = ports;
  const { publishedPrefix, workDirectory } = settings;

  return {
    /** Rewrites FILES_PROCESSED, FILES_MISSING and status.json from the current ledger; once more when a commit came meanwhile. */
    async updateProjections(): Promise<ProjectionsResult> {
      const signal = cancellationSignal();
      const { versions, ledger } = await heartbeating(
        () => ({}),
        async () => {
          await failpoint('proj.before', signal);
          return writeProjections({ analysis, published, publishedPrefix, threads }, workDirectory, signal);
        },
      );
      const { seq } = versions.head;
      log.info('projections written', { seq, days: ledger.entries.size });
      return {
        seq,
        channelVersions: versions.folders.size,
        versions: `s3://${published.bucket}/${publishedPrefix}${publishedNames.versions}`,
      };
    },
  };
}
