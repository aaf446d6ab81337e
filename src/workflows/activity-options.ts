/** Time-outs by kind of work. All but `look` retry for as long as `scheduleToCloseTimeout` lets them; activities say what must not be retried. */
import type { ActivityOptions } from '@temporalio/workflow';

const retry = { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '5 minutes' } as const;

export const activityOptions = {
  /** A few S3 or SQS calls. */
  quick: { startToCloseTimeout: '2 minutes', scheduleToCloseTimeout: '6 hours', retry },
  /** A walk over the input bucket, a whole plan, a merge or a snapshot. `heartbeatTimeout` bounds how long a killed worker goes unnoticed. */
  scan: { startToCloseTimeout: '4 hours', scheduleToCloseTimeout: '12 hours', heartbeatTimeout: '15 seconds', retry },
  /** One call of the drain, which returns by itself after ten minutes. */
  drain: {
    startToCloseTimeout: '15 minutes',
    scheduleToCloseTimeout: '6 hours',
    heartbeatTimeout: '15 seconds',
    retry,
  },
  /**
   * The commit: short, but a worker killed in it must not block the data set for the longest time that a commit may
   * take.
   */
  commit: {
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '6 hours',
    heartbeatTimeout: '15 seconds',
    retry,
  },
  /** Something that readers can do without: the run waits no longer than this. */
  look: {
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: '2 hours',
    heartbeatTimeout: '15 seconds',
    retry: { ...retry, maximumAttempts: 5 },
  },
  /** Mail and the like: the run waits no longer than this. */
  alert: {
    startToCloseTimeout: '2 minutes',
    scheduleToCloseTimeout: '15 minutes',
    retry: { ...retry, maximumInterval: '1 minute' },
  },
} satisfies Record<string, ActivityOptions>;
