/** Days that the schedule could not begin when they were due, and a run that cannot go on: nothing is lost, and the watch says what is the matter. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ScheduleDescription, ScheduleHandle } from '@temporalio/client';
import { analysisDay } from '../../src/pipeline/calendar-day.ts';
import { schedules } from '../../src/schedules.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { bundleWorkflows } from '../fakes/temporal.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import type { Scene, StartedDay } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const DAY_MS = 86_400_000;
/** Time to get everything ready for what is due then. */
const UNTIL_DUE_MS = 6_000;
/** Beyond the due time; Temporal takes no shorter window than 10 s for catching up. */
const OUTAGE_MS = 13_000;

/** The schedules as `telemetry schedules apply` makes them; gone again afterwards. */
async function withSchedules<T>(scene: Scene, use: (daily: ScheduleHandle) => Promise<T>): Promise<T> {
  const { schedule: client } = scene.stage.client;
  const { code, stderr } = await scene.command('schedules', 'apply');
  assert.equal(code, 0, stderr);
  try {
    return await use(client.getHandle('daily-analysis'));
  } finally {
    for (const { scheduleId } of schedules(scene.names.workerTaskQueue)) await client.getHandle(scheduleId).delete();
  }
}

/** Makes the schedule due once, in a moment, instead of every day. */
async function dueSoon(scene: Scene, daily: ScheduleHandle): Promise<Date> {
  const dueAt = new Date(Math.ceil((Date.now() + UNTIL_DUE_MS) / 1000) * 1000);
  const [year, month, ...rest] = dueAt.toISOString().split(/\D/).map(Number);
  const [day, hour, minute, second] = rest;
  const spec = { cronExpressions: [`${second} ${minute} ${hour} ${day} ${month} * ${year}`], timezone: 'UTC' };
  await daily.update((before) => ({ ...before, spec }));
  await scene.until('the schedule knows when it is due', async () => {
    const [next] = (await daily.describe()).info.nextActionTimes;
    return next?.getTime() === dueAt.getTime() ? true : undefined;
  });
  return dueAt;
}

/** The run that the schedule starts for this time. */
function runDueAt(scene: Scene, dueAt: Date): StartedDay {
  const workflowId = `daily-analysis-${dueAt.toISOString().replace('.000Z', 'Z')}`;
  const handle = scene.stage.client.workflow.getHandle(workflowId);
  return { workflowId, day: analysisDay(dueAt), result: () => handle.result() as Promise<DailyAnalysisResult> };
}

/** Polls the schedule until it has taken so many actions or keeps so many runs back, with an eye on those that it drops. */
async function untilSchedule(
  scene: Scene,
  daily: ScheduleHandle,
  what: string,
  is: (described: ScheduleDescription) => boolean,
): Promise<void> {
  await scene.until(what, async () => {
    const described = await daily.describe();
    const { numActionsMissedCatchupWindow: missed, numActionsSkippedOverlap: skipped } = described.info;
    assert.deepEqual({ missed, skipped }, { missed: 0, skipped: 0 }, 'no due run is dropped');
    return is(described) ? true : undefined;
  });
}

/** Done messages are kept back until they are released. */
function holdMessages(scene: Scene): { readonly held: readonly string[]; readonly release: () => Promise<void> } {
  const held: string[] = [];
  scene.analysts.script = {
    messagesOf: (_, message) => {
      held.push(message);
      return [];
    },
  };
  const release = async (): Promise<void> => {
    scene.analysts.script = {};
    for (const message of held) assert.deepEqual(await scene.queues.send(scene.names.doneQueue, [message]), []);
  };
  return { held, release };
}

async function times(scene: Scene, { workflowId }: StartedDay): Promise<{ startTime: Date; closeTime?: Date }> {
  return scene.stage.client.workflow.getHandle(workflowId).describe();
}

