/** Situations in which nothing is wrong: `check` is silent, `status` says that all is well; the mails of their runs. */
import type { Facts } from '../../src/watch/rules/facts.ts';
import {
  atWork,
  DATA_SET,
  dataSet,
  FAILED,
  FAILURE,
  leftovers,
  NOW,
  OPEN,
  OTHER_DAY,
  queue,
  RUN,
  RUNNING,
  runs,
  schedule,
  SEEN,
} from './watched-facts.ts';

export const FINE_SITUATIONS: readonly (readonly [name: string, changes: Partial<Facts>, mails: readonly string[]])[] =
  [
    [
      'data of more than a day, while the next run is at work',
      {
        ...dataSet({ at: '2014-04-23T14:00:00.000Z', recentDays: DATA_SET.recentDays.slice(0, 1) }),
        at: '2014-04-25T09:00:00.000Z',
        ...atWork({ startedAt: '2014-04-24T13:31:00.000Z' }, '2014-04-25T08:00:00.000Z'),
        ...schedule({ running: 1 }),
      },
      [],
    ],
    ['data of a day that published early, when the next one is late', dataSet({ at: '2014-04-23T13:40:00.000Z' }), []],
    [
      'days that wait until the run of the schedule ends',
      {
        ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }),
        at: '2014-04-26T12:00:00.000Z',
        ...atWork({ startedAt: '2014-04-25T13:00:00.000Z' }, '2014-04-26T11:00:00.000Z'),
        ...schedule({ running: 1, lastScheduledAt: '2014-04-24T13:31:00.000Z', createdAt: '2014-04-24T13:00:00.000Z' }),
      },
      [],
    ],
    [
      'a run that has committed just now',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({ endedAt: '2014-04-24T14:55:00.000Z' }) },
      [],
    ],
    [
      'tasks just after their run has begun',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 0, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }),
      },
      [],
    ],
    [
      'tasks that workers of other programs take',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 4, delayed: 0 } } }),
        ...atWork({}, '2014-04-24T14:55:00.000Z'),
      },
      [],
    ],
    [
      'tasks that wait for a worker that is alive',
      {
        ...queue('tasks', { depth: { known: { visible: 5000, inFlight: 9, delayed: 0 } } }),
        analysisWorkers: { known: [SEEN] },
      },
      [],
    ],
    [
      'tasks that others take after a worker was lost',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:30:00.000Z' }, '2014-04-24T14:58:00.000Z'),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:40:00.000Z' }] },
      },
      [],
    ],
    [
      'a worker that was lost at work, beside another that is alive',
      {
        ...atWork({ startedAt: '2014-04-24T14:20:00.000Z' }, '2014-04-24T14:55:00.000Z'),
        analysisWorkers: {
          known: [SEEN, { ...SEEN, seenAt: '2014-04-24T14:50:00.000Z', atWork: [`${RUN.analysisRun}/7`] }],
        },
      },
      [],
    ],
    [
      'a worker that was lost at work on a run that has ended',
      {
        analysisWorkers: {
          known: [{ ...SEEN, seenAt: '2014-04-24T13:50:00.000Z', atWork: [`${RUN.analysisRun}/7`] }],
        },
      },
      [],
    ],
    [
      'a worker whose last sign is late',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }, '2014-04-24T14:58:00.000Z'),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:58:30.000Z' }] },
      },
      [],
    ],
    ['an open failure of a wrong input', leftovers({ openFailures: [{ ...OPEN, type: 'InvalidInput' }] }), []],
    ['an investigation that found nothing', leftovers({ openFailures: [{ ...OPEN, type: 'NothingFound' }] }), []],
    [
      'an open failure that nothing can be done about any more',
      leftovers({ openFailures: [{ ...OPEN, failedAt: '2014-03-20T14:59:59.000Z' }] }),
      [],
    ],
    [
      'a failed run, and a later one of the day that ended well',
      runs({ ...OTHER_DAY }, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-24T13:00:00.000Z' }, RUN),
      ['[daily-analysis] failed for 20140421', '[daily-analysis] recovered for 20140421'],
    ],
    ['a terminated run whose day a later plan has brought', runs({ status: 'TERMINATED' }), []],
    [
      'a failed run that is too long ago',
      runs(RUN, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-17T14:59:59.000Z' }),
      ['[daily-analysis] failed for 20140421'],
    ],
    ['a run that an operator cancelled', runs(RUN, { ...OTHER_DAY, status: 'CANCELED' }), []],
    [
      'a run that was started with a wrong input',
      runs(RUN, { ...OTHER_DAY, status: 'FAILED', failure: { ...FAILURE, type: 'InvalidInput' } }),
      [],
    ],
    ['a run that is at it', runs(RUN, { status: 'RUNNING', endedAt: null, running: RUNNING }), []],
    [
      'a few tries',
      runs({
        status: 'RUNNING',
        running: { ...RUNNING, activities: [{ name: 'x', attempt: 7, lastFailure: FAILURE }], workflowTaskAttempt: 2 },
      }),
      [],
    ],
    [
      'a run of the schedule that keeps the next one back',
      schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z', running: 1 }),
      [],
    ],
    [
      'a schedule that was created after the due time',
      { ...schedule({ lastScheduledAt: null, createdAt: '2014-04-24T13:32:00.000Z' }) },
      [],
    ],
    [
      'done messages while a run drains',
      { ...queue('done', { depth: { known: { visible: 5, inFlight: 0, delayed: 0 } } }) },
      [],
    ],
    ['tasks that are worked on', queue('tasks', { depth: { known: { visible: 0, inFlight: 9, delayed: 1 } } }), []],
    [
      'old quarantine',
      leftovers({
        quarantine: {
          total: { count: 9, more: false, oldest: NOW },
          recent: 0,
          acknowledged: 0,
          reasons: { x: 9 },
          read: 9,
        },
      }),
      [],
    ],
    [
      'projections of the commit before, just after a commit',
      {
        ...dataSet({ at: '2014-04-24T14:55:00.000Z' }),
        projections: { known: { differing: ['status.json'], behind: true } },
      },
      [],
    ],
    [
      'no projections before the first commit',
      { ...dataSet({ seq: 0 }), projections: { known: { differing: ['status.json'], behind: false } } },
      [],
    ],
  ];
