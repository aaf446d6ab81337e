/**
 * `check` and `status`: the watchdog outside Temporal, for cron or a monitor, and the same look for people
 * (docs/operating.md 1.2).
 */
import { Client, type Connection } from '@temporalio/client';
import { hostname, userInfo } from 'node:os';
import { type Acknowledgement, acknowledge, readAcknowledgements, withdraw } from '../state/acknowledgements.ts';
import { writeProjections } from '../state/projections.ts';
import { s3Connection, sqsConnection } from '../aws/connection.ts';
import { createObjectStores } from '../aws/s3.ts';
import { createMessageQueues } from '../aws/sqs.ts';
import type { Config } from '../config.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { type Repair, wantsRepair } from '../watch/rules/data-set-rules.ts';
import type { Facts } from '../watch/rules/facts.ts';
import { exitCodeOfFindings, type Finding, findingLine } from '../findings.ts';
import type { WatchLimits } from '../watch/rules/limits.ts';
import { judge, verdictLine } from '../watch/rules/judge.ts';
import { collectFacts, type WatchNames, type WatchPorts } from '../watch/collect-facts.ts';
import { CommandError } from './command-error.ts';
import { statusText } from './status-report.ts';
import { type TemporalServer, temporalServer } from './temporal-client.ts';
import { print, table } from './terminal.ts';

export interface WatchOptions {
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly maxAgeHours?: string | undefined;
}

/** Prints a line for each finding, nothing when there is none; repairs projections. Sets the exit code. */
export async function check(config: Config, options: WatchOptions): Promise<void> {
  const limits = limitsOf(config, options);
  await withPorts(config, async (ports, names) => {
    const facts = await collectFacts(ports, names, new Date());
    const repair = wantsRepair(facts) ? await repaired(ports, names, config) : NOT_TRIED;
    const findings = judge(facts, limits, repair);
    process.exitCode = exitCodeOfFindings(findings);
    if (options.json === true) print(JSON.stringify({ ...verdictOf(facts, findings), findings }));
    else printFindings(facts, findings, options.verbose === true);
  });
}

/** Notes are for those who ask: a monitor mails whatever is printed. */
function printFindings(facts: Facts, findings: readonly Finding[], isVerbose: boolean): void {
  const shown = findings.filter(({ severity }) => isVerbose || severity !== 'note');
  if (shown.length > 0) print(shown.map(findingLine).join('\n'));
  else if (isVerbose) print(verdictLine(facts, findings));
}

/** Prints everything that is known, the verdict first. Changes nothing; the exit code is that of `check`. */
export async function status(config: Config, options: WatchOptions): Promise<void> {
  const limits = limitsOf(config, options);
  await withPorts(config, async (ports, names) => {
    const facts = await collectFacts(ports, names, new Date());
    const findings = judge(facts, limits, NOT_TRIED);
    process.exitCode = exitCodeOfFindings(findings);
    if (options.json === true) print(JSON.stringify({ ...verdictOf(facts, findings), findings, facts }));
    else print(statusText(facts, findings));
  });
}

