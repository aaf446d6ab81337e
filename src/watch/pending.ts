/** What a run is waiting for: its activities with their tries and last failures, its workflow task. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { tsToDate } from '@temporalio/common/lib/time.js';
import { type Failure, readFailure } from '../failures.ts';
import type { PendingActivity, RunningFacts } from './rules/facts.ts';

type Described = WorkflowExecutionDescription['raw'];
type Pending = NonNullable<Described['pendingActivities']>[number];

const MAX_MESSAGE = 1_000;
const FAILURES = new DefaultFailureConverter();

export function pendingOf({
  pendingActivities,
  pendingWorkflowTask,
}: Described): Pick<RunningFacts, 'activities' | 'workflowTaskAttempt' | 'heardAt'> {
  const heard = (pendingActivities ?? [])
    .flatMap(({ lastHeartbeatTime, lastStartedTime }) => [lastHeartbeatTime, lastStartedTime])
    .flatMap((time) => (time === null || time === undefined ? [] : [tsToDate(time).toISOString()]))
    .toSorted();
  return {
    activities: (pendingActivities ?? []).map(activityFacts),
    workflowTaskAttempt: pendingWorkflowTask?.attempt ?? 0,
    heardAt: heard.at(-1) ?? null,
  };
}

function activityFacts({ activityType, attempt, lastFailure }: Pending): PendingActivity {
  const name = activityType?.name ?? 'an activity';
  return { name, attempt: attempt ?? 1, lastFailure: lastFailure ? failureFacts(name, lastFailure) : null };
}

function failureFacts(activity: string, failure: NonNullable<Pending['lastFailure']>): Failure {
  const error = FAILURES.failureToError(failure, defaultPayloadConverter);
  return { ...readFailure(error, MAX_MESSAGE), activity };
}
