/** False alarms: a fortnight of daily runs that publish sooner or later, looked at every ten minutes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analysisDay } from '../../src/pipeline/calendar-day.ts';
import { findingLine } from '../../src/findings.ts';
import { judge } from '../../src/watch/rules/judge.ts';
import type { Facts, WatchedRun } from '../../src/watch/rules/facts.ts';
import { DATA_SET, RUN, RUNNING, SCHEDULE, SEEN, WELL } from '../fakes/watched-facts.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const FIRST_DUE = Date.parse('2014-04-01T13:31:00.000Z');
const LIMITS = { maxAgeHours: null, runDays: 7 };
const iso = (ms: number): string => new Date(ms).toISOString();

interface Run {
  readonly due: number;
  readonly start: number;
  readonly end: number;
}

const tasksOf = ({ due }: Run): string => `run-of-${due}`;

/** Hours from the due time to the commit of each day. One run keeps the next one back, as the schedule does. */
function runsOf(hours: readonly number[], lost: ReadonlySet<number> = new Set()): Run[] {
  const runs: Run[] = [];
  for (const [index, took] of hours.entries()) {
    if (lost.has(index)) continue;
    const due = FIRST_DUE + index * DAY;
    const start = Math.max(due, runs.at(-1)?.end ?? 0) + MINUTE;
    runs.push({ due, start, end: start + took * HOUR });
  }
  return runs;
}

/** What a look at that instant shows: tasks wait for 20 minutes until spot workers come, and half of the time nothing waits. */
function factsAt(now: number, runs: readonly Run[], canceled: ReadonlySet<number> = new Set()): Facts {
  const began = runs.filter(({ start }) => start <= now);
  const published = began.filter(({ end, due }) => end <= now && !canceled.has(due));
  const atWork = began.find(({ end }) => end > now);
  const watched = began.map((run): WatchedRun => {
    const day = analysisDay(new Date(run.due));
    const common = {
      ...RUN,
      about: day,
      workflowId: `daily-analysis-${iso(run.due)}`,
      startedAt: iso(run.start),
      analysisRun: tasksOf(run),
    };
    if (run.end <= now)
      return { ...common, status: canceled.has(run.due) ? 'CANCELED' : 'COMPLETED', endedAt: iso(run.end) };
    const tasks = {
      planned: 40,
      done: 20,
      failed: 0,
      open: 20,
      lastResultAt: iso(Math.max(run.start, now - 50 * MINUTE)),
    };
    return { ...common, status: 'RUNNING', endedAt: null, running: { ...RUNNING, tasks } };
  });
  const last = published.at(-1);
  const waits = atWork !== undefined && now < atWork.start + 20 * MINUTE;
  const isAlive = atWork !== undefined && now > atWork.start + 10 * MINUTE;
  // A spot machine that was taken away without a signal, ten minutes before the end of each run.
  const vanished = began
    .filter(({ end }) => end <= now && now - end < DAY - 10 * MINUTE)
    .map((run) => ({ ...SEEN, seenAt: iso(run.end - 10 * MINUTE), atWork: [`${tasksOf(run)}/3`] }))
    .toReversed();
  return {
    ...WELL,
    at: iso(now),
    dataSet: {
      known: {
        ...DATA_SET,
        at: last === undefined ? iso(FIRST_DUE - HOUR) : iso(last.end),
        seq: published.length,
        recentDays: published.map(({ due, start }) => ({
          ...DATA_SET.recentDays[0]!,
          day: analysisDay(new Date(due)),
          planAt: iso(start + MINUTE),
        })),
      },
    },
    runs: { known: { runs: watched.toReversed(), stranded: [] } },
    schedules: {
      known: [
        {
          ...SCHEDULE,
          createdAt: iso(FIRST_DUE - HOUR),
          lastScheduledAt: began.length === 0 ? null : iso(began.at(-1)!.due),
          running: atWork === undefined ? 0 : 1,
        },
      ],
    },
    analysisWorkers: { known: [...(isAlive ? [{ ...SEEN, seenAt: iso(now - MINUTE) }] : []), ...vanished] },
    queues: WELL.queues.map((queue) =>
      queue.role === 'tasks' && waits
        ? { ...queue, depth: { known: { visible: 40, inFlight: 0, delayed: 0 } } }
        : queue,
    ),
  };
}

/** Every look of the fortnight at which something is found: instant and line. */
function alarms(runs: readonly Run[], canceled?: ReadonlySet<number>): { at: number; line: string }[] {
  return Array.from({ length: (15 * DAY) / (10 * MINUTE) }, (_, index) => FIRST_DUE + index * 10 * MINUTE).flatMap(
    (at) =>
      judge(factsAt(at, runs, canceled), LIMITS, { kind: 'not tried' }).map((finding) => ({
        at,
        line: findingLine(finding),
      })),
  );
}

describe('a fortnight', () => {
  const fortnights: [what: string, hours: number[]][] = [
    ['that publish at the same time', Array.from({ length: 16 }, () => 1)],
    ['that publish later and later', Array.from({ length: 16 }, (_, index) => 0.5 + index * 0.7)],
    ['that publish early and late by turns', Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 0.3 : 11))],
    ['of which some wait for lost tasks until they give up', [1, 2, 21, 1, 1, 23, 22, 1, 5, 1, 9, 1, 21, 1, 1, 1]],
  ];
  for (const [what, hours] of fortnights) {
    it(`of runs ${what} has no alarm`, () => {
      assert.deepEqual(alarms(runsOf(hours)).slice(0, 3), []);
    });
  }

  it('in which one day was not started has an alarm from a quarter of an hour after its time, to the end', () => {
    const due = FIRST_DUE + 5 * DAY;
    const found = alarms(
      runsOf(
        Array.from({ length: 16 }, () => 1),
        new Set([5]),
      ),
    ).filter(({ line }) => line.includes('daily-analysis 20140405: no run has analysed it'));
    assert.equal(iso(found[0]!.at), iso(due + 20 * MINUTE));
    assert.equal(found.length, (10 * DAY - 20 * MINUTE) / (10 * MINUTE));
  });

  it('in which a run was canceled has an alarm from then on, although later days are published', () => {
    const runs = runsOf(Array.from({ length: 16 }, () => 1));
    const { due, end } = runs[5]!;
    const found = alarms(runs, new Set([due])).filter(({ line }) =>
      line.includes('daily-analysis 20140405: its run was canceled'),
    );
    assert.ok(found[0]!.at - end <= 20 * MINUTE, 'told within minutes');
    assert.equal(iso(found.at(-1)!.at), iso(FIRST_DUE + 15 * DAY - 10 * MINUTE));
  });

  it('in which the scheduler stops has an alarm at every look from the next due time on', () => {
    const runs = runsOf([1, 1, 1]);
    const due = FIRST_DUE + 3 * DAY;
    const found = new Set(alarms(runs).map(({ at }) => at));
    for (let at = FIRST_DUE + 3 * DAY + 20 * MINUTE; at < FIRST_DUE + 15 * DAY; at += 10 * MINUTE)
      assert.ok(found.has(at), `nothing is said at ${iso(at)}`);
    assert.ok([...found].every((at) => at > due));
  });
});
