/**
 * Situations that need attention: what `check` prints, and which mails the runs of the situation send. Nothing that is no run
 * sends one, nor does a run that is stopped from outside: therefore `check` is run beside Temporal.
 */
import type { Facts } from '../../src/watch/rules/facts.ts';
import {
  ACKNOWLEDGED,
  atWork,
  channelVersion,
  DATA_SET,
  dataSet,
  days,
  FAILED,
  FAILURE,
  leftovers,
  NONE,
  NOW,
  OPEN,
  OTHER_DAY,
  queue,
  RUN,
  RUNNING,
  runs,
  schedule,
  SEEN,
  stranded,
  TODAY_DUE,
} from './watched-facts.ts';

/** Subjects of the mails, in the order of time. */
type Mails = readonly string[];

export const FOUND_SITUATIONS: readonly (readonly [
  name: string,
  changes: Partial<Facts>,
  line: RegExp,
  mails: Mails,
])[] = [
  [
    'stale data',
    {
      ...dataSet({ at: '2014-04-23T12:59:59.000Z', recentDays: DATA_SET.recentDays.slice(0, 1) }),
      at: '2014-04-24T01:31:01.000Z',
      ...runs(),
    },
    /^problem: stale data: the last commit \(3\) is 12 h old, and the run due at 2014-04-23T13:31:00.000Z has not published for 12 h/,
    [],
  ],
  [
    'nothing published',
    dataSet({ seq: 0, at: '2014-04-20T00:00:00.000Z' }),
    /nothing was published since the set-up/,
    [],
  ],
  [
    'an incomplete folder',
    { dataSet: { known: { ...DATA_SET, channelVersions: [{ ...channelVersion, hasManifest: false }] } } },
    /^problem: folder 20140424133000-28-nightly: .*_manifest.json is gone/,
    [],
  ],
  [
    'a failed run, with the action of its kind',
    runs(RUN, { ...OTHER_DAY, ...FAILED }),
    /failed .*InvalidFilter: no dimensions → Correct the filter template/,
    ['[daily-analysis] failed for 20140421'],
  ],
  [
    'a terminated run',
    runs(RUN, {
      ...OTHER_DAY,
      status: 'TERMINATED',
      failure: { ...FAILURE, type: null, message: 'by ann@laptop: wrong filter' },
    }),
    /was terminated 1 h ago by ann@laptop: wrong filter .* → .*run-day --day 20140421/,
    [],
  ],
  ['a run out of time', runs(RUN, { ...OTHER_DAY, status: 'TIMED_OUT' }), /timed out/, []],
  [
    'a failed website update',
    runs(RUN, { job: 'website-update', about: 'website', status: 'TERMINATED' }),
    /website publish/,
    [],
  ],
  [
    'a failure whose run is forgotten',
    leftovers({ openFailures: [OPEN] }),
    /^problem: daily-analysis 20140421: failed at .* → Correct the filter/,
    [],
  ],
  [
    'a failure and its run: one line',
    { ...runs(RUN, { ...OTHER_DAY, ...FAILED }), ...leftovers({ openFailures: [OPEN] }) },
    /^problem: daily-analysis 20140421: failed .* ago/,
    ['[daily-analysis] failed for 20140421'],
  ],
  [
    'a run that is too long at it',
    runs(RUN, { status: 'RUNNING', startedAt: '2014-04-23T14:59:00.000Z', endedAt: null, running: RUNNING }),
    /has run for 24 h.*phase: draining the done queue → .*finishWithMissing/,
    [],
  ],
  [
    'an activity that fails again and again',
    runs({
      status: 'RUNNING',
      endedAt: null,
      running: {
        ...RUNNING,
        activities: [
          { name: 'planTasks', attempt: 8, lastFailure: { ...FAILURE, type: 'AccessDenied', message: 'no' } },
        ],
      },
    }),
    /planTasks is at attempt 8: AccessDenied: no → Compare the worker’s role/,
    [],
  ],
  [
    'a workflow task that fails',
    runs({ status: 'RUNNING', endedAt: null, running: { ...RUNNING, workflowTaskAttempt: 3 } }),
    /workflow task fails .* → .*the release before/,
    [],
  ],
  [
    'continuous aggregation that does not run',
    { adoptsForeignResults: true },
    /continuous aggregation: does not run.* → .*aggregate --detach/,
    [],
  ],
  [
    'continuous aggregation that is silent',
    {
      adoptsForeignResults: true,
      ...runs(RUN, {
        job: 'continuous-aggregation',
        about: 'foreign-results',
        status: 'RUNNING',
        running: { ...RUNNING, heardAt: '2014-04-24T14:44:59.000Z' },
      }),
    },
    /continuous aggregation: not heard from for 15 min/,
    [],
  ],
  [
    'a paused schedule',
    schedule({ paused: true, note: 'moving' }),
    /^problem: schedule daily-analysis: is paused, note: moving → /,
    [],
  ],
  ['a schedule that does not exist', schedule({ exists: false, createdAt: null }), /does not exist → Create it/, []],
  [
    'a schedule that differs',
    schedule({ differences: ['the time is 0 0 * * *'] }),
    /the time is .* → .*schedules apply/,
    [],
  ],
  [
    'a missed run',
    schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z' }),
    /due at 2014-04-24T13:31:00.000Z was not started.* → See whether the Temporal server/,
    [],
  ],
  [
    'a missed run that is not caught up any more',
    schedule({ lastScheduledAt: null, catchupSeconds: 3_600 }),
    /the last one was due never → It is too late.*run-day --day 20140423/,
    [],
  ],
  [
    'a day that no run has analysed',
    { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs() },
    /^problem: daily-analysis 20140423: no run has analysed it → Run it: "telemetry run-day --day 20140423"/,
    [],
  ],
  [
    'a day whose run was canceled',
    { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({ status: 'CANCELED' }) },
    /its run was canceled 1 h ago .daily-analysis-20140423., and the day is not in the data set/,
    [],
  ],
  [
    'a day whose run ended well without it',
    { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({}) },
    /its run ended well 1 h ago .*not in the data set/,
    [],
  ],
  [
    'a day that failed long ago',
    {
      ...dataSet({ recentDays: [{ ...DATA_SET.recentDays[0]!, day: '20140412' }, ...days('20140414', 10)] }),
      ...runs({
        about: '20140413',
        ...FAILED,
        startedAt: '2014-04-14T13:31:00.000Z',
        endedAt: '2014-04-14T14:00:00.000Z',
      }),
    },
    /^problem: daily-analysis 20140413: its run failed 10 days ago/,
    ['[daily-analysis] failed for 20140413'],
  ],
  [
    'tasks that nobody takes',
    {
      ...queue('tasks', { depth: { known: { visible: 33, inFlight: 0, delayed: 0 } } }),
      ...atWork({ startedAt: TODAY_DUE }),
    },
    /^problem: task queue tasks: 33 analysis tasks wait, and no analysis worker is alive → Start "telemetry analysis-worker"/,
    [],
  ],
  [
    'tasks of no run that nobody takes, and who was there last',
    {
      ...queue('tasks', { depth: { known: { visible: 1, inFlight: 0, delayed: 0 } } }),
      analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:50:00.000Z' }] },
    },
    /1 analysis task waits, .*; the last one was seen 10 min ago on spot-1/,
    [],
  ],
  [
    'tasks whose only worker was killed at work, a minute and a half later',
    {
      ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
      ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }, '2014-04-24T14:58:00.000Z'),
      analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:58:29.000Z' }] },
    },
    /33 analysis tasks wait, and no analysis worker is alive; the last one was seen 1 min ago on spot-1/,
    [],
  ],
  [
    'a run whose only worker was killed with its task in hand, which SQS still hides',
    {
      ...queue('tasks', { depth: { known: { visible: 0, inFlight: 1, delayed: 0 } } }),
      ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }, '2014-04-24T14:55:00.000Z'),
      analysisWorkers: {
        known: [
          { ...SEEN, seenAt: '2014-04-24T14:56:00.000Z', atWork: [`${RUN.analysisRun}/7`] },
          { ...SEEN, seenAt: '2014-04-24T14:10:00.000Z', atWork: ['f0000000-0000-4000-8000-000000000002/1'] },
        ],
      },
    },
    /^problem: daily-analysis 20140423: an analysis worker was lost at work on task f0000000-0000-4000-8000-000000000001\/7, and no analysis worker is alive; the last one was seen 4 min ago on spot-1 → Start "telemetry analysis-worker"/,
    [],
  ],
  [
    'a run that waits for results while all workers are lost, none of them at work on it',
    {
      ...queue('tasks', { depth: { known: { visible: 0, inFlight: 2, delayed: 0 } } }),
      ...atWork({ startedAt: '2014-04-24T14:20:00.000Z' }, '2014-04-24T14:40:00.000Z'),
      analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:41:00.000Z' }] },
    },
    /^note: daily-analysis 20140423: 11 of 20 analysis tasks are open, and no analysis worker is alive; the last one was seen 19 min ago on spot-1/,
    [],
  ],
  [
    'tasks of which nothing comes',
    {
      ...queue('tasks', { depth: { known: { visible: 5000, inFlight: 2, delayed: 0 } } }),
      analysisWorkers: { known: [SEEN] },
      ...atWork({ startedAt: '2014-04-24T08:00:00.000Z' }, '2014-04-24T12:59:00.000Z'),
    },
    /^problem: daily-analysis 20140423: no result for 2 h, with 11 of 20 analysis tasks open/,
    [],
  ],
  [
    'a workflow whose type nobody has',
    stranded({ why: 'unknown type', workflowType: 'dailyAnalysys' }),
    /^problem: workflow daily-x: no worker has a workflow of type dailyAnalysys, .* → Terminate it: "temporal workflow terminate --workflow-id daily-x"/,
    [],
  ],
  [
    'a run on a worker task queue that nobody polls',
    stranded({ why: 'other task queue', workerTaskQueue: 'telemetri' }),
    /is on the worker task queue telemetri, which no worker of this deployment polls/,
    [],
  ],
  [
    'a day that was acknowledged',
    {
      ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }),
      ...runs({ status: 'CANCELED' }),
      ...leftovers({ acknowledged: [ACKNOWLEDGED] }),
    },
    /^note: daily-analysis 20140423: .*; acknowledged by ops@host at 2014-04-24T14:30:00.000Z: no submissions that day → Nothing/,
    [],
  ],
  [
    'a failure that began after the acknowledgement',
    {
      ...runs(RUN, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-24T14:40:00.000Z' }),
      ...leftovers({ acknowledged: [{ ...ACKNOWLEDGED, id: 'daily-analysis/20140421' }] }),
    },
    /^problem: daily-analysis 20140421: failed/,
    ['[daily-analysis] failed for 20140421'],
  ],
  [
    'no worker on any queue: one line',
    {
      workers: {
        known: [
          { workerTaskQueue: 'telemetry', pollers: [] },
          { workerTaskQueue: 'telemetry-alerts', pollers: [] },
        ],
      },
    },
    /^problem: workers of telemetry, telemetry-alerts: no worker polls them/,
    [],
  ],
  ['no worker', { workers: { known: [{ workerTaskQueue: 'telemetry', pollers: [] }] } }, /no worker polls it/, []],
  [
    'dead letters',
    queue('tasks-dlq', {
      depth: { known: { visible: 2, inFlight: 0, delayed: 0 } },
      oldestAt: '2014-04-20T15:00:00.000Z',
    }),
    /^problem: dead letters in tasks-dlq: 2 messages .* the oldest sent 4 days ago → /,
    [],
  ],
  [
    'done messages that nobody drains',
    {
      ...queue('done', { depth: { known: { visible: 5, inFlight: 0, delayed: 0 } } }),
      ...runs({ endedAt: '2014-04-21T14:00:00.000Z' }),
    },
    /done queue done: 5 messages, and no run has drained it for 3 days/,
    [],
  ],
  [
    'quarantine',
    leftovers({ quarantine: { total: NONE, recent: 2, acknowledged: 0, reasons: { bad_json: 2 }, read: 2 } }),
    /2 entries in the last 24 h .*bad_json 2/,
    [],
  ],
  [
    'undelivered alerts',
    leftovers({ undelivered: { count: 1, more: false, oldest: NOW, subjects: ['[x] failed'] } }),
    /\[x\] failed → Fix the channel/,
    [],
  ],
  [
    'projections that differ',
    { projections: { known: { differing: ['status.json'], behind: false } } },
    /^problem: projections status.json.* → Run "telemetry check"/,
    [],
  ],
  ['a part out of reach', { workers: { unknown: 'refused', type: null } }, /^unchecked: workers: refused → /, []],
  [
    'a pointer that is gone',
    {
      dataSet: { unknown: 'gone', type: 'PointerMissing' },
      projections: { unknown: 'gone', type: 'PointerMissing' },
    },
    /^unchecked: data set, projections: gone → Restore/,
    [],
  ],
];
