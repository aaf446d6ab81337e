/** `changes`: what moved in the data, as the last run found it (docs/changes.md). */
import { createObjectStores } from '../aws/s3.ts';
import { s3Connection } from '../aws/connection.ts';
import type { Config } from '../config.ts';
import type { Change } from '../pipeline/changes/change.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { storedChanges } from '../state/changes.ts';
import { addressOf } from '../state/documents.ts';
import { publishedNames } from '../state/keys.ts';
import { CommandError } from './command-error.ts';
import { counted, print } from './terminal.ts';

export interface ChangesOptions {
  /** A channel, or a channel/version. */
  readonly channel?: string | undefined;
  readonly json?: boolean | undefined;
}

const READ_MS = 60_000;
const MAX_TEXT = 300;

export async function changes(config: Config, { channel, json }: ChangesOptions): Promise<void> {
  const stores = createObjectStores(s3Connection(config));
  try {
    const published = stores.bucket(config.TELEMETRY_PUBLISHED_BUCKET);
    const publishedPrefix = config.TELEMETRY_PUBLISHED_PREFIX;
    const document = await storedChanges({ published, publishedPrefix }, AbortSignal.timeout(READ_MS));
    if (document === null) {
      const address = addressOf(published, publishedPrefix + publishedNames.changes);
      throw new CommandError(`${address} is not there, or of another release; the next run writes it.`);
    }
    const { at, seq, leftOut, skipped } = document;
    const shown = document.changes.filter(({ channelVersion }) => isOf(channelVersion, channel));
    if (json === true) {
      print(JSON.stringify({ at, seq, changes: shown, leftOut, skipped }));
      return;
    }
    print([...shown.map(changeLine), ...tail(document, shown.length, channel)].join('\n'));
  } finally {
    stores.close();
  }
}

function isOf(channelVersion: string, channel: string | undefined): boolean {
  return channel === undefined || channelVersion === channel || channelVersion.startsWith(`${channel}/`);
}

function changeLine({ date, kind, text, qValue }: Change): string {
  const sure = qValue === null ? '' : ` [q ${qValue.toPrecision(1)}]`;
  return plainLine(`${date} ${kind.padEnd(8)} ${text}${sure}`, MAX_TEXT);
}

function tail(
  { at, seq, leftOut, skipped }: { at: string; seq: number; leftOut: number; skipped: readonly object[] },
  shown: number,
  channel: string | undefined,
): string[] {
  const of = channel === undefined ? '' : ` of ${channel}`;
  return [
    `${counted(shown, 'change')}${plainLine(of, 100)} as of commit ${seq} (${at})`,
    ...(leftOut > 0 ? [`${counted(leftOut, 'older change')} left out`] : []),
    ...(skipped.length > 0 ? [`${counted(skipped.length, 'folder')} could not be compared: see --json`] : []),
  ];
}
