/** `quarantine list|show|release`: what was refused, and sending it back once its reason is gone. */
import {
  listQuarantine,
  type Quarantined,
  type QuarantineList,
  type Release,
  releaseQuarantined,
  showQuarantined,
} from '../state/quarantine-release.ts';
import type { Config } from '../config.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { visibleLine } from '../pipeline/plain-text.ts';
import { QueueMissingError } from '../ports.ts';
import { CommandError } from './command-error.ts';
import { type CommandPorts, withPorts } from './command-ports.ts';
import { print, table } from './terminal.ts';

export interface QuarantineOptions {
  readonly limit?: string | undefined;
  readonly json?: boolean | undefined;
}

export async function quarantineList(config: Config, { limit = '100', json }: QuarantineOptions): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit))
    throw new CommandError(`--limit ${limit}: give a number from 1 to 999999`, { exitCode: 2 });
  await inQuarantine(config, async (ports, signal) => {
    const list = await listQuarantine(ports, Number(limit), signal);
    print(json === true ? JSON.stringify(list) : describeList(list));
  });
}

export async function quarantineShow(config: Config, sha: string, { json }: QuarantineOptions): Promise<void> {
  await inQuarantine(config, async (ports, signal) => {
    const found = await showQuarantined(ports, sha, signal);
    print(json === true ? JSON.stringify(found) : describeOne(found));
  });
}

/** Sets exit code 1 when one of them cannot be released. */
export async function quarantineRelease(
  config: Config,
  given: readonly string[],
  { json }: QuarantineOptions,
): Promise<void> {
  await inQuarantine(config, async (ports, signal) => {
    const releases = await releaseQuarantined(ports, given, signal);
    print(json === true ? JSON.stringify(releases) : releases.map(describeRelease).join('\n'));
    if (releases.some(({ outcome }) => outcome === 'refused')) process.exitCode = 1;
  });
}

/** Ctrl-C ends it between two releases; each release is complete or has not happened. */
async function inQuarantine(
  config: Config,
  work: (ports: CommandPorts, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await withPorts(config, work);
  } catch (error) {
    if (error instanceof InvalidDataError) throw new CommandError(error.message, { cause: error, exitCode: 2 });
    if (error instanceof QueueMissingError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

/** Enough digits to be unique in a quarantine of any usual size. */
const SHOWN_DIGITS = 10;
const SHOWN_TEXT = 100;

export function describeList({ total, listed }: QuarantineList): string {
  if (total === 0) return 'The quarantine is empty';
  const counts = [...Map.groupBy(listed, ({ reason }) => reason)]
    .map(([reason, { length }]) => [reason, length] as const)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([reason, count]) => `${visibleLine(reason)} ${String(count)}`);
  const shown = total > listed.length ? `the newest ${String(listed.length)} of ${String(total)}` : String(total);
  const rows = listed.map(({ sha, since, what, reason, released, message }) => [
    sha.slice(0, SHOWN_DIGITS),
    since.slice(0, 19).replace('T', ' '),
    what,
    released === null ? reason : `${reason} (released)`,
    cut(message),
  ]);
  return `${shown} in quarantine: ${counts.join(', ')}\n${table([['SHA', 'SINCE (UTC)', 'WHAT', 'REASON', 'MESSAGE'], ...rows])}`;
}

function cut(text: string): string {
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}

export function describeOne({ sha, since, what, reason, message, released, content }: Quarantined): string {
  return table([
    ['sha', sha],
    ['what', what],
    ['reason', reason],
    ['message', message],
    ['since', since],
    ['released', released ?? 'never'],
    ['content', content],
    ...decoded(what, content),
  ]);
}

/** The JSON inside of a message body, when it is base64 text. */
function decoded(what: string, content: string): string[][] {
  if (what !== 'done_message' || content.trimStart().startsWith('{')) return [];
  const text = Buffer.from(content, 'base64').toString('utf8');
  return text.startsWith('{') ? [['decoded', text]] : [];
}

export function describeRelease({ sha, outcome, message }: Release): string {
  return `${outcome} ${sha.slice(0, SHOWN_DIGITS)}: ${visibleLine(message)}`;
}