export interface AcknowledgeOptions {
  readonly reason?: string | undefined;
  readonly withdraw?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const MAX_REASON = 500;

/** Records why a finding is no problem, withdraws that, or lists what was recorded. */
export async function acknowledgeFinding(
  config: Config,
  id: string | undefined,
  { reason, withdraw: isWithdrawn, json }: AcknowledgeOptions,
): Promise<void> {
  if (id !== undefined && (reason === undefined) === (isWithdrawn !== true))
    throw new CommandError(`Say why ${id} is no problem with --reason "…", or make it one again with --withdraw`, {
      exitCode: 2,
    });
  await withPorts(config, async (ports, names) => {
    const signal = AbortSignal.timeout(REPAIR_MS);
    if (id === undefined) {
      const given = await readAcknowledgements(ports.analysis, signal);
      print(json === true ? JSON.stringify(given) : acknowledgementsText(given));
      return;
    }
    if (isWithdrawn === true) {
      if (!(await withdraw(ports.analysis, id)))
        throw new CommandError(`${id} was not acknowledged; "telemetry acknowledge" lists what was`, { exitCode: 2 });
      print(json === true ? JSON.stringify({ withdrawn: id }) : `${id}: withdrawn; "telemetry check" reports it again`);
      return;
    }
    const findings = judge(await collectFacts(ports, names, new Date()), limitsOf(config, {}), NOT_TRIED);
    const known = findings.flatMap((finding) => finding.id ?? []);
    if (!known.includes(id))
      throw new CommandError(
        `"telemetry check" finds nothing with the id ${plainLine(id, 100)}; ${known.length === 0 ? 'nothing that it finds now can be acknowledged' : `ids now: ${known.join(', ')}`}`,
        { exitCode: 2 },
      );
    const acknowledgement = {
      id,
      reason: plainLine(reason ?? '', MAX_REASON),
      by: plainLine(`${userInfo().username}@${hostname()}`, MAX_REASON),
      at: new Date().toISOString(),
    };
    await acknowledge(ports.analysis, acknowledgement);
    print(
      json === true ? JSON.stringify(acknowledgement) : `${id}: acknowledged; "telemetry check" shows it as a note`,
    );
  });
}

function acknowledgementsText(given: readonly Acknowledgement[]): string {
  if (given.length === 0) return 'nothing is acknowledged';
  const rows = given.map(({ id, at, by, reason }) => [id, at, by, reason].map((cell) => plainLine(cell, 100)));
  return table([['ID', 'SINCE', 'BY', 'REASON'], ...rows]);
}

const NOT_TRIED: Repair = { kind: 'not tried' };
const REPAIR_MS = 600_000;

function verdictOf(facts: Facts, findings: readonly Finding[]): { verdict: string; exitCode: number; at: string } {
  return { verdict: verdictLine(facts, findings), exitCode: exitCodeOfFindings(findings), at: facts.at };
}

async function repaired(
  { analysis, published }: WatchPorts,
  { publishedPrefix }: WatchNames,
  config: Config,
): Promise<Repair> {
  // Loaded by those who repair only: monitors ask every few minutes.
  const { createThreadPool } = await import('../threads/pool.ts');
  const threads = createThreadPool(1);
  try {
    const signal = AbortSignal.timeout(REPAIR_MS);
    const stores = { analysis, published, publishedPrefix, threads };
    const { versions } = await writeProjections(stores, config.TELEMETRY_WORK_DIRECTORY, signal);
    return { kind: 'repaired', seq: versions.head.seq };
  } catch (error) {
    return { kind: 'failed', message: plainLine((error as Error).message) };
  } finally {
    await threads.close();
  }
}

function limitsOf(config: Config, { maxAgeHours }: WatchOptions): WatchLimits {
  if (maxAgeHours === undefined) return { maxAgeHours: null, runDays: config.TELEMETRY_WATCH_RUN_DAYS };
  const hours = Number(maxAgeHours);
  if (!Number.isFinite(hours) || hours < 0 || maxAgeHours.trim() === '')
    throw new CommandError(`--max-age-hours must be a number of hours, found ${maxAgeHours}`, { exitCode: 2 });
  return { maxAgeHours: hours, runDays: config.TELEMETRY_WATCH_RUN_DAYS };
}

async function withPorts(config: Config, use: (ports: WatchPorts, names: WatchNames) => Promise<void>): Promise<void> {
  const stores = createObjectStores(s3Connection(config));
  const queues = createMessageQueues(sqsConnection(config));
  // Settings that cannot be read make the part unknown, just like a server out of reach.
  let server: Promise<TemporalServer<Connection>> | undefined;
  const ports: WatchPorts = {
    analysis: stores.bucket(config.TELEMETRY_ANALYSIS_BUCKET),
    published: stores.bucket(config.TELEMETRY_PUBLISHED_BUCKET),
    queues,
    temporal: async () => {
      const { connection, namespace } = await (server ??= temporalServer());
      return new Client({ connection: await connection(), namespace });
    },
  };
  try {
    await use(ports, {
      publishedPrefix: config.TELEMETRY_PUBLISHED_PREFIX,
      taskQueue: config.TELEMETRY_TASK_QUEUE,
      doneQueue: config.TELEMETRY_DONE_QUEUE,
      workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      adoptsForeignResults: config.TELEMETRY_FOREIGN_RESULTS === 'adopt',
    });
  } finally {
    stores.close();
    queues.close();
    await (await server?.catch(() => undefined))?.close();
  }
}
