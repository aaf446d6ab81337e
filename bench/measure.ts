/** Runs a command of the application as a process of its own and says how long it took and how much memory it held at most. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Measured {
  readonly seconds: number;
  /** Peak resident memory; NaN where /proc is not there to tell. */
  readonly peakMiB: number;
  readonly output: string;
}

const LOOK_EVERY_MS = 20;

export async function measureTelemetry(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  return measure(process.execPath, [resolve('src/cli.ts'), ...args], environment);
}

export async function measure(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let peakMiB = Number.NaN;
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const look = setInterval(() => {
    peakMiB = peakOf(child.pid) ?? peakMiB;
  }, LOOK_EVERY_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code ?? '?'}\n${output}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakMiB, output };
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
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
