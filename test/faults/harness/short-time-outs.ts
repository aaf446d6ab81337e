/** Workflow interceptor: production's time-outs would make every kill of a worker cost a quarter of a minute. */
import type { ActivityOptions, WorkflowInterceptors } from '@temporalio/workflow';

export const interceptors = (): WorkflowInterceptors => ({
  outbound: [{ scheduleActivity: (input, next) => next({ ...input, options: shortened(input.options) }) }],
});

function shortened({ heartbeatTimeout, ...options }: ActivityOptions): ActivityOptions {
  return {
    ...options,
    ...(heartbeatTimeout === undefined
      ? // Longer than the 30 s after which a request is given up.
        { startToCloseTimeout: '45 seconds' }
      : // A killed worker is noticed after this time.
        { heartbeatTimeout: '3 seconds' }),
    retry: { ...options.retry, initialInterval: '300 milliseconds', maximumInterval: '2 seconds' },
  };
}
