/** What the fault tests of a file share: one embedded stack, and workflow code with short time-outs. Each test has a scene of its own on it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { Client, Connection } from '@temporalio/client';
import { findBinary } from '../../../local/stack/binaries.ts';
import type { ServerProcess } from '../../../local/stack/server-process.ts';
import type { LocalStack } from '../../../local/stack/stack.ts';
import { startTemporalServer } from '../../../local/stack/temporal-server.ts';
import { writeWorkflowBundle } from '../../../src/workflow-bundle.ts';
import { installQuietRuntime } from '../../fakes/temporal.ts';
import { until } from '../../system/deployment.ts';
import { binaries, startTestStack } from '../../system/test-stack.ts';

/** A killed worker is noticed after this time. */
const HEARTBEAT_SECONDS = 3;

/** Pieces of the workflow code, and what is there instead. */
type Shortened = readonly (readonly [long: string, short: string])[];

const SHORTENED: Shortened = [
  ['heartbeatTimeout: "15 seconds"', `heartbeatTimeout: "${HEARTBEAT_SECONDS} seconds"`],
  ['initialInterval: "2 seconds"', 'initialInterval: "300 milliseconds"'],
  ['maximumInterval: "5 minutes"', 'maximumInterval: "2 seconds"'],
  // Activities without heartbeats; longer than the 30 s after which a request is given up.
  ['startToCloseTimeout: "2 minutes"', 'startToCloseTimeout: "45 seconds"'],
];

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

  static async start(shortened: Shortened): Promise<Stage> {
    installQuietRuntime();
    const directory = await mkdtemp(join(tmpdir(), 'faults-'));
    const bundle = join(directory, 'workflows.js');
    const [stack] = await Promise.all([
      startTestStack(join(directory, 'stack')),
      writeWorkflowBundle(bundle).then(() => shorten(bundle, [...SHORTENED, ...shortened])),
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
 * @param shortened more time-outs, for this file only
 */
export function faultStage(shortened: Shortened = []): () => Promise<Stage> {
  let stage: Promise<Stage> | undefined;
  after(async () => (await stage)?.stop());
  return () => (stage ??= Stage.start(shortened));
}

/** Production's time-outs would make every kill cost a quarter of a minute. */
async function shorten(bundle: string, shortened: Shortened): Promise<void> {
  let code = await readFile(bundle, 'utf8');
  for (const [long, short] of shortened) {
    const pattern = new RegExp(long.replaceAll('"', `["']`), 'g');
    assert.match(code, pattern, `the workflow bundle has no ${long}`);
    code = code.replace(pattern, short);
  }
  await writeFile(bundle, code);
}

async function isAlive(pid: number): Promise<boolean> {
  // A process whose parent has not looked yet is still listed, as a zombie.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !state.includes(') Z ');
}
