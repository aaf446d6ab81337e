/** A whole deployment for a test: embedded stack in a folder of its own, real worker processes, submissions, the commands. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createObjectStores } from '../../src/aws/s3.ts';
import { exportDataSet } from '../../src/export/export-data-set.ts';
import { findBinary } from '../../local/stack/binaries.ts';
import { mirrorInputFolder } from '../../local/input-folder.ts';
import type { LocalStack } from '../../local/stack/stack.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { binaries, startTestStack } from './test-stack.ts';

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Deployment {
  readonly stack: LocalStack;
  readonly directory: string;
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly input: ObjectStore;
  readonly #environment: Record<string, string | undefined>;
  readonly #children = new Set<ChildProcess>();
  readonly #close: () => void;

  private constructor(stack: LocalStack, directory: string, settings: Readonly<Record<string, string>>) {
    this.stack = stack;
    this.directory = directory;
    this.#environment = { ...process.env, ...stack.env, ...settings };
    // The SDK reads credentials from the environment; every deployment of a test process uses the same kind of ones.
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: stack.env['AWS_ACCESS_KEY_ID'],
      AWS_SECRET_ACCESS_KEY: stack.env['AWS_SECRET_ACCESS_KEY'],
    });
    const stores = createObjectStores({ region: 'us-west-2', endpoint: stack.links.s3 });
    this.analysis = stores.bucket('telemetry-analysis');
    this.published = stores.bucket('telemetry-dashboard');
    this.input = stores.bucket('telemetry-published-v2');
    this.#close = () => {
      stores.close();
    };
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Deployment> {
    const directory = await mkdtemp(join(tmpdir(), 'deployment-'));
    const stack = await startTestStack(join(directory, 'stack'));
    return new Deployment(stack, directory, settings);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => endProcess(child, 'SIGTERM')));
    this.#close();
    await this.stack.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async load(submissions: string): Promise<void> {
    await mirrorInputFolder(submissions, this.input);
  }

  /** Starts `worker` or `analysis-worker`; it ends with the deployment, or by `kill`. */
  startProcess(name: string, ...args: string[]): ChildProcess {
    const log = openSync(join(this.directory, `${name}-${this.#children.size}.log`), 'a');
    const child = spawn(process.execPath, [resolve('src/cli.ts'), name, ...args], {
      env: this.#environment,
      stdio: ['ignore', log, log],
    });
    this.#children.add(child);
    return child;
  }

  /** What the deployment's processes get. */
  get environment(): Readonly<Record<string, string | undefined>> {
    return this.#environment;
  }

  async kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    await endProcess(child, signal);
    this.#children.delete(child);
  }

  telemetry(...args: string[]): Promise<Output> {
    return this.telemetryWith({}, ...args);
  }

  /** The command with settings of its own. */
  telemetryWith(settings: Readonly<Record<string, string>>, ...args: string[]): Promise<Output> {
    return runToEnd(process.execPath, [resolve('src/cli.ts'), ...args], { ...this.#environment, ...settings });
  }

  async temporal(...args: string[]): Promise<Output> {
    const cli = await findBinary('temporal', binaries, () => undefined);
    return runToEnd(cli, ['--address', this.stack.env['TEMPORAL_ADDRESS'] ?? '', ...args], this.#environment);
  }

  /** The published space by `<channel/version>/<file>`; folder names differ from run to run. */
  async exported(): Promise<Map<string, string>> {
    const folder = join(this.directory, `export-${Date.now()}`);
    const ports = { published: this.published, publishedPrefix: 'v7/', workDirectory: this.directory };
    await exportDataSet(ports, { to: folder, format: 'json' }, new AbortController().signal);
    const versions = JSON.parse(await readFile(join(folder, 'versions.json'), 'utf8')) as Record<string, string>;
    const files = new Map<string, string>();
    for (const [channelVersion, snapshot] of Object.entries(versions)) {
      if (channelVersion === '$head') continue;
      for (const name of await readdir(join(folder, snapshot))) {
        files.set(`${channelVersion}/${name}`, await readFile(join(folder, snapshot, name), 'utf8'));
      }
    }
    return files;
  }
}

export async function runToEnd(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Output> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Asks until the answer is there. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, deadlineMs: number): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await delay(100);
  }
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
