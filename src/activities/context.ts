/** What activities need from their context: heartbeats on a timer, and how long a call may wait. */
import { activityInfo, Context, heartbeat } from '@temporalio/activity';

/** False where a command or a test calls an activity itself. */
export function inActivityContext(): boolean {
  try {
    Context.current();
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `work` and reports `details()` at a quarter of the heartbeat time-out until it ends, so that a worker that dies is
 * noticed and cancellation arrives, however long one step takes.
 * @param details counts for people; no later attempt relies on them
 */
export async function heartbeating<T>(details: () => unknown, work: () => Promise<T>): Promise<T> {
  const timeout = activityInfo().heartbeatTimeoutMs ?? 60_000;
  heartbeat(details());
  const timer = setInterval(() => {
    heartbeat(details());
  }, timeout / 4);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The instant, in ms, at which a call with this time limit must return. A later attempt has only the time that earlier
 * ones left: the workflow must not wait for a multiple of the limit.
 */
export function callDeadline(maxSeconds: number): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  // Both are by the server's clock, from which this machine's may differ.
  const spentMs = Math.max(0, currentAttemptScheduledTimestampMs - scheduledTimestampMs);
  return Date.now() + maxSeconds * 1000 - spentMs;
}
