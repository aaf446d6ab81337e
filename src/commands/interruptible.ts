/** Work of this process that Ctrl-C or SIGTERM ends cleanly. */
import { STOP_SIGNALS } from '../stop-signal.ts';
import { CommandError } from './command-error.ts';

/**
 * Runs `work` with a signal that aborts on SIGINT, SIGTERM or SIGHUP; an error after that is reported as the interruption.
 * @param message what a person reads who interrupted it
 */
export async function interruptible<T>(message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = (): void => {
    stop.abort(new CommandError(message));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
  }
}
