/** A Temporal client with the connection settings that the `temporal` CLI would use. */
import { Client, Connection } from '@temporalio/client';
import { temporalConnectConfig } from '../config.ts';
import { CommandError } from './command-error.ts';

export async function withTemporalClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const { connectionOptions, namespace } = await temporalConnectConfig();
  let connection: Connection;
  try {
    connection = await Connection.connect(connectionOptions);
  } catch (error) {
    const address = connectionOptions.address ?? 'localhost:7233';
    throw new CommandError(
      `No Temporal server answers at ${address}: start one ("npm run -s telemetry -- up"), use --local for the embedded one, or set TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
  try {
    return await use(new Client({ connection, namespace: namespace ?? 'default' }));
  } finally {
    await connection.close();
  }
}
