/** The embedded Temporal server: the CLI's development server on loopback, its state in one SQLite file. */
import { Connection } from '@temporalio/client';
import { keepClosedRuns } from '../../src/setup/namespace.ts';
import { LOOPBACK } from './free-ports.ts';
import { type ServerProcess, ServerStartError, startServerProcess } from './server-process.ts';

export const LOCAL_NAMESPACE = 'default';

const PROBE_TIMEOUT_MS = 2_000;

export interface TemporalServerOptions {
  /** Path of the `temporal` program. */
  readonly executable: string;
  readonly databaseFile: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly log: (line: string) => void;
  readonly port: number;
  /** Port of the Web UI; null starts none. */
  readonly uiPort: number | null;
  /** Search attributes of type Keyword to register. */
  readonly keywordAttributes: readonly string[];
}

/**
 * Starts the server and waits until gRPC and the Web UI's API answer, then raises the retention to 30 days.
 * A database file must not be in use: SQLite refuses a second server.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<ServerProcess> {
  const server = await startAnyway(() => startOnce(options));
  try {
    await keepClosedWorkflows(options.port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

const STARTS = 3;

/** The program chooses more ports by itself, and sometimes one that is in use by then. */
async function startAnyway(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      const isTaken = error instanceof ServerStartError && error.portTaken;
      if (!isTaken || tries === STARTS) throw error;
    }
  }
}

function startOnce(options: TemporalServerOptions): Promise<ServerProcess> {
  return startServerProcess({
    name: 'Temporal server',
    executable: options.executable,
    args: [
      ...['server', 'start-dev', '--ip', LOOPBACK, '--log-level', 'error', '--db-filename', options.databaseFile],
      ...['--port', String(options.port)],
      ...(options.uiPort === null ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
      ...options.keywordAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    environment: {},
    logFile: options.logFile,
    pidFile: options.pidFile,
    log: options.log,
    isHealthy: () => isHealthy(options),
    startDeadlineMs: 30_000,
    stopDeadlineMs: 10_000,
  });
}

async function isHealthy({ port, uiPort }: TemporalServerOptions): Promise<boolean> {
  const connection = await connect(port);
  try {
    await connection.workflowService.describeNamespace({ namespace: LOCAL_NAMESPACE });
  } finally {
    await connection.close();
  }
  if (uiPort === null) return true;
  // The UI serves its pages before it can reach the server, so `/` would answer too early.
  const answer = await fetch(`http://${LOOPBACK}:${uiPort}/api/v1/namespaces`, {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  await answer.body?.cancel();
  return answer.ok;
}

/** The development server keeps them for 24 h only. */
async function keepClosedWorkflows(port: number): Promise<void> {
  const connection = await connect(port);
  try {
    await keepClosedRuns(connection, LOCAL_NAMESPACE);
  } finally {
    await connection.close();
  }
}

function connect(port: number): Promise<Connection> {
  return Connection.connect({ address: `${LOOPBACK}:${port}`, tls: false, connectTimeout: PROBE_TIMEOUT_MS });
}
