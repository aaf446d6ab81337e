import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectionFinding, wantsRepair } from '../../src/watch/rules/data-set-rules.ts';
import type { Facts } from '../../src/watch/rules/facts.ts';
import { exitCodeOfFindings, type Finding, findingLine } from '../../src/findings.ts';
import { isOlder } from '../../src/watch/rules/limits.ts';
import { judge, verdictLine } from '../../src/watch/rules/judge.ts';
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
  WELL,
} from '../fakes/watched-facts.ts';

const LIMITS = { maxAgeHours: null, runDays: 7 };

function findings(changes: Partial<Facts>): Finding[] {
  return judge({ ...WELL, ...changes }, LIMITS, { kind: 'not tried' });
}

describe('the age of data (docs/operating.md 1.2)', () => {
  for (const [modified, stale] of [
    ['2014-04-23T11:59:59Z', true],
    ['2014-04-23T12:00:00Z', false],
    ['2014-04-24T12:00:01Z', false],
    ['2014-05-01T00:00:00Z', false],
  ] as const) {
    it(`${modified} is ${stale ? '' : 'not '}older than 24 h at noon of the 24th`, () => {
      assert.equal(isOlder(modified, '2014-04-24T12:00:00Z', 24), stale);
    });
  }
});

describe('findings', () => {
  it('none when all is well', () => {
    assert.deepEqual(findings({}), []);
    assert.equal(exitCodeOfFindings([]), 0);
    assert.match(
      verdictLine(WELL, []),
      /^All is well: commit 3 of 2014-04-24T14:00:00.000Z, 1 h old, shows 0 channel.versions\.$/,
    );
  });

  const found: [name: string, changes: Partial<Facts>, line: RegExp][] = [
    [
      'stale data',
      {
        ...dataSet({ at: '2014-04-23T12:59:59.000Z', recentDays: DATA_SET.recentDays.slice(0, 1) }),
        at: '2014-04-24T01:31:01.000Z',
        ...runs(),
      },
      /^problem: stale data: the last commit \(3\) is 12 h old, and the run due at 2014-04-23T13:31:00.000Z has not published for 12 h/,
    ],
    [
      'nothing published',
      dataSet({ seq: 0, at: '2014-04-20T00:00:00.000Z' }),
      /nothing was published since the set-up/,
    ],
    [
      'an incomplete folder',
      { dataSet: { known: { ...DATA_SET, channelVersions: [{ ...channelVersion, hasManifest: false }] } } },
      /^problem: folder 20140424133000-28-nightly: .*_manifest.json is gone/,
    ],
    [
      'a failed run, with the action of its kind',
      runs(RUN, { ...OTHER_DAY, ...FAILED }),
      /failed .*InvalidFilter: no dimensions → Correct the filter template/,
    ],
    [
      'a terminated run',
      runs(RUN, {
        ...OTHER_DAY,
        status: 'TERMINATED',
        failure: { ...FAILURE, type: null, message: 'by ann@laptop: wrong filter' },
      }),
      /was terminated 1 h ago by ann@laptop: wrong filter .* → .*run-day --day 20140421/,
    ],
    ['a run out of time', runs(RUN, { ...OTHER_DAY, status: 'TIMED_OUT' }), /timed out/],
    [
      'a failed website update',
      runs(RUN, { job: 'website-update', about: 'website', status: 'TERMINATED' }),
      /website publish/,
    ],
    [
      'a failure whose run is forgotten',
      leftovers({ openFailures: [OPEN] }),
      /^problem: daily-analysis 20140421: failed at .* → Correct the filter/,
    ],
    [
      'a failure and its run: one line',
      { ...runs(RUN, { ...OTHER_DAY, ...FAILED }), ...leftovers({ openFailures: [OPEN] }) },
      /^problem: daily-analysis 20140421: failed .* ago/,
    ],
    [
      'a run that is too long at it',
      runs(RUN, { status: 'RUNNING', startedAt: '2014-04-23T14:59:00.000Z', endedAt: null, running: RUNNING }),
      /has run for 24 h.*phase: draining the done queue → .*finishWithMissing/,
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
    ],
    [
      'a workflow task that fails',
      runs({ status: 'RUNNING', endedAt: null, running: { ...RUNNING, workflowTaskAttempt: 3 } }),
      /workflow task fails .* → .*the release before/,
    ],
    [
      'continuous aggregation that does not run',
      { adoptsForeignResults: true },
      /continuous aggregation: does not run.* → .*aggregate --detach/,
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
    ],
    [
      'a paused schedule',
      schedule({ paused: true, note: 'moving' }),
      /^problem: schedule daily-analysis: is paused, note: moving → /,
    ],
    ['a schedule that does not exist', schedule({ exists: false, createdAt: null }), /does not exist → Create it/],
    [
      'a schedule that differs',
      schedule({ differences: ['the time is 0 0 * * *'] }),
      /the time is .* → .*schedules apply/,
    ],
    [
      'a missed run',
      schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z' }),
      /due at 2014-04-24T13:31:00.000Z was not started.* → See whether the Temporal server/,
    ],
    [
      'a missed run that is not caught up any more',
      schedule({ lastScheduledAt: null, catchupSeconds: 3_600 }),
      /the last one was due never → It is too late.*run-day --day 20140423/,
    ],
    [
      'a day that no run has analysed',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs() },
      /^problem: daily-analysis 20140423: no run has analysed it → Run it: "telemetry run-day --day 20140423"/,
    ],
    [
      'a day whose run was canceled',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({ status: 'CANCELED' }) },
      /its run was canceled 1 h ago .daily-analysis-20140423., and the day is not in the data set/,
    ],
    [
      'a day whose run ended well without it',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({}) },
      /its run ended well 1 h ago .*not in the data set/,
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
    ],
    [
      'tasks that nobody takes',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 0, delayed: 0 } } }),
        ...atWork({ startedAt: TODAY_DUE }),
      },
      /^problem: task queue tasks: 33 analysis tasks wait, and no analysis worker is alive → Start "telemetry analysis-worker"/,
    ],
    [
      'tasks of no run that nobody takes, and who was there last',
      {
        ...queue('tasks', { depth: { known: { visible: 1, inFlight: 0, delayed: 0 } } }),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:50:00.000Z' }] },
      },
      /1 analysis task waits, .*; the last one was seen 10 min ago on spot-1/,
    ],
    [
      'tasks whose only worker was killed at work, a minute and a half later',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }, '2014-04-24T14:58:00.000Z'),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:58:29.000Z' }] },
      },
      /33 analysis tasks wait, and no analysis worker is alive; the last one was seen 1 min ago on spot-1/,
    ],
    [
      'tasks of which nothing comes',
      {
        ...queue('tasks', { depth: { known: { visible: 5000, inFlight: 2, delayed: 0 } } }),
        analysisWorkers: { known: [SEEN] },
        ...atWork({ startedAt: '2014-04-24T08:00:00.000Z' }, '2014-04-24T12:59:00.000Z'),
      },
      /^problem: daily-analysis 20140423: no result for 2 h, with 11 of 20 analysis tasks open/,
    ],
    [
      'a workflow whose type nobody has',
      stranded({ why: 'unknown type', workflowType: 'dailyAnalysys' }),
      /^problem: workflow daily-x: no worker has a workflow of type dailyAnalysys, .* → Terminate it: "temporal workflow terminate --workflow-id daily-x"/,
    ],
    [
      'a run on a worker task queue that nobody polls',
      stranded({ why: 'other task queue', workerTaskQueue: 'telemetri' }),
      /is on the worker task queue telemetri, which no worker of this deployment polls/,
    ],
    [
      'a day that was acknowledged',
      {
        ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }),
        ...runs({ status: 'CANCELED' }),
        ...leftovers({ acknowledged: [ACKNOWLEDGED] }),
      },
      /^note: daily-analysis 20140423: .*; acknowledged by ops@host at 2014-04-24T14:30:00.000Z: no submissions that day → Nothing/,
    ],
    [
      'a failure that began after the acknowledgement',
      {
        ...runs(RUN, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-24T14:40:00.000Z' }),
        ...leftovers({ acknowledged: [{ ...ACKNOWLEDGED, id: 'daily-analysis/20140421' }] }),
      },
      /^problem: daily-analysis 20140421: failed/,
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
    ],
    ['no worker', { workers: { known: [{ workerTaskQueue: 'telemetry', pollers: [] }] } }, /no worker polls it/],
    [
      'dead letters',
      queue('tasks-dlq', {
        depth: { known: { visible: 2, inFlight: 0, delayed: 0 } },
        oldestAt: '2014-04-20T15:00:00.000Z',
      }),
      /^problem: dead letters in tasks-dlq: 2 messages .* the oldest sent 4 days ago → /,
    ],
    [
      'done messages that nobody drains',
      {
        ...queue('done', { depth: { known: { visible: 5, inFlight: 0, delayed: 0 } } }),
        ...runs({ endedAt: '2014-04-21T14:00:00.000Z' }),
      },
      /done queue done: 5 messages, and no run has drained it for 3 days/,
    ],
    [
      'quarantine',
      leftovers({ quarantine: { total: NONE, recent: 2, acknowledged: 0, reasons: { bad_json: 2 }, read: 2 } }),
      /2 entries in the last 24 h .*bad_json 2/,
    ],
    [
      'undelivered alerts',
      leftovers({ undelivered: { count: 1, more: false, oldest: NOW, subjects: ['[x] failed'] } }),
      /\[x\] failed → Fix the channel/,
    ],
    [
      'projections that differ',
      { projections: { known: { differing: ['status.json'], behind: false } } },
      /^problem: projections status.json.* → Run "telemetry check"/,
    ],
    ['a part out of reach', { workers: { unknown: 'refused', type: null } }, /^unchecked: workers: refused → /],
    [
      'a pointer that is gone',
      {
        dataSet: { unknown: 'gone', type: 'PointerMissing' },
        projections: { unknown: 'gone', type: 'PointerMissing' },
      },
      /^unchecked: data set, projections: gone → Restore/,
    ],
  ];
  for (const [name, changes, line] of found) {
    it(name, () => {
      const lines = findings(changes).map(findingLine);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', line);
    });
  }

  const fine: [name: string, changes: Partial<Facts>][] = [
    [
      'data of more than a day, while the next run is at work',
      {
        ...dataSet({ at: '2014-04-23T14:00:00.000Z', recentDays: DATA_SET.recentDays.slice(0, 1) }),
        at: '2014-04-25T09:00:00.000Z',
        ...atWork({ startedAt: '2014-04-24T13:31:00.000Z' }, '2014-04-25T08:00:00.000Z'),
        ...schedule({ running: 1 }),
      },
    ],
    ['data of a day that published early, when the next one is late', dataSet({ at: '2014-04-23T13:40:00.000Z' })],
    [
      'days that wait until the run of the schedule ends',
      {
        ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }),
        at: '2014-04-26T12:00:00.000Z',
        ...atWork({ startedAt: '2014-04-25T13:00:00.000Z' }, '2014-04-26T11:00:00.000Z'),
        ...schedule({ running: 1, lastScheduledAt: '2014-04-24T13:31:00.000Z', createdAt: '2014-04-24T13:00:00.000Z' }),
      },
    ],
    [
      'a run that has committed just now',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs({ endedAt: '2014-04-24T14:55:00.000Z' }) },
    ],
    [
      'tasks just after their run has begun',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 0, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }),
      },
    ],
    [
      'tasks that workers of other programs take',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 4, delayed: 0 } } }),
        ...atWork({}, '2014-04-24T14:55:00.000Z'),
      },
    ],
    [
      'tasks that wait for a worker that is alive',
      {
        ...queue('tasks', { depth: { known: { visible: 5000, inFlight: 9, delayed: 0 } } }),
        analysisWorkers: { known: [SEEN] },
      },
    ],
    [
      'tasks that others take after a worker was lost',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:30:00.000Z' }, '2014-04-24T14:58:00.000Z'),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:40:00.000Z' }] },
      },
    ],
    [
      'a worker whose last sign is late',
      {
        ...queue('tasks', { depth: { known: { visible: 33, inFlight: 2, delayed: 0 } } }),
        ...atWork({ startedAt: '2014-04-24T14:50:00.000Z' }, '2014-04-24T14:58:00.000Z'),
        analysisWorkers: { known: [{ ...SEEN, seenAt: '2014-04-24T14:58:30.000Z' }] },
      },
    ],
    ['an open failure of a wrong input', leftovers({ openFailures: [{ ...OPEN, type: 'InvalidInput' }] })],
    ['an investigation that found nothing', leftovers({ openFailures: [{ ...OPEN, type: 'NothingFound' }] })],
    [
      'an open failure that nothing can be done about any more',
      leftovers({ openFailures: [{ ...OPEN, failedAt: '2014-03-20T14:59:59.000Z' }] }),
    ],
    [
      'a failed run that a later one has mended',
      runs({ ...OTHER_DAY }, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-24T13:00:00.000Z' }, RUN),
    ],
    ['a terminated run whose day a later plan has brought', runs({ status: 'TERMINATED' })],
    [
      'a failed run that is too long ago',
      runs(RUN, { ...OTHER_DAY, ...FAILED, startedAt: '2014-04-17T14:59:59.000Z' }),
    ],
    ['a run that an operator cancelled', runs(RUN, { ...OTHER_DAY, status: 'CANCELED' })],
    [
      'a run that was started with a wrong input',
      runs(RUN, { ...OTHER_DAY, status: 'FAILED', failure: { ...FAILURE, type: 'InvalidInput' } }),
    ],
    ['a run that is at it', runs(RUN, { status: 'RUNNING', endedAt: null, running: RUNNING })],
    [
      'a few tries',
      runs({
        status: 'RUNNING',
        running: { ...RUNNING, activities: [{ name: 'x', attempt: 7, lastFailure: FAILURE }], workflowTaskAttempt: 2 },
      }),
    ],
    [
      'a run of the schedule that keeps the next one back',
      schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z', running: 1 }),
    ],
    [
      'a schedule that was created after the due time',
      { ...schedule({ lastScheduledAt: null, createdAt: '2014-04-24T13:32:00.000Z' }) },
    ],
    [
      'done messages while a run drains',
      { ...queue('done', { depth: { known: { visible: 5, inFlight: 0, delayed: 0 } } }) },
    ],
    ['tasks that are worked on', queue('tasks', { depth: { known: { visible: 0, inFlight: 9, delayed: 1 } } })],
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
    ],
    [
      'projections of the commit before, just after a commit',
      {
        ...dataSet({ at: '2014-04-24T14:55:00.000Z' }),
        projections: { known: { differing: ['status.json'], behind: true } },
      },
    ],
    [
      'no projections before the first commit',
      { ...dataSet({ seq: 0 }), projections: { known: { differing: ['status.json'], behind: false } } },
    ],
  ];
  for (const [name, changes] of fine) {
    it(`none for ${name}`, () => {
      assert.deepEqual(findings(changes).map(findingLine), []);
    });
  }

  it('a run that was not started yet has a quarter of an hour', () => {
    const late = { ...schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z' }), ...dataSet({}) };
    assert.deepEqual(findings({ ...late, at: '2014-04-24T13:45:59.000Z' }), []);
    assert.equal(findings({ ...late, at: '2014-04-24T13:46:00.000Z' }).length, 1);
  });

  it('a projection that was repaired is a warning, one that could not be a problem', () => {
    const differing = { differing: ['FILES_MISSING'], behind: false };
    assert.ok(wantsRepair({ ...WELL, projections: { known: differing } }));
    const repaired = projectionFinding(differing, { kind: 'repaired', seq: 3 });
    assert.match(
      findingLine(repaired),
      /^warning: .*FILES_MISSING.*repaired from the ledger of commit 3 → Nothing more/,
    );
    const failed = projectionFinding(differing, { kind: 'failed', message: 'AccessDenied' });
    assert.match(findingLine(failed), /^problem: .*could not be repaired: AccessDenied → /);
  });

  it('exit codes: what could not be checked outweighs what is wrong', () => {
    const of = (severity: Finding['severity']): Finding => ({ severity, where: 'x', what: 'y', action: 'z' });
    assert.equal(exitCodeOfFindings([of('warning')]), 1);
    assert.equal(exitCodeOfFindings([of('error')]), 1);
    assert.equal(exitCodeOfFindings([of('error'), of('unchecked')]), 2);
  });

  it('a line has no control characters of what others wrote', () => {
    const [finding] = findings(schedule({ paused: true, note: 'a\u001b[31m\nb' }));
    assert.ok(finding !== undefined);
    assert.doesNotMatch(findingLine(finding), /[\u0000-\u001f]/);
  });
});

