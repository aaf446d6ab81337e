import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import { analysisDayKey } from '../../src/names.ts';
import { analysisDay } from '../../src/pipeline/calendar-day.ts';
import { applySchedule, schedules } from '../../src/schedules.ts';
import { applyWhereDifferent } from '../../src/setup/schedule-items.ts';
import { eventually } from '../fakes/eventually.ts';
import { type ActivityCall, PLAN, stageActivities } from '../fakes/stage-activities.ts';
import { temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('development');
const NO_INPUT = { planTasks: async () => ({ ...PLAN, files: 0, tasks: 0, bytes: 0 }) };

function daily(taskQueue: string): ScheduleOptions {
  const [schedule] = schedules(taskQueue);
  assert.equal(schedule?.scheduleId, 'daily-analysis');
  return schedule;
}

it('a backfilled run analyses the day before its scheduled time, whatever the clock says', async () => {
  const calls: ActivityCall[] = [];
  await temporal().serve(stageActivities(calls, NO_INPUT), async (taskQueue) => {
    const { client } = temporal().env;
    await applySchedule(client.schedule, daily(taskQueue));
    const handle = client.schedule.getHandle('daily-analysis');
    await handle.pause('only backfills in this test');
    const period = { start: new Date('2026-11-01T00:00:00Z'), end: new Date('2026-11-02T23:00:00Z') };
    await handle.backfill({ ...period, overlap: ScheduleOverlapPolicy.ALLOW_ALL });
    const days = await eventually(async () => {
      const found = new Map<string, unknown>();
      const query = `WorkflowType = 'dailyAnalysis' AND ExecutionStatus = 'Completed'`;
      for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
        found.set(workflowId, typedSearchAttributes.get(analysisDayKey));
      }
      assert.equal(found.size, 2, 'the backfill did not start both runs');
      return found;
    });
    assert.deepEqual(
      new Map([...days].toSorted()),
      new Map([
        ['daily-analysis-2026-11-01T13:31:00Z', '20261031'],
        ['daily-analysis-2026-11-02T13:31:00Z', '20261101'],
      ]),
    );
    await handle.delete();
  });
});

it('applying creates a schedule, then updates it and keeps an operator’s pause', async () => {
  const { schedule: client } = temporal().env.client;
  const wanted = daily('first');
  assert.equal(await applySchedule(client, wanted), 'created');
  const handle = client.getHandle(wanted.scheduleId);
  await handle.pause('converter is down');
  assert.equal(await applySchedule(client, daily('second')), 'updated');
  const { state, action, policies } = await handle.describe();
  assert.equal(state.paused, true);
  assert.equal(state.note, 'converter is down');
  assert.equal(action.taskQueue, 'second');
  assert.equal(policies.catchupWindow, 4 * 86_400_000);
  assert.equal(policies.overlap, ScheduleOverlapPolicy.BUFFER_ALL);
  await handle.delete();
});

it('every schedule that is as the code says is left unchanged, also while it is paused', async () => {
  const { schedule: client } = temporal().env.client;
  for (const wanted of schedules('first')) {
    assert.equal(await applyWhereDifferent(client, wanted), 'created');
    const handle = client.getHandle(wanted.scheduleId);
    await handle.pause('converter is down');
    assert.equal(await applyWhereDifferent(client, wanted), 'unchanged', wanted.scheduleId);
    const [other] = schedules('second').filter(({ scheduleId }) => scheduleId === wanted.scheduleId);
    assert.ok(other);
    assert.equal(await applyWhereDifferent(client, other), 'updated');
    await handle.delete();
  }
});

it('a run by hand without a day analyses the day before it started', async () => {
  const { result, historyJson } = await temporal().execute({ type: 'dailyAnalysis', activities: NO_INPUT });
  const [started] = (JSON.parse(historyJson) as { events: { eventTime: string }[] }).events;
  assert.equal(result?.['day'], analysisDay(new Date(started?.eventTime ?? '')));
});

it('the website is updated at 12:22 UTC: no run waits for another, and only a miss of an hour is caught up', async () => {
  const { client } = temporal().env;
  const website = schedules('first').find(({ scheduleId }) => scheduleId === 'website-update');
  assert.ok(website);
  assert.equal(await applySchedule(client.schedule, website), 'created');
  const handle = client.schedule.getHandle('website-update');
  const { spec, policies, info, action } = await handle.describe();
  assert.deepEqual(
    info.nextActionTimes.slice(0, 2).map((time) => time.toISOString().slice(11)),
    ['12:22:00.000Z', '12:22:00.000Z'],
  );
  assert.equal(spec.timezone, 'UTC');
  assert.equal(policies.catchupWindow, 3_600_000);
  assert.equal(policies.overlap, ScheduleOverlapPolicy.SKIP);
  const calls: ActivityCall[] = [];
  await temporal().serve(stageActivities(calls), async (taskQueue) => {
    const served = schedules(taskQueue).find(({ scheduleId }) => scheduleId === 'website-update');
    assert.ok(served);
    assert.equal(await applySchedule(client.schedule, served), 'updated');
    await handle.trigger();
    await eventually(async () => {
      const query = `WorkflowType = 'websiteUpdate' AND ExecutionStatus = 'Completed'`;
      const [run] = await Array.fromAsync(client.workflow.list({ query }));
      assert.match(run?.workflowId ?? '', /^website-update-\d{4}-\d\d-\d\dT/);
    });
  });
  assert.equal(action.workflowType, 'websiteUpdate');
  assert.deepEqual(
    calls.map(({ name }) => name),
    ['describeWebsite', 'publishWebsite'],
  );
  await handle.delete();
});
