import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectionFinding, wantsRepair } from '../../src/watch/rules/data-set-rules.ts';
import type { Facts, QueueFacts, RunningFacts, ScheduleFacts, WatchedRun } from '../../src/watch/rules/facts.ts';
import { exitCodeOfFindings, type Finding, findingLine } from '../../src/findings.ts';
import { isOlder } from '../../src/watch/rules/limits.ts';
import { judge, verdictLine } from '../../src/watch/rules/judge.ts';
import { daysWithoutLaunch, lastDue } from '../../src/watch/rules/schedule-rules.ts';
import { schedules } from '../../src/schedules.ts';

const NOW = '2014-04-24T15:00:00.000Z';
const TODAY_DUE = '2014-04-24T13:31:00.000Z';
const LIMITS = { maxAgeHours: 24, runDays: 7 };
const NONE = { count: 0, more: false, oldest: null };
const DEPTH = { known: { visible: 0, inFlight: 0, delayed: 0 } };

const SCHEDULE: ScheduleFacts = {
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

const RUN: WatchedRun = {
  job: 'daily-analysis',
  about: '20140423',
  workflowId: 'daily-analysis-20140423',
  runId: 'r1',
  status: 'COMPLETED',
  startedAt: TODAY_DUE,
  endedAt: '2014-04-24T14:00:00.000Z',
  failure: null,
  running: null,
};

const RUNNING: RunningFacts = {
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

const DATA_SET = {
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
  quarantine: { total: NONE, recent: 0, reasons: {}, read: 0 },
  waiting: NONE,
  openFailures: [],
  undelivered: { ...NONE, subjects: [] },
};

const WELL: Facts = {
  at: NOW,
  dataSet: { known: DATA_SET },
  projections: { known: { differing: [], behind: false } },
  runs: { known: { runs: [RUN] } },
  schedules: { known: [SCHEDULE] },
  workers: { known: [{ workerTaskQueue: 'telemetry', pollers: ['1@host'] }] },
  queues: QUEUES,
  changes: { known: { seq: 7, changes: 0, newest: [], silences: [], skipped: 0 } },
  leftovers: { known: LEFTOVERS },
  adoptsForeignResults: false,
};

const dataSet = (changes: Partial<typeof DATA_SET>): Partial<Facts> => ({
  dataSet: { known: { ...DATA_SET, ...changes } },
});
const runs = (...changes: Partial<WatchedRun>[]): Partial<Facts> => ({
  runs: { known: { runs: changes.map((change) => ({ ...RUN, ...change })) } },
});
const schedule = (change: Partial<ScheduleFacts>): Partial<Facts> => ({
  schedules: { known: [{ ...SCHEDULE, ...change }] },
});
const leftovers = (change: object): Partial<Facts> => ({ leftovers: { known: { ...LEFTOVERS, ...change } } });
const queue = (name: string, change: Partial<QueueFacts>): Partial<Facts> => ({
  queues: QUEUES.map((each) => (each.queue === name ? { ...each, ...change } : each)),
});

function findings(changes: Partial<Facts>): Finding[] {
  return judge({ ...WELL, ...changes }, LIMITS, { kind: 'not tried' });
}

const FAILURE = { type: 'InvalidFilter', message: 'no dimensions', activity: 'renderFilter', timeout: null };
const FAILED = { status: 'FAILED', failure: FAILURE };
const OTHER_DAY = { about: '20140421', workflowId: 'daily-analysis-20140421' };
const OPEN = {
  job: 'daily-analysis',
  about: '20140421',
  failedAt: NOW,
  type: 'InvalidFilter',
  message: 'no dimensions',
};
const channelVersion = {
  channelVersion: 'nightly/28',
  folder: '20140424133000-28-nightly',
  renderedAt: NOW,
  newestDay: null,
  days: 1,
  definitionsPending: 0,
};

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
      dataSet({ at: '2014-04-23T14:59:59.000Z' }),
      /^problem: stale data: the last commit \(3\) is 24 h old/,
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
      runs(RUN, { ...OTHER_DAY, status: 'TERMINATED' }),
      /was terminated .* → .*run-day --day 20140421/,
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
      'days without launch',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs() },
      /days without launch: 20140423: no run/,
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
      leftovers({ quarantine: { total: NONE, recent: 2, reasons: { bad_json: 2 }, read: 2 } }),
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
    ['data of exactly 24 h', dataSet({ at: '2014-04-23T15:00:00.000Z' })],
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
    ['messages in the other queues', queue('tasks', { depth: { known: { visible: 5, inFlight: 9, delayed: 1 } } })],
    [
      'old quarantine',
      leftovers({
        quarantine: { total: { count: 9, more: false, oldest: NOW }, recent: 0, reasons: { x: 9 }, read: 9 },
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
  it('a channel/version that fell silent is a warning, so all is not well', () => {
    const text = 'aurora/27 sent no submission on 2013-10-30, and about 150 a day before';
    const silences = [{ channelVersion: 'aurora/27', text }];
    const found = findings({ changes: { known: { seq: 7, changes: 1, newest: [], silences, skipped: 0 } } });
    assert.deepEqual(
      found.map(({ severity, where, what }) => ({ severity, where, what })),
      [{ severity: 'warning', where: 'channel/version aurora/27', what: `it fell silent: ${text}` }],
    );
    assert.equal(exitCodeOfFindings(found), 1);
  });

  it('that moved is no finding', () => {
    const changes = { known: { seq: 7, changes: 1, newest: ['GC_MS went up'], silences: [], skipped: 0 } };
    assert.deepEqual(findings({ changes }), []);
  });
});

describe('days without launch', () => {
  const days = (changes: Partial<Facts>): string[] | null => daysWithoutLaunch({ ...WELL, ...changes });

  it('none before the schedule, unless the data set is older', () => {
    const young = schedule({ createdAt: '2014-04-24T14:00:00.000Z' });
    assert.deepEqual(days({ ...dataSet({ recentDays: [] }), ...young, ...runs() }), []);
    const recentDays = [{ ...DATA_SET.recentDays[0]!, day: '20140420' }];
    assert.deepEqual(days({ ...dataSet({ recentDays }), ...young, ...runs() }), ['20140421', '20140422', '20140423']);
  });

  it('at most 14, up to the day that was due last', () => {
    const old = schedule({ createdAt: '2014-01-01T00:00:00.000Z' });
    const all = days({ ...dataSet({ recentDays: [] }), ...old, ...runs() }) ?? [];
    assert.deepEqual([all.length, all[0], all.at(-1)], [14, '20140410', '20140423']);
    const morning = days({ ...dataSet({ recentDays: [] }), ...old, ...runs(), at: '2014-04-24T13:00:00.000Z' }) ?? [];
    assert.equal(morning.at(-1), '20140422');
  });

  it('a run that failed is a launch; nobody knows while Temporal is out of reach', () => {
    const recentDays = DATA_SET.recentDays.slice(0, 1);
    assert.deepEqual(days({ ...dataSet({ recentDays }), ...runs({ status: 'FAILED' }) }), []);
    assert.equal(days({ runs: { unknown: 'x', type: null } }), null);
  });
});

describe('the last due time', () => {
  it('is today’s or yesterday’s', () => {
    assert.equal(lastDue('31 13 * * *', new Date('2014-04-24T13:31:00Z')), TODAY_DUE);
    assert.equal(lastDue('31 13 * * *', new Date('2014-04-24T13:30:59Z')), '2014-04-23T13:31:00.000Z');
    assert.equal(lastDue('31 13 * * 1', new Date(NOW)), null);
  });

  it('is known for every schedule of the application', () => {
    for (const { spec, scheduleId } of schedules('telemetry')) {
      assert.notEqual(lastDue(spec.cronExpressions?.[0] ?? '', new Date()), null, scheduleId);
      assert.equal(spec.cronExpressions?.length, 1, scheduleId);
    }
  });
});
