/** A deployment that is well, as the watchdog sees it, and what can be otherwise. */
import type { Facts, QueueFacts, RunningFacts, ScheduleFacts, WatchedRun } from '../../src/watch/rules/facts.ts';

export const NOW = '2014-04-24T15:00:00.000Z';
export const TODAY_DUE = '2014-04-24T13:31:00.000Z';
export const NONE = { count: 0, more: false, oldest: null };
const DEPTH = { known: { visible: 0, inFlight: 0, delayed: 0 } };

export const SCHEDULE: ScheduleFacts = {
  id: 'daily-analysis',
  exists: true,
  cron: '31 13 * * *',
  catchupSeconds: 4 * 86_400,
  createdAt: '2014-04-23T12:00:00.000Z',
  nextAt: '2014-04-25T13:31:00.000Z',
  paused: false,
  note: null,
  lastScheduledAt: TODAY_DUE,
  running: 0,
  differences: [],
};

export const RUN: WatchedRun = {
  job: 'daily-analysis',
  about: '20140423',
  workflowId: 'daily-analysis-20140423',
  runId: 'r1',
  analysisRun: 'f0000000-0000-4000-8000-000000000001',
  status: 'COMPLETED',
  startedAt: TODAY_DUE,
  endedAt: '2014-04-24T14:00:00.000Z',
  failure: null,
  running: null,
};

export const RUNNING: RunningFacts = {
  phase: 'draining the done queue',
  facts: {},
  tasks: null,
  activities: [],
  workflowTaskAttempt: 0,
  heardAt: NOW,
};

const QUEUES: readonly QueueFacts[] = [
  { queue: 'tasks', role: 'tasks', depth: DEPTH, oldestAt: null },
  { queue: 'done', role: 'done', depth: DEPTH, oldestAt: null },
  { queue: 'tasks-dlq', role: 'dead letters', depth: DEPTH, oldestAt: null },
];

export const DATA_SET = {
  versions: 's3://public/v7/versions.json',
  seq: 3,
  commit: 'c3',
  at: '2014-04-24T14:00:00.000Z',
  channelVersions: [],
  recentDays: [
    {
      day: '20140422',
      planned: 1,
      done: 1,
      failed: 0,
      missing: 0,
      filesMissing: 0,
      planAt: '2014-04-23T13:32:00.000Z',
    },
    {
      day: '20140423',
      planned: 1,
      done: 1,
      failed: 0,
      missing: 0,
      filesMissing: 0,
      planAt: '2014-04-24T13:32:00.000Z',
    },
  ],
  days: 2,
  rounds: 0,
  firstDay: '20140422',
  unreferencedFolders: { ...NONE, names: [] },
  unreferencedRounds: NONE,
};

const LEFTOVERS = {
  quarantine: { total: NONE, recent: 0, acknowledged: 0, reasons: {}, read: 0 },
  waiting: NONE,
  openFailures: [],
  acknowledged: [],
  undelivered: { ...NONE, subjects: [] },
};

export const WELL: Facts = {
  at: NOW,
  dataSet: { known: DATA_SET },
  projections: { known: { differing: [], behind: false } },
  runs: { known: { runs: [RUN], stranded: [] } },
  analysisWorkers: { known: [] },
  schedules: { known: [SCHEDULE] },
  workers: { known: [{ workerTaskQueue: 'telemetry', pollers: ['1@host'] }] },
  queues: QUEUES,
  changes: { known: { seq: 7, changes: 0, newest: [], silences: [], skipped: 0 } },
  leftovers: { known: LEFTOVERS },
  adoptsForeignResults: false,
};

export const dataSet = (changes: Partial<typeof DATA_SET>): Partial<Facts> => ({
  dataSet: { known: { ...DATA_SET, ...changes } },
});
export const runs = (...changes: Partial<WatchedRun>[]): Partial<Facts> => ({
  runs: { known: { runs: changes.map((change) => ({ ...RUN, ...change })), stranded: [] } },
});
export const schedule = (change: Partial<ScheduleFacts>): Partial<Facts> => ({
  schedules: { known: [{ ...SCHEDULE, ...change }] },
});
export const leftovers = (change: object): Partial<Facts> => ({ leftovers: { known: { ...LEFTOVERS, ...change } } });
export const queue = (name: string, change: Partial<QueueFacts>): Partial<Facts> => ({
  queues: QUEUES.map((each) => (each.queue === name ? { ...each, ...change } : each)),
});

export const FAILURE = { type: 'InvalidFilter', message: 'no dimensions', activity: 'renderFilter', timeout: null };
export const FAILED = { status: 'FAILED', failure: FAILURE };
export const OTHER_DAY = { about: '20140421', workflowId: 'daily-analysis-20140421' };
export const OPEN = {
  job: 'daily-analysis',
  about: '20140421',
  failedAt: NOW,
  type: 'InvalidFilter',
  message: 'no dimensions',
};
export const SEEN = {
  host: 'spot-1',
  pid: 7,
  startedAt: '2014-04-24T13:40:00.000Z',
  tasksDone: 9,
  tasksFailed: 0,
  atWork: [],
  seenAt: '2014-04-24T14:59:30.000Z',
};
export const ACKNOWLEDGED = {
  id: 'daily-analysis/20140423',
  reason: 'no submissions that day',
  by: 'ops@host',
  at: '2014-04-24T14:30:00.000Z',
};
/** A daily run with open tasks. */
export function atWork(change: Partial<WatchedRun>, lastResultAt: string | null = null): Partial<Facts> {
  const tasks = { planned: 20, done: 9, failed: 0, open: 11, lastResultAt };
  return runs({ status: 'RUNNING', endedAt: null, running: { ...RUNNING, tasks }, ...change });
}
export const stranded = (change: object): Partial<Facts> => ({
  runs: {
    known: {
      runs: [RUN],
      stranded: [
        {
          ...{ workflowId: 'daily-x', workflowType: 'dailyAnalysis', workerTaskQueue: 'telemetry' },
          ...{ startedAt: '2014-04-24T14:00:00.000Z', why: 'unknown type' as const, ...change },
        },
      ],
    },
  },
});
export const days = (first: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...DATA_SET.recentDays[0]!, day: String(Number(first) + index) }));
export const channelVersion = {
  channelVersion: 'nightly/28',
  folder: '20140424133000-28-nightly',
  renderedAt: NOW,
  newestDay: null,
  days: 1,
  definitionsPending: 0,
};
