/** After the commit: what moved in the data, and which channel/versions fell silent. */
import { cancellationSignal, log } from '@temporalio/activity';
import { changeWarnings } from '../pipeline/dataset/run-warnings.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { writeChanges } from '../state/changes.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

export interface ChangesResult {
  /** In the file, and those of them that are new. */
  readonly changes: number;
  readonly fresh: number;
  /** Channel/versions whose folders could not be compared. */
  readonly skipped: number;
  /** What people should be told: silences, and new changes where the settings ask for them. */
  readonly warnings: readonly string[];
}

/** Warnings go through the history, to people. */
const MAX_TOLD = 10;
const MAX_TEXT = 300;
const MOST_TOLD = { texts: MAX_TOLD, cut: (text: string) => plainLine(text, MAX_TEXT) };

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'settings'>;

export function createChangesActivities({ analysis, published, threads, settings }: Ports) {
  const { publishedPrefix, workDirectory, alertChanges } = settings;
  return {
    /** Compares the folders that are new since the last look with themselves, date by date, and rewrites changes.json. */
    async findChanges(): Promise<ChangesResult> {
      const signal = cancellationSignal();
      const progress = { channelVersion: '' };
      const note = (channelVersion: string): void => {
        progress.channelVersion = channelVersion;
      };
      const { document, fresh } = await heartbeating(
        () => progress,
        () => writeChanges({ analysis, published, publishedPrefix, threads }, workDirectory, note, signal),
      );
      const { seq, changes, skipped } = document;
      const silent = changes.filter(({ kind }) => kind === 'silence').map(({ text }) => text);
      const moved = fresh.filter(({ kind }) => kind !== 'silence').map(({ text }) => text);
      const counts = { changes: changes.length, fresh: fresh.length, skipped: skipped.length };
      log.info('changes written', { seq, ...counts, silent: silent.length });
      const warnings = [
        ...changeWarnings('silent', silent, MOST_TOLD),
        ...(alertChanges ? changeWarnings('changed', moved, MOST_TOLD) : []),
      ];
      return { ...counts, warnings };
    },
  };
}
