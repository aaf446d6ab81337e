/** What the fault tests of a file share: one embedded stack, and workflow code with short time-outs. Each test has a scene of its own on it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { findBinary } from '../../../local/stack/binaries.ts';
import type { ServerProcess } from '../../../local/stack/server-process.ts';
import type { LocalStack } from '../../../local/stack/stack.ts';
import { startTemporalServer } from '../../../local/stack/temporal-server.ts';
import { bundleWorkflows, installQuietRuntime } from '../../fakes/temporal.ts';
import { until } from '../../system/deployment.ts';
import { binaries, startTestStack } from '../../system/test-stack.ts';

export class Stage {
  readonly stack: LocalStack;
  readonly directory: string;
  /** File of the workflow code. */
  readonly bundle: string;
  readonly client: Client;
  readonly #connection: Connection;
  #restarted: ServerProcess | undefined;

  private constructor(stack: LocalStack, directory: string, bundle: string, connection: Connection) {
    this.stack = stack;
    this.directory = directory;
    this.bundle = bundle;
    this.#connection = connection;
    this.client = new Client({ connection });
    // The SDK of this process reads them from here.
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) process.env[name] = stack.env[name];
  }

  static async start(interceptors: readonly string[]): Promise<Stage> {
    installQuietRuntime();
    const directory = await mkdtemp(join(tmpdir(), 'faults-'));
    const bundle = join(directory, 'workflows.js');
    const [stack] = await Promise.all([
      startTestStack(join(directory, 'stack')),
      bundleWorkflows({ interceptors: ['short-time-outs.ts', ...interceptors].map(ofHarness) }).then(({ code }) =>
        writeFile(bundle, code),
      ),
    ]);
    const connection = await Connection.connect({ address: stack.env['TEMPORAL_ADDRESS'] ?? '' });
    return new Stage(stack, directory, bundle, connection);
  }

  /** SIGKILL to the Temporal server; resolves when the process is gone, so that its database may be opened again. */
  async killTemporal(): Promise<void> {
    const pid = Number(await readFile(this.#temporalFile('pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until('the Temporal server is gone', async () => ((await isAlive(pid)) ? undefined : true), 10_000);
  }

  /** Starts it again on the same database and port. */
  async restartTemporal(): Promise<void> {
    this.#restarted = await startTemporalServer({
      executable: await findBinary('temporal', binaries, () => undefined),
      databaseFile: join(this.directory, 'stack', 'temporal.db'),
      logFile: this.#temporalFile('log'),
      pidFile: this.#temporalFile('pid'),
      log: () => undefined,
      port: Number(this.stack.env['TEMPORAL_ADDRESS']?.split(':')[1]),
      uiPort: null,
      keywordAttributes: [],
    });
  }

  #temporalFile(kind: 'pid' | 'log'): string {
    return join(this.directory, 'stack', `temporal.${kind}`);
  }

  async stop(): Promise<void> {
    await this.#connection.close();
    await this.#restarted?.stop();
    await this.stack.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/**
 * Started by the first test of the file that runs, stopped after the last.
 * @param interceptors modules of this folder that change what workflows ask for, besides `short-time-outs.ts`
 */
export function faultStage(interceptors: readonly string[] = []): () => Promise<Stage> {
  let stage: Promise<Stage> | undefined;
  after(async () => (await stage)?.stop());
  return () => (stage ??= Stage.start(interceptors));
}

function ofHarness(module: string): string {
  return resolve(import.meta.dirname, module);
}

async function isAlive(pid: number): Promise<boolean> {
  // A process whose parent has not looked yet is still listed, as a zombie.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !state.includes(') Z ');
}
