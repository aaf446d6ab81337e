/**
 * Waiting with an end. Not every client takes a signal: work that ignores it is abandoned, and no caller waits for it.
 */

/** @throws the signal's reason as soon as it aborts; when it has aborted before, the work is not begun */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * @param work gets a signal that aborts when the time is up
 * @throws Error `no answer within … s`
 */
export async function withDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`no answer within ${ms / 1000} s`));
  }, ms);
  try {
    return await unlessAborted(controller.signal, () => work(controller.signal));
  } finally {
    clearTimeout(timer);
  }
}
