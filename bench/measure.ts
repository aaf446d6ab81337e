/** Runs programs as processes of their own: how long each took, what it cost, and how much memory it held at most. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';

export interface Measured {
  readonly seconds: number;
  /** CPU time of the process, user and system; NaN where /proc is not there to tell. */
  readonly cpuSeconds: number;
  /** Peak resident memory; NaN where /proc is not there to tell. */
  readonly peakMiB: number;
  readonly output: string;
}

const LOOK_EVERY_MS = 10;

export async function measureTelemetry(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  return measure({ ...telemetry(args), environment });
}

/** A program as it is started. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** File for its standard output; by default it is kept. */
  readonly output?: string;
}

/** A command of the application. */
export function telemetry(args: readonly string[]): Command {
  return { program: process.execPath, args: [resolve('src/cli.ts'), ...args] };
}

export async function measure({ program, args, environment = {}, output: file }: Command): Promise<Measured> {
  const startedAt = performance.now();
  const target = file === undefined ? ('pipe' as const) : openSync(file, 'w');
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', target, 'inherit'] });
  let output = '';
  let [peakMiB, cpuSeconds] = [Number.NaN, Number.NaN];
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  const look = setInterval(() => {
    peakMiB = peakOf(child.pid) ?? peakMiB;
    cpuSeconds = cpuOf(child.pid) ?? cpuSeconds;
  }, LOOK_EVERY_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (typeof target === 'number') closeSync(target);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with exit code ${code ?? '?'}\n${output}`);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds, peakMiB, output };
}

function peakOf(pid: number | undefined): number | undefined {
  const kib = /VmHWM:\s+(\d+) kB/.exec(procFile(pid, 'status'))?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** Of all threads, those that have ended included. */
function cpuOf(pid: number | undefined): number | undefined {
  // The name of the program, in parentheses, may hold blanks; user and system time are the 12th and 13th field behind it.
  const fields = procFile(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) && ticks > 0 ? ticks / TICKS_A_SECOND : undefined;
}

/** What Linux tells programs, on every machine. */
const TICKS_A_SECOND = 100;

function procFile(pid: number | undefined, name: string): string {
  try {
    return readFileSync(`/proc/${pid ?? 0}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether a program is on this machine. */
export function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** The command with that many threads; with one, it is held on one core where `taskset` can. */
export function withThreads(threads: number, command: Command): Command {
  const environment = { ...command.environment, TELEMETRY_THREADS: String(threads) };
  return threads === 1 ? { ...onOneCore(command), environment } : { ...command, environment };
}

export function onOneCore(command: Command): Command {
  if (!has('taskset')) return command;
  return { ...command, program: 'taskset', args: ['-c', '0', command.program, ...command.args] };
}

/** Median of several runs, by seconds. */
export async function medianOf<Run extends Pick<Measured, 'seconds'>>(
  runs: number,
  run: () => Promise<Run>,
): Promise<Run> {
  const all: Run[] = [];
  for (let index = 0; index < runs; index += 1) all.push(await run());
  const sorted = all.sort((a, b) => a.seconds - b.seconds);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new RangeError('at least one run');
  return median;
}

export function report(name: string, facts: Readonly<Record<string, string | number>>): void {
  const text = Object.entries(facts).map(
    ([fact, value]) => `${fact} ${typeof value === 'number' ? value.toFixed(value < 10 ? 2 : 0) : value}`,
  );
  process.stdout.write(`${name}: ${text.join(', ')}\n`);
}

/** One of several ways to do the same work, measured beside each other. */
export interface Way {
  readonly name: string;
  readonly command: Command;
  /** File or folder that it writes. It is removed before each run: to replace a large file takes time that says nothing of the program. */
  readonly writes?: string;
  /** Name of the way that it is compared with. */
  readonly baseline?: string;
}

const COLUMNS = ['seconds', 'least to most', 'CPU s', 'peak MiB', 'baseline'];

/**
 * Runs all ways in turn, as often as `--runs=N` says, and prints a row of bench/RESULTS.md for each. The turns go there and
 * back, so that none is always the first one.
 */
export async function compare(title: string, ways: readonly Way[], usualRuns = 5): Promise<void> {
  const runs = new Map(ways.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round < runsWanted(usualRuns); round += 1) {
    for (const { name, command, writes } of round % 2 === 0 ? ways : ways.toReversed()) {
      if (writes !== undefined) await rm(writes, { recursive: true, force: true });
      runs.get(name)?.push(await measure(command));
    }
  }
  printRows(title, ways, runs);
}

function printRows(title: string, ways: readonly Way[], runs: ReadonlyMap<string, readonly Measured[]>): void {
  process.stdout.write(`| ${title} | ${COLUMNS.join(' | ')} |\n|---|${COLUMNS.map(() => '---|').join('')}\n`);
  for (const { name, baseline } of ways) {
    const own = summaryOf(runs.get(name) ?? []);
    const other = baseline === undefined ? undefined : summaryOf(runs.get(baseline) ?? []);
    const ratio = other === undefined ? '' : `${(other.seconds / own.seconds).toFixed(2)} × ${baseline ?? ''}`;
    const spread = `${own.least.toFixed(2)} to ${own.most.toFixed(2)}`;
    const cells = [name, own.seconds.toFixed(2), spread, own.cpuSeconds.toFixed(2), own.peakMiB.toFixed(0), ratio];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

function runsWanted(usual: number): number {
  const option = process.argv.find((arg) => arg.startsWith('--runs='));
  const runs = Number(option?.slice('--runs='.length) ?? usual);
  if (!Number.isInteger(runs) || runs < 1) throw new RangeError(`${option ?? ''} is no number of runs`);
  return runs;
}

/** Each figure is a median of its own. */
function summaryOf(runs: readonly Measured[]) {
  const seconds = runs.map((run) => run.seconds);
  return {
    seconds: median(seconds),
    least: Math.min(...seconds),
    most: Math.max(...seconds),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    peakMiB: median(runs.map((run) => run.peakMiB)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
