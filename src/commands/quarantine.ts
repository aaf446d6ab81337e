/** `quarantine list|show|release|acknowledge|purge`: what was refused, and what becomes of it. */
import {
  listQuarantine,
  type Quarantined,
  type QuarantineList,
  type Release,
  releaseQuarantined,
  showQuarantined,
} from '../state/quarantine-release.ts';
import {
  acknowledgeQuarantined,
  purgeQuarantined,
  type QuarantineChoice,
  type QuarantineDecision,
  withdrawQuarantined,
} from '../state/quarantine-decisions.ts';
import { MS_PER_DAY } from '../pipeline/calendar-day.ts';
import type { Config } from '../config.ts';
import { hostname, userInfo } from 'node:os';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { counted, plainLine, visibleLine } from '../pipeline/plain-text.ts';
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

export interface DecisionOptions {
  readonly all?: boolean | undefined;
  readonly olderThanDays?: string | undefined;
  readonly reason?: string | undefined;
  readonly withdraw?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Records why entries are no problem, or withdraws that. */
export async function quarantineAcknowledge(
  config: Config,
  given: readonly string[],
  options: DecisionOptions,
): Promise<void> {
  const choice = choiceOf(given, options);
  if (options.withdraw === true) {
    await inQuarantine(config, async ({ analysis }, signal) => {
      tellDecided(await withdrawQuarantined(analysis, choice, signal), 'withdrawn', options);
    });
    return;
  }
  const decision = decisionOf(options, 'Say why they are no problem');
  await inQuarantine(config, async ({ analysis }, signal) => {
    tellDecided(await acknowledgeQuarantined(analysis, choice, decision, signal), 'acknowledged', options);
  });
}

/** Takes entries out for good; what went is recorded. */
export async function quarantinePurge(
  config: Config,
  given: readonly string[],
  options: DecisionOptions,
): Promise<void> {
  const choice = choiceOf(given, options);
  const decision = decisionOf(options, 'Say why they may go for good');
  await inQuarantine(config, async ({ analysis }, signal) => {
    tellDecided(await purgeQuarantined(analysis, choice, decision, signal), 'purged', options);
  });
}

function choiceOf(given: readonly string[], { all, olderThanDays }: DecisionOptions): QuarantineChoice {
  const ways = [given.length > 0, all === true, olderThanDays !== undefined].filter(Boolean).length;
  if (ways !== 1)
    throw new CommandError('Name entries by the first digits of their SHAs, or give --all, or --older-than-days N', {
      exitCode: 2,
    });
  if (given.length > 0) return given;
  if (olderThanDays === undefined) return { before: null };
  if (!/^\d{1,5}$/.test(olderThanDays))
    throw new CommandError(`--older-than-days ${plainLine(olderThanDays, 50)}: give a number of days`, { exitCode: 2 });
  return { before: new Date(Date.now() - Number(olderThanDays) * MS_PER_DAY) };
}

const MAX_REASON = 500;

function decisionOf({ reason }: DecisionOptions, wanted: string): QuarantineDecision {
  const given = plainLine(reason ?? '', MAX_REASON);
  if (given === '') throw new CommandError(`${wanted} with --reason "…"`, { exitCode: 2 });
  const by = plainLine(`${userInfo().username}@${hostname()}`, MAX_REASON);
  return { reason: given, by, at: new Date().toISOString() };
}

function tellDecided(shas: readonly string[], what: string, { json }: DecisionOptions): void {
  if (json === true) print(JSON.stringify({ [what]: shas }));
  else if (shas.length > SHOWN_DECIDED) print(`${what} ${counted(shas.length, 'entry', 'entries')}`);
  else print(shas.map((sha) => `${what} ${sha.slice(0, SHOWN_DIGITS)}`).join('\n') || `nothing was ${what}`);
}

const SHOWN_DECIDED = 20;

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
  const rows = listed.map(({ sha, since, what, reason, released, acknowledged, message }) => [
    sha.slice(0, SHOWN_DIGITS),
    since.slice(0, 19).replace('T', ' '),
    what,
    `${reason}${released === null ? '' : ' (released)'}${acknowledged === null ? '' : ' (acknowledged)'}`,
    cut(message),
  ]);
  return `${shown} in quarantine: ${counts.join(', ')}\n${table([['SHA', 'SINCE (UTC)', 'WHAT', 'REASON', 'MESSAGE'], ...rows])}`;
}

function cut(text: string): string {
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}

export function describeOne(entry: Quarantined): string {
  const { sha, since, what, reason, message, released, acknowledged, content } = entry;
  return table([
    ['sha', sha],
    ['what', what],
    ['reason', reason],
    ['message', message],
    ['since', since],
    ['released', released ?? 'never'],
    ['acknowledged', acknowledged === null ? 'no' : `${acknowledged.at} by ${acknowledged.by}: ${acknowledged.reason}`],
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
