/** Garbage collection beside a publish and a reader of an old commit, on a host whose clock is ten days ahead. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe } from 'node:test';
import type { GarbageCollectionResult } from '../../src/workflows/garbage-collection.ts';
import { faultTest } from './harness/fault-test.ts';
import { closedGate } from './harness/gate.ts';
import { judge } from './harness/oracle.ts';
import type { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const [DAY, NEXT_DAY] = ['20131029', '20131030'];
const TEN_DAYS = String(10 * 86_400);

async function collect(scene: Scene, workerTaskQueue: string): Promise<GarbageCollectionResult> {
  const result: unknown = await scene.stage.client.workflow.execute('garbageCollection', {
    taskQueue: workerTaskQueue,
    workflowId: `garbage-collection-${randomUUID()}`,
    args: [{ force: true }],
    workflowExecutionTimeout: '1 minute',
  });
  return result as GarbageCollectionResult;
}

/** Two commits of a day: the folders of the first are named by nobody but old readers. */
async function twoCommits(scene: Scene) {
  await scene.storeDay(DAY, 12);
  scene.startWorker();
  const first = await scene.runDay(DAY);
  const old = await scene.snapshotFolders();
  scene.analysts.script = { variantOf: (key) => (key.includes(DAY) ? 'again' : '') };
  const second = await scene.runDay(DAY);
  const counted = new Map((scene.days.get(DAY) ?? []).map((key) => [key, 'again']));
  return { results: [first, second], old, counted };
}

describe('F17: garbage collection', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F17',
    title: 'takes nothing from a publish that goes on, nor from a reader of the commit before, whatever its clock says',
    injected: 'clock +10 days, a publish held before its commit',
    story: async (scene) => {
      const { results, old, counted } = await twoCommits(scene);
      scene.watchPublished();
      const gate = closedGate();
      const fault = { kind: 'hold', gate: gate.wait } as const;
      scene.s3.add({ name: 'held', method: 'PUT', key: /versions\.json$/, times: 1, fault });
      await scene.storeDay(NEXT_DAY, 12);
      const staged = await scene.startDay(NEXT_DAY);
      await scene.until('the publish at its commit', () => (gate.arrived() > 0 ? true : undefined));
      const folders = await scene.snapshotFolders();
      const elsewhere = `${scene.names.workerTaskQueue}-gc`;
      scene.startWorker({ TELEMETRY_WORKER_TASK_QUEUE: elsewhere, CLOCK_SKEW_SECONDS: TEN_DAYS });
      const { deleted } = await collect(scene, elsewhere);
      assert.deepEqual(await scene.snapshotFolders(), folders, 'folders before and after');
      assert.ok(old.every((folder) => folders.includes(folder)));
      assert.equal(deleted, 0);
      gate.open();
      results.push(await staged.result());
      for (const key of scene.days.get(NEXT_DAY) ?? []) counted.set(key, '');
      await judge(scene, { seq: 3, results, counted });
      return { times: 1, seen: `${folders.length} folders looked at, none removed; the publish ended` };
    },
    twin: { without: 'localGarbageClock', fails: /folders before and after/ },
  });

  faultTest(stage, {
    id: 'F17',
    title: 'is killed in the middle, and the next one ends it',
    injected: 'kill -9 at gc.midDelete, ages made up',
    // Only so can anything be old here.
    scene: { without: 'localGarbageClock' },
    story: async (scene) => {
      const { results, counted } = await twoCommits(scene);
      const elsewhere = `${scene.names.workerTaskQueue}-gc`;
      scene.superviseWorker({
        TELEMETRY_WORKER_TASK_QUEUE: elsewhere,
        CLOCK_SKEW_SECONDS: TEN_DAYS,
        FAILPOINTS: 'gc.midDelete=kill',
      });
      const { deleted } = await collect(scene, elsewhere);
      assert.deepEqual(scene.deaths, ['SIGKILL']);
      assert.equal((await scene.snapshotFolders()).length, 3, 'those of the current commit');
      await judge(scene, { seq: 2, results, counted, now: new Date(Date.now() + 10 * 86_400_000) });
      return { times: 1, seen: `${deleted} objects went in the second attempt, the data set is whole` };
    },
  });
});