describe('F23', () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F23',
    title: 'the Temporal server is down when a day is due: it is run when the server is back',
    injected: `kill -9 of the server until ${OUTAGE_MS / 1000} s after the due time`,
    story: (scene) =>
      withSchedules(scene, async (daily) => {
        scene.watchPublished();
        scene.startWorker();
        await scene.until('the worker', async () => ((await scene.logged('worker started')) > 0 ? true : undefined));
        const dueAt = await dueSoon(scene, daily);
        const run = runDueAt(scene, dueAt);
        await scene.storeDay(run.day, 12);
        await scene.stage.killTemporal();
        assert.ok(Date.now() < dueAt.getTime(), 'the server is down before the day is due');
        // The outage itself is what is tested here.
        await delay(dueAt.getTime() + OUTAGE_MS - Date.now());
        await scene.stage.restartTemporal();
        await untilSchedule(scene, daily, 'the run that was missed', ({ info }) => info.numActionsTaken === 1);
        const result = await scene.settled(run);
        assert.equal(result.day, run.day);
        const late = ((await times(scene, run)).startTime.getTime() - dueAt.getTime()) / 1000;
        await judge(scene, { seq: 1, results: [result], replays: [run] });
        return { times: 1, seen: `its run began ${Math.round(late)} s late, for the day that was due; one commit` };
      }),
    twin: { without: 'noCatchUp', fails: /no due run is dropped/ },
  });

  describe('without an outage', { concurrency: 2 }, () => {
    // There is one schedule of each name: its test and the twin take turns.
    describe('overlap', { concurrency: 1 }, () => {
      faultTest(stage, {
        id: 'F23',
        title: 'a day is due while the run of the day before is not at its end: both are run, one after the other',
        injected: 'a run that is still going when the next is due',
        story: (scene) =>
          withSchedules(scene, async (daily) => {
            const { held, release } = holdMessages(scene);
            scene.watchPublished();
            scene.startWorker();
            const yesterday = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS + (13 * 60 + 31) * 60_000);
            const long = runDueAt(scene, yesterday);
            await scene.storeDay(long.day, 12);
            await daily.backfill({ start: new Date(yesterday.getTime() - 1000), end: yesterday });
            await scene.until('results of the long run', () => (held.length === 6 ? true : undefined));
            const next = runDueAt(scene, await dueSoon(scene, daily));
            await scene.storeDay(next.day, 12);
            await untilSchedule(
              scene,
              daily,
              'the next run to be kept back',
              ({ raw }) => Number(raw.info?.bufferSize) === 1,
            );
            await release();
            await untilSchedule(scene, daily, 'the next run', ({ info }) => info.numActionsTaken === 2);
            const results = [await scene.settled(long), await scene.settled(next)];
            assert.deepEqual(
              results.map(({ day }) => day),
              [long.day, next.day],
            );
            const [first, second] = [await times(scene, long), await times(scene, next)];
            assert.ok((first.closeTime ?? new Date()) <= second.startTime, 'one after the other');
            await judge(scene, { seq: 2, results, replays: [long, next] });
            return { times: 1, seen: `${long.day}, then ${next.day}: two commits` };
          }),
        twin: { without: 'noWaitingRuns', fails: /no due run is dropped/ },
      });
    });

    faultTest(stage, {
      id: 'F23',
      title: 'new workflow code that running runs cannot go on with: the watch says so, the old code ends them',
      injected: 'a worker whose workflow code differs from that of the run',
      story: async (scene) => {
        const changed = join(scene.directory, 'changed-workflows.js');
        const path = fileURLToPath(new URL('../replay/changed-workflows.ts', import.meta.url));
        await writeFile(changed, (await bundleWorkflows({ path })).code);
        const { held, release } = holdMessages(scene);
        await scene.storeDay(DAY, 12);
        scene.watchPublished();
        const before = scene.startWorker();
        const run = await scene.startDay(DAY);
        await scene.until('results', () => (held.length === 6 ? true : undefined));
        await scene.end(before, 'SIGTERM');
        const after = scene.startWorker({ TELEMETRY_WORKFLOW_BUNDLE: changed });
        await release();
        const line = await scene.until('the watch sees it', async () => {
          const { stdout } = await scene.command('check');
          return stdout.split('\n').find((one) => one.includes(`its workflow task fails again and again`));
        });
        assert.match(line, /^problem: daily-analysis 20131029: .* → .*go back to the release before/);
        await scene.end(after, 'SIGTERM');
        scene.startWorker();
        const result = await scene.settled(run);
        assert.equal(result.done, result.planned);
        await judge(scene, { seq: 1, results: [result] });
        return { times: 1, seen: `"${line.slice(0, 80)}…"; one commit by the old code` };
      },
    });
  });
});
