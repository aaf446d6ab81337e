/** The one way to Temporal: with the connection settings that the `temporal` CLI would use, and for a bounded time. */
import { Client, Connection } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { temporalConnectConfig } from '../config.ts';
import { withDeadline } from '../deadline.ts';
import { errorText } from '../setup/run-items.ts';
import { CommandError } from './command-error.ts';

const CONNECT_MS = 10_000;

export interface TemporalServer<Connected> {
  readonly address: string;
  readonly namespace: string;
  /**
   * Connects once, on first use.
   * @throws CommandError with the address that does not answer, the reason, and what to do
   */
  readonly connection: () => Promise<Connected>;
  readonly close: () => Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

export function temporalServer(): Promise<TemporalServer<Connection>> {
  return serverFor((options) => Connection.connect({ ...options, connectTimeout: CONNECT_MS }));
}

/** @param connect of a kind of connection; a worker's is not a client's */
export async function serverFor<Connected extends Closable>(
  connect: (options: ClientConnectConfig['connectionOptions']) => Promise<Connected>,
): Promise<TemporalServer<Connected>> {
  const { connectionOptions, namespace = 'default' } = await temporalConnectConfig();
  const { address = 'localhost:7233' } = connectionOptions;
  let connected: Promise<Connected> | undefined;
  const connectOnce = async (): Promise<Connected> => {
    try {
      // Only a client's connection has a time-out of its own, and its message says more, so it should come first.
      return await withDeadline(CONNECT_MS + 1000, () => connect(connectionOptions));
    } catch (error) {
      throw new CommandError(
        `no Temporal server answers at ${address} (${errorText(error)}): start one ("npm run -s telemetry -- up"), use --local for the embedded one, or set TEMPORAL_ADDRESS`,
        { cause: error },
      );
    }
  };
  return {
    address,
    namespace,
    connection: () => (connected ??= connectOnce()),
    close: async () => {
      const connection = await connected?.catch(() => undefined);
      await connection?.close();
    },
  };
}

export async function withTemporalClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const server = await temporalServer();
  try {
    return await use(new Client({ connection: await server.connection(), namespace: server.namespace }));
  } finally {
    await server.close();
  }
}
