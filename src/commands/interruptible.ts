/** Work of this process that Ctrl-C or SIGTERM ends cleanly. */
import { STOP_SIGNALS } from '../stop-signal.ts';
import { CommandError, type ExitCode } from './command-error.ts';

/** What a shell reports of a program that such a signal ended: a script must take it neither for done nor for failed. */
const EXIT_CODES: Readonly<Record<(typeof STOP_SIGNALS)[number], ExitCode>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/**
 * Runs `work` with a signal that aborts on SIGINT, SIGTERM or SIGHUP; an error after that is reported as the interruption.
 * @param message what a person reads who interrupted it
 */
export async function interruptible<T>(message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = (signal: (typeof STOP_SIGNALS)[number]): void => {
    stop.abort(new CommandError(message, { exitCode: EXIT_CODES[signal] }));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    // A second signal, as npm passes it on, must not cut off what the first one is told.
    if (!stop.signal.aborted) for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
  }
}
