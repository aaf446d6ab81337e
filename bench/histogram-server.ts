/**
 * The histogram server answering from memory, on one core. Floor: 3,000 requests/s of server time and p99 below 20 ms for
 * the definitions of a revision. Server and load have a core each where `taskset` is there; the machine should be idle.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, report } from './measure.ts';

const REVISION = 'https://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
const SECONDS = 5;
const CONNECTIONS = 16;
/** Kernel's unit of CPU times, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface LoadResult {
  readonly requests: { readonly total: number; readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly throughput: { readonly average: number };
  readonly non2xx: number;
  readonly errors: number;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-histograms-'));
const repository = join(folder, 'definitions/mozilla-central/518f5bff0ae4');
await mkdir(repository, { recursive: true });
await writeFile(join(repository, 'Histograms.json'), generatedFile());
const server = onCore(0, [resolve('src/cli.ts'), 'histogram-server']);
try {
  const address = await addressOf(server);
  for (const path of ['/health', `/histograms?revision=${REVISION}`, `/histogram_buckets?revision=${REVISION}`]) {
    const body = Buffer.byteLength(await (await fetch(address + path)).text());
    const before = await cpuSecondsOf(server);
    const autocannon = fileURLToPath(import.meta.resolve('autocannon'));
    const load = ['-j', '-d', String(SECONDS), '-c', String(CONNECTIONS), address + path];
    const [program = '', ...args] = pinned(1, [autocannon, ...load]);
    const { output } = await measure({ program, args });
    const { requests, latency, throughput, non2xx, errors } = JSON.parse(output) as LoadResult;
    const cpu = (await cpuSecondsOf(server)) - before;
    report(`histogram-server ${path.split('?')[0] ?? ''}`, {
      'KB/answer': body / 1000,
      'requests/s': requests.average,
      'requests/s of server CPU': requests.total / cpu,
      'p50 ms': latency.p50,
      'p99 ms': latency.p99,
      'MB/s': throughput.average / 1e6,
      failed: non2xx + errors,
    });
  }
} finally {
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  await rm(folder, { recursive: true });
}

function onCore(core: number, args: readonly string[]): ChildProcess {
  const [program = '', ...rest] = pinned(core, args);
  return spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      TELEMETRY_DEFINITIONS: join(folder, 'definitions'),
      TELEMETRY_HISTOGRAM_CACHE: join(folder, 'cache'),
      TELEMETRY_HISTOGRAM_UPSTREAM: 'none',
      TELEMETRY_HISTOGRAM_PORT: '0',
    },
  });
}

function pinned(core: number, args: readonly string[]): string[] {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? ['taskset', '-c', String(core), process.execPath, ...args] : [process.execPath, ...args];
}

async function addressOf(child: ChildProcess): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const address = /"address":"([^"]+)"/.exec(output)?.[1];
    if (address !== undefined) found(address);
  });
  child.on('exit', () => {
    reject(new Error(`the histogram server did not start: ${output}`));
  });
  return promise;
}

/** User and system time; NaN where /proc is not there to tell. */
async function cpuSecondsOf({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** As large as the browser's file of 2013: 600 definitions of 130 KB, with 280 KB of buckets. */
function generatedFile(): string {
  const definitions = Array.from({ length: 600 }, (_, n) => [
    `GENERATED_${n % 3 === 0 ? 'HTTP' : 'OTHER'}_MEASURE_${n}`,
    {
      kind: ['exponential', 'linear', 'exponential', 'exponential', 'flag'][n % 5],
      high: String(10_000 * (1 + (n % 30))),
      n_buckets: 40 + (n % 60),
      description: `What measure ${n} measures, told in about as many words as usual, so that the size is right`,
    },
  ]);
  return JSON.stringify(Object.fromEntries(definitions), null, 2);
}
