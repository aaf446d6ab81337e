/** How this process is told to end: a supervisor's SIGTERM, Ctrl-C, a terminal that closes. */

export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

let stopping: AbortController | undefined;

/**
 * Aborts at the first of these signals. Later ones are ignored: a supervisor that signals the whole process group reaches a
 * process twice, once through its parent, and an orderly end must not be cut short by that.
 */
export function stopSignal(): AbortSignal {
  if (stopping === undefined) {
    const controller = new AbortController();
    for (const signal of STOP_SIGNALS)
      process.on(signal, () => {
        controller.abort(new Error(`told to end by ${signal}`));
      });
    stopping = controller;
  }
  return stopping.signal;
}

/** Resolves when the process is told to end. */
export function toldToStop(): Promise<void> {
  const signal = stopSignal();
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
