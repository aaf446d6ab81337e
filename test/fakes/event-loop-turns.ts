/** How long the event loop of this process is held. */

/**
 * The longest turn of the event loop while `work` runs, in ms of this thread's CPU: seconds by the clock would also count
 * the time in which a busy machine runs something else.
 */
export async function longestTurn<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  let longest = 0;
  let last = cpuMicroseconds();
  const look = (): void => {
    const now = cpuMicroseconds();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  try {
    const value = await work();
    look();
    return { ms: longest / 1000, value };
  } finally {
    clearInterval(timer);
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
