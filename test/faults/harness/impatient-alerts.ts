/** Workflow interceptor: a run gives up telling people after a minute, not after a quarter of an hour. */
import type { WorkflowInterceptors } from '@temporalio/workflow';

export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: (input, next) =>
        input.activityType === 'notify'
          ? next({ ...input, options: { ...input.options, scheduleToCloseTimeout: '1 minute' } })
          : next(input),
    },
  ],
});
