/** What a run is waiting for: its activities with their tries and last failures, its workflow task. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { tsToDate } from '@temporalio/common/lib/time.js';
import type { Failure } from '../failures.ts';
import { plainText } from '../pipeline/plain-text.ts';
import type { PendingActivity, RunningFacts } from './rules/facts.ts';

type Described = WorkflowExecutionDescription['raw'];
type Pending = NonNullable<Described['pendingActivities']>[number];

const MAX_MESSAGE = 1_000;
/** Names of Temporal's time limits by their numbers. */
const TIMEOUTS = ['TIMEOUT', 'START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'] as const;

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
  const { applicationFailureInfo, timeoutFailureInfo, message } = failure;
  const type = applicationFailureInfo?.type ?? '';
  return {
    type: type === 'Error' || type === '' ? null : type,
    message: plainText(message ?? 'no message').slice(0, MAX_MESSAGE),
    activity,
    timeout: timeoutFailureInfo ? TIMEOUTS[timeoutFailureInfo.timeoutType ?? 0] : null,
  };
}
