/**
 * kill -9 of the worker at the named points of docs/protocol.md 4: the run ends with another one, and the data set is
 * the same.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { stagingsAgain } from './harness/attempts.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const NEXT_DAY = '20131030';
const FILES = 24;

/** With the twin that shows why it holds. */
const POINTS = {
  'plan.afterPut': {},
  'enqueue.mid': {},
  'drain.afterReceive': { twin: { without: 'deleteBeforeReceipt', fails: /O4/ } },
  'drain.afterReceipt': { smoke: 'more' },
  'drain.afterDelete': {},
  'build.afterChunk': {},
  'stage.midFolder': {},
  'stage.beforeManifest': {},
  'flip.before': { smoke: 'more' },
  'flip.after': { smoke: 'first', twin: { without: 'blindRecommit', fails: /the number of commits/ } },
  'proj.before': {},
} as const;

describe('F1: the worker is killed', { concurrency: 3 }, () => {
  const stage = faultStage();
  for (const [point, more] of Object.entries(POINTS)) {
    faultTest(stage, {
      id: 'F1',
      title: `at ${point}`,
      injected: `kill -9 at ${point}`,
      story: async (scene) => {
        await scene.storeDay(DAY, FILES);
        await scene.storeDay(NEXT_DAY, 2);
        scene.watchPublished();
        scene.superviseWorker({ FAILPOINTS: `${point}=kill` });
        const result = await scene.runDay(DAY);
        assert.deepEqual(scene.deaths, ['SIGKILL']);
        assert.deepEqual(scene.fired, [`${point}@1`]);
        assert.equal(result.done, FILES / 2, 'O4: all tasks are done');
        // A message whose receipt is there already waits for whichever drain comes next.
        const next = await scene.runDay(NEXT_DAY);
        const verdict = await judge(scene, { seq: 2, results: [result, next] });
        const folders = await scene.snapshotFolders();
        // One, unless a busy machine has let heartbeats come late.
        const attempts = Math.max(1, await stagingsAgain(scene, scene.started));
        assert.ok(folders.length <= 3 + 3 + attempts, `an attempt leaves at most one folder: ${folders.join(' ')}`);
        return {
          times: 1,
          seen: `one commit, ${result.done} of ${result.planned} results; ${verdict.observations} looks`,
        };
      },
      ...more,
    });
  }
});
