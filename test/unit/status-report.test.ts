/** The words of `status`, for a deployment that is well, empty, or broken. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusText } from '../../src/commands/status-report.ts';
import type { Facts } from '../../src/watch/rules/facts.ts';
import { judge, verdictLine } from '../../src/watch/rules/judge.ts';
import {
  channelVersion,
  DATA_SET,
  dataSet,
  leftovers,
  NONE,
  NOW,
  queue,
  RUNNING,
  runs,
  schedule,
  SEEN,
  WELL,
} from '../fakes/watched-facts.ts';

const LIMITS = { maxAgeHours: null, runDays: 7 };

function section(title: string, changes: Partial<Facts>): string {
  const facts = { ...WELL, ...changes };
  const sections = statusText(facts, judge(facts, LIMITS, { kind: 'not tried' })).split('\n\n');
  return sections.find((each) => each.startsWith(`${title}\n`))?.slice(title.length + 1) ?? '';
}

describe('the words of status', () => {
  for (const [what, title, changes, text] of [
    ['recent days, all there', 'RECENT DAYS', {}, /^DAY .*\n.*\n20140423 .*\nno day is missing$/],
    [
      'recent days, one missing',
      'RECENT DAYS',
      { ...dataSet({ recentDays: DATA_SET.recentDays.slice(0, 1) }), ...runs() },
      /\n1 day is missing: 20140423$/,
    ],
    [
      'recent days, of a data set of old days',
      'RECENT DAYS',
      {
        dataSet: {
          known: {
            ...DATA_SET,
            recentDays: [],
            channelVersions: [{ ...channelVersion, newestDay: '20131029', hasManifest: true }],
          },
        },
        ...schedule({ createdAt: NOW }),
      },
      /^the data set has no day of the last 35; the newest is 20131029\nno day is missing, since none was due yet$/,
    ],
    [
      'recent days, while Temporal is out of reach',
      'RECENT DAYS',
      { runs: { unknown: 'refused', type: null } },
      /\nwhether a day is missing is not known: see what could not be checked$/,
    ],
    ['an empty data set', 'DATA SET', dataSet({ seq: 0 }), /^s3:.*: set up 1 h ago, nothing is published yet$/],
    ['no change', 'CHANGES', {}, /^no change as of commit 7$/],
    [
      'schedules',
      'SCHEDULES',
      {},
      /\ndaily-analysis +daily at 13:31 UTC +active +2014-04-25T13:31:00Z +2014-04-24T13:31:00Z$/,
    ],
    ['no analysis worker', 'ANALYSIS WORKERS', {}, /^none is alive; none was lost in the last 24 h$/],
    [
      'an analysis worker that is alive',
      'ANALYSIS WORKERS',
      { analysisWorkers: { known: [SEEN] } },
      /^1 alive\n.*\nspot-1 \(pid 7\) +30 s ago +9 +0 +nothing, it waits$/,
    ],
    [
      'an analysis worker that was killed at work',
      'ANALYSIS WORKERS',
      { analysisWorkers: { known: [{ ...SEEN, atWork: ['r/7'], seenAt: '2014-04-24T14:58:00.000Z' }] } },
      /^none alive; 1 lost in the last 24 h: .*\n.*\nspot-1 \(pid 7\) +2 min ago +9 +0 +lost, was at work on r\/7$/,
    ],
    [
      'what is left over: nothing',
      'STATE',
      {},
      /^quarantine +empty\n.*none.*\nopen failures +none\nundelivered alerts +none\n/,
    ],
    [
      'a quarantine',
      'STATE',
      leftovers({
        quarantine: { total: { ...NONE, count: 3, oldest: NOW }, recent: 0, acknowledged: 1, reasons: {}, read: 0 },
      }),
      /^quarantine +3, oldest 0 s old, none new in the last 24 h, 1 acknowledged\n/,
    ],
  ] satisfies [string, string, Partial<Facts>, RegExp][])
    it(what, () => {
      assert.match(section(title, changes), text);
    });

  it('runs are shown newest first, those at work on top', () => {
    const text = section(
      'RUNS',
      runs(
        { about: '20140423', startedAt: '2014-04-24T13:31:00.000Z' },
        { about: '20140422', startedAt: '2014-04-24T10:00:00.000Z' },
        { job: 'investigation', about: 'x', startedAt: '2014-04-24T12:00:00.000Z' },
        { job: 'website-update', about: 'website', startedAt: '2014-04-24T11:00:00.000Z', running: RUNNING },
      ),
    );
    const about = text
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/)[1]);
    assert.deepEqual(about, ['website', '20140423', 'x', '20140422']);
  });

  it('the verdict names three things, and says how many more there are', () => {
    const changes = { ...queue('tasks-dlq', { depth: { known: { visible: 2, inFlight: 0, delayed: 0 } } }) };
    const facts: Facts = {
      ...WELL,
      ...changes,
      ...schedule({ exists: false, createdAt: null }),
      workers: { known: [{ workerTaskQueue: 'telemetry', pollers: [] }] },
      adoptsForeignResults: true,
    };
    assert.match(
      verdictLine(facts, judge(facts, LIMITS, { kind: 'not tried' })),
      /^4 problems: continuous aggregation; schedule daily-analysis; workers of telemetry and 1 more\. Commit 3/,
    );
  });
});