describe('the data', () => {
  it('of a channel/version that fell silent is a warning, so all is not well', () => {
    const text = 'aurora/27 sent no submission on 2013-10-30, and about 150 a day before';
    const silences = [{ channelVersion: 'aurora/27', date: '20140423', text }];
    const found = findings({ changes: { known: { seq: 7, changes: 1, newest: [], silences, skipped: 0 } } });
    assert.deepEqual(
      found.map(({ severity, where, what }) => ({ severity, where, what })),
      [{ severity: 'warning', where: 'channel/version aurora/27', what: `it fell silent: ${text}` }],
    );
    assert.equal(exitCodeOfFindings(found), 1);
    // One that is wanted, such as the end of a version, is acknowledged.
    const acknowledged = [{ ...ACKNOWLEDGED, id: 'silence/aurora/27', at: '2014-04-24T00:00:00.000Z' }];
    const changes = { known: { seq: 7, changes: 1, newest: [], silences, skipped: 0 } };
    assert.deepEqual(
      findings({ changes, ...leftovers({ acknowledged }) }).map(({ severity }) => severity),
      ['note'],
    );
  });

  it('that moved is no finding', () => {
    const changes = { known: { seq: 7, changes: 1, newest: ['GC_MS went up'], silences: [], skipped: 0 } };
    assert.deepEqual(findings({ changes }), []);
  });
});
