/** `export`: the published data set as files, for a machine that is to have all of it. */
import { createObjectStores } from '../aws/s3.ts';
import { s3Connection } from '../aws/connection.ts';
import type { Config } from '../config.ts';
import {
  EXPORT_FORMATS,
  exportDataSet,
  type ExportFormat,
  ExportRefused,
  type ExportReport,
} from '../export/export-data-set.ts';
import { counted, plainLine } from '../pipeline/plain-text.ts';
import { CommandError } from './command-error.ts';
import { interruptible } from './interruptible.ts';
import { say, showStatus } from './terminal.ts';

export interface ExportOptions {
  readonly to: string;
  /** A channel, or a channel/version. */
  readonly channel?: string | undefined;
  readonly format?: string | undefined;
}

const MAX_TEXT = 1000;

export async function exportPublished(config: Config, { to, channel, format }: ExportOptions): Promise<void> {
  const input = { to, channel, format: knownFormat(format ?? 'json') };
  const stores = createObjectStores(s3Connection(config));
  const ports = {
    published: stores.bucket(config.TELEMETRY_PUBLISHED_BUCKET),
    publishedPrefix: config.TELEMETRY_PUBLISHED_PREFIX,
    workDirectory: config.TELEMETRY_WORK_DIRECTORY,
  };
  try {
    const report = await interruptible(`interrupted; what is in ${to} is not all`, (signal) =>
      exportDataSet(ports, input, signal, (channelVersion) => {
        showStatus(`exporting ${channelVersion}`);
      }),
    );
    say(exportText(report, to));
    const problem = lackingText(report);
    if (problem !== undefined) throw new CommandError(problem);
  } catch (error) {
    if (!(error instanceof ExportRefused)) throw error;
    throw new CommandError(plainLine(error.message, MAX_TEXT), { cause: error, exitCode: 2 });
  } finally {
    stores.close();
  }
}

function knownFormat(given: string): ExportFormat {
  const format = EXPORT_FORMATS.find((one) => one === given);
  if (format !== undefined) return format;
  throw new CommandError(`${plainLine(given, 100)} is no format: json, parquet or csv.`, { exitCode: 2 });
}

function exportText({ files, channelVersions }: ExportReport, to: string): string {
  return `${counted(files, 'file')} of ${counted(channelVersions.length, 'channel/version')} written to ${to}`;
}

/** One sentence; undefined when nothing is lacking. */
function lackingText({ lacking }: ExportReport): string | undefined {
  const [first, ...others] = lacking;
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : `; and so ${counted(others.length, 'more')}`;
  return plainLine(`${first.channelVersion} is not complete in the export: ${first.reason}${more}.`, MAX_TEXT);
}
