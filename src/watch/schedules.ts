/** Schedules as the server has them beside what the code says, and who polls the worker task queues. */
import { type Client, ScheduleNotFoundError, type ScheduleOptions } from '@temporalio/client';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { alertTaskQueue } from '../names.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import type { ScheduleFacts, WorkerFacts } from './rules/facts.ts';
import { schedules } from '../schedules.ts';
import { scheduleDifferences } from '../setup/schedule-items.ts';

export function scheduleFacts(client: Client, workerTaskQueue: string): Promise<ScheduleFacts[]> {
  return Promise.all(schedules(workerTaskQueue).map((wanted) => factsOf(client, wanted)));
}

async function factsOf(client: Client, wanted: ScheduleOptions): Promise<ScheduleFacts> {
  const expected = {
    id: wanted.scheduleId,
    cron: wanted.spec.cronExpressions?.[0] ?? '',
    catchupSeconds: msToNumber(wanted.policies?.catchupWindow ?? '1 minute') / 1000,
  };
  try {
    const actual = await client.schedule.getHandle(wanted.scheduleId).describe();
    const { state, info } = actual;
    return {
      ...expected,
      exists: true,
      createdAt: info.createdAt.toISOString(),
      nextAt: info.nextActionTimes[0]?.toISOString() ?? null,
      paused: state.paused,
      note: state.note === undefined ? null : plainLine(state.note),
      lastScheduledAt: info.recentActions.at(-1)?.scheduledAt.toISOString() ?? null,
      running: info.runningActions.length,
      differences: scheduleDifferences(actual, wanted),
    };
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return { ...expected, ...ABSENT };
  }
}

const ABSENT = {
  exists: false,
  createdAt: null,
  nextAt: null,
  paused: false,
  note: null,
  lastScheduledAt: null,
  running: 0,
  differences: [],
} as const;

/** What to ask the server for; without a kind it lists who polls for workflow tasks. */
const WORKFLOWS = {};
const ACTIVITIES = { taskQueueType: 2 };

export function workerFacts(client: Client, workerTaskQueue: string): Promise<WorkerFacts[]> {
  return Promise.all([
    pollersOf(client, workerTaskQueue, WORKFLOWS),
    pollersOf(client, alertTaskQueue(workerTaskQueue), ACTIVITIES),
  ]);
}

async function pollersOf(client: Client, name: string, kind: object): Promise<WorkerFacts> {
  const { namespace } = client.options;
  const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, ...kind });
  return { workerTaskQueue: name, pollers: [...new Set(pollers.map(({ identity }) => identity ?? 'a worker'))] };
}
