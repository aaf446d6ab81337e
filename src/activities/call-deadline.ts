/** Until when a call of an activity that waits for something may go on waiting. */
import { activityInfo } from '@temporalio/activity';

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
