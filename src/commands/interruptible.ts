/** Work of this process that Ctrl-C or SIGTERM ends cleanly. */
import { CommandError } from './command-error.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` with a signal that aborts on SIGINT, SIGTERM or SIGHUP; an error after that is reported as the interruption.
 * @param message what a person reads who interrupted it
 */
export async function interruptible<T>(message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = (): void => {
    stop.abort(new CommandError(message));
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}
