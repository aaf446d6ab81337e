/** `changes`: what moved in the data, as the last run found it (docs/changes.md). */
import { createObjectStores } from '../aws/s3.ts';
import { s3Connection } from '../aws/connection.ts';
import type { Config } from '../config.ts';
import type { Change } from '../pipeline/changes/change.ts';
import type { ChangesDocument } from '../pipeline/changes/changes-document.ts';
import { isOfChannel, unknownChannel } from '../export/chosen-channel.ts';
import { counted, plainLine } from '../pipeline/plain-text.ts';
import { storedChanges } from '../state/changes.ts';
import { addressOf } from '../state/documents.ts';
import { publishedNames } from '../state/keys.ts';
import { CommandError } from './command-error.ts';
import { print } from './terminal.ts';

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
    const unknown = unknownChannel(channel, knownChannels(document));
    if (unknown !== undefined) throw new CommandError(unknown, { exitCode: 2 });
    print(json === true ? changesJson(document, channel) : changesText(document, channel));
  } finally {
    stores.close();
  }
}

export function changesJson({ at, seq, changes: all, leftOut, skipped }: ChangesDocument, channel?: string): string {
  return JSON.stringify({ at, seq, changes: all.filter(isOf(channel)), leftOut, skipped });
}

export function changesText({ at, seq, changes: all, leftOut, skipped }: ChangesDocument, channel?: string): string {
  const shown = all.filter(isOf(channel));
  const of = channel === undefined ? '' : ` of ${plainLine(channel, 100)}`;
  return [
    ...shown.map(changeLine),
    `${counted(shown.length, 'change')}${of} as of commit ${seq} (${at})`,
    ...(leftOut > 0 ? [`${counted(leftOut, 'older change')} left out`] : []),
    ...(skipped.length > 0 ? [`${counted(skipped.length, 'folder')} could not be compared: see --json`] : []),
  ].join('\n');
}

/** Those of the last look, and those that have only changes left. */
export function knownChannels({ changes: all, looked, skipped }: ChangesDocument): Set<string> {
  return new Set([...looked.keys(), ...[...skipped, ...all].map(({ channelVersion }) => channelVersion)]);
}

function isOf(channel: string | undefined): (change: Change) => boolean {
  return ({ channelVersion }) => isOfChannel(channel, channelVersion);
}

function changeLine({ date, kind, text, qValue }: Change): string {
  const sure = qValue === null ? '' : ` [q ${qValue.toPrecision(1)}]`;
  // Kind and date are of those that were read; sentences quote names.
  return `${date} ${kind.padEnd(8)} ${plainLine(`${text}${sure}`, MAX_TEXT)}`;
}
