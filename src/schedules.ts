/** Every schedule of the application as data: what stands here is what Temporal runs. Pausing belongs to the operators. */
import {
  ScheduleAlreadyRunning,
  type ScheduleClient,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '@temporalio/client';
import type { dailyAnalysis } from './workflows/daily-analysis.ts';
import type { garbageCollection } from './workflows/garbage-collection.ts';
import type { websiteUpdate } from './workflows/website-update.ts';

/** @param workerTaskQueue Temporal worker task queue on which the runs start */
export function schedules(workerTaskQueue: string): ScheduleOptions[] {
  return [
    {
      scheduleId: 'daily-analysis',
      // Half a day after the day's end, when the converter has stored all of its submissions.
      spec: { cronExpressions: ['31 13 * * *'], timezone: 'UTC' },
      // Every missed day is run, one after the other.
      policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: '4 days', pauseOnFailure: false },
      action: {
        type: 'startWorkflow',
        workflowType: 'dailyAnalysis',
        workflowId: 'daily-analysis',
        taskQueue: workerTaskQueue,
        args: [{}] satisfies Parameters<typeof dailyAnalysis>,
        staticSummary: 'Daily analysis of the day before',
        staticDetails:
          'Lists the submissions of the day, has them analysed, merges the results and publishes the data set.',
      },
    },
    {
      scheduleId: 'website-update',
      spec: { cronExpressions: ['22 12 * * *'], timezone: 'UTC' },
      // Only the newest website matters: no run waits for another one, and a missed run is soon worth nothing.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour', pauseOnFailure: false },
      action: {
        type: 'startWorkflow',
        workflowType: 'websiteUpdate',
        workflowId: 'website-update',
        taskQueue: workerTaskQueue,
        args: [{}] satisfies Parameters<typeof websiteUpdate>,
        staticSummary: 'Daily update of the website',
        staticDetails: 'Publishes the newest files of the website that the workers are configured with, if any.',
      },
    },
    {
      scheduleId: 'garbage-collection',
      // Long after the day's publish, when hardly anything else runs.
      spec: { cronExpressions: ['47 4 * * *'], timezone: 'UTC' },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour', pauseOnFailure: false },
      action: {
        type: 'startWorkflow',
        workflowType: 'garbageCollection',
        workflowId: 'garbage-collection',
        taskQueue: workerTaskQueue,
        args: [{}] satisfies Parameters<typeof garbageCollection>,
        staticSummary: 'Daily garbage collection',
        staticDetails:
          'Removes folders of the data set that no commit of the last days names, and parts of merged chunks.',
      },
    },
  ];
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
