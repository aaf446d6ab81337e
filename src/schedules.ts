/** The schedules of the jobs, as Temporal takes them. Pausing belongs to the operators. */
import {
  ScheduleAlreadyRunning,
  type ScheduleClient,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '@temporalio/client';
import { JOBS } from './jobs.ts';

/** @param workerTaskQueue Temporal worker task queue on which the runs start */
export function schedules(workerTaskQueue: string): ScheduleOptions[] {
  return Object.entries(JOBS).flatMap(([workflowType, job]) => {
    if (job.schedule === null) return [];
    const { cron, overlap, catchupWindow, summary } = job.schedule;
    return [
      {
        scheduleId: job.name,
        spec: { cronExpressions: [cron], timezone: 'UTC' },
        policies: { overlap: ScheduleOverlapPolicy[overlap], catchupWindow, pauseOnFailure: false },
        action: {
          type: 'startWorkflow',
          workflowType,
          workflowId: job.name,
          taskQueue: workerTaskQueue,
          args: [{}],
          staticSummary: summary,
          staticDetails: job.details,
        },
      },
    ];
  });
}

export type Applied = 'created' | 'updated';

/** Creates a schedule or brings an existing one up to date; keeps its state, such as a pause and its note. */
export async function applySchedule(client: ScheduleClient, wanted: ScheduleOptions): Promise<Applied> {
  try {
    await client.create(wanted);
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const { spec, action, policies } = wanted;
  await client
    .getHandle(wanted.scheduleId)
    .update((previous) => ({ ...previous, spec, action, ...(policies !== undefined && { policies }) }));
  return 'updated';
}
