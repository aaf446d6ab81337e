/** Logs: one JSON line each, constant messages, variables as fields. */
import pino, { type Logger } from 'pino';
import type { Config } from './config.ts';
import { visibleText, withoutSecrets } from './pipeline/plain-text.ts';

export type { Logger } from 'pino';

interface LogOptions {
  /** Values that must appear in no line. */
  readonly secrets: readonly string[];
  /** Keeps the last lines of each workflow as well, for alerts. */
  readonly tail?: { write: (line: string) => void };
}

export function createLogger(
  config: Pick<Config, 'TELEMETRY_LOG_LEVEL'>,
  part: string,
  { secrets, tail }: LogOptions,
): Logger {
  // Temporal's own entries carry their errors as `error`, ours as `err`.
  const serializers = { error: pino.stdSerializers.err, err: pino.stdSerializers.err };
  const options = {
    serializers,
    base: { part },
    level: config.TELEMETRY_LOG_LEVEL,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, {
    write: (text: string) => {
      // JSON leaves C1 controls and marks of direction as they are.
      const line = visibleText(withoutSecrets(text, secrets));
      process.stdout.write(line);
      tail?.write(line);
    },
  });
}
