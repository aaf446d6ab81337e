/** Temporal's own log entries, in the same stream as ours. */
import { DefaultLogger, type LogLevel } from '@temporalio/worker';
import type { Config } from './config.ts';
import type { Logger } from './observability.ts';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** The logger that Temporal's runtime, workflows and activities write to. */
export function temporalLogger(logger: Logger, level: Config['TELEMETRY_LOG_LEVEL']): DefaultLogger {
  return new DefaultLogger(level.toUpperCase() as LogLevel, (entry) => {
    logger[LEVELS[entry.level]]({ ...entry.meta }, entry.message);
  });
}
