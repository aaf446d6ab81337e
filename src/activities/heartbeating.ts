/** Heartbeats on a timer: a worker that dies is noticed, and cancellation arrives, however long one step takes. */
import { activityInfo, heartbeat } from '@temporalio/activity';

/**
 * Runs `work` and reports `details()` at a quarter of the heartbeat time-out until it ends.
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
