/** What activities ask their context for: heartbeats on a timer, and until when a call may go on waiting. */
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
 * @param details counts for the eye; no later attempt relies on them
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
 * The instant, in ms, at which a call that was given so much time must return. An attempt after one that failed or was killed
 * has only what that one left: what the workflow does when the time is up must not wait for several times of it.
 */
export function callDeadline(maxSeconds: number): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  // Both are by the server's clock, from which this machine's may differ.
  const spentMs = Math.max(0, currentAttemptScheduledTimestampMs - scheduledTimestampMs);
  return Date.now() + maxSeconds * 1000 - spentMs;
}
