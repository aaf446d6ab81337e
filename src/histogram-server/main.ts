/** The histogram server's process: answers requests until it is told to end. */
import { CommandError } from '../commands/command-error.ts';
import { type Config, secretValues } from '../config.ts';
import { createLogger } from '../observability.ts';
import { serverRevisionCache } from './configured-cache.ts';
import { HistogramHttpServer } from './http-server.ts';
import { histogramRoutes } from './routes.ts';
import { toldToStop } from '../stop-signal.ts';

const ANSWER_MARGIN_MS = 15_000;
/** More are closed at once. */
const CONNECTIONS_AT_ONCE = 256;

export async function runHistogramServer(config: Config): Promise<void> {
  const logger = createLogger(config, 'histogram-server', { secrets: secretValues(config) });
  const revisions = serverRevisionCache(config, logger);
  const { TELEMETRY_HISTOGRAM_UPSTREAM: upstream } = config;
  const app = histogramRoutes({
    revisions,
    upstream: upstream === 'none' ? null : new URL(upstream).host,
    onError: (err) => {
      logger.error({ err }, 'request failed');
    },
  });
  const server = new HistogramHttpServer(app, {
    host: config.TELEMETRY_HISTOGRAM_HOST,
    port: config.TELEMETRY_HISTOGRAM_PORT,
    maxConnections: CONNECTIONS_AT_ONCE,
    answerTimeoutMs: config.TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS * 1000 + ANSWER_MARGIN_MS,
  });
  const told = toldToStop();
  const address = await server.listen().catch((error: unknown) => {
    throw new CommandError(
      `the histogram server cannot take requests (${(error as Error).message}): end what uses the address, or set TELEMETRY_HISTOGRAM_HOST and TELEMETRY_HISTOGRAM_PORT`,
      { cause: error },
    );
  });
  logger.info({ address, upstream }, 'histogram server started');
  await told;
  // Requests that wait for the upstream are answered now: the process must not run on for half a minute.
  revisions.close();
  await server.stop();
  logger.info({ lookUps: revisions.counts }, 'histogram server stopped');
}
