/** A worker that computes for longer than its heartbeats may stay away. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { triedAgain } from './harness/attempts.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';

describe('F18: 8 s of computing, heartbeat time-out 3 s', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F18',
    title: 'in a worker thread: no attempt is lost',
    injected: '8 s of computing in a merge, in its thread',
    scene: { without: 'blockedThread' },
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      scene.startWorker();
      const run = await scene.startDay(DAY);
      const result = await run.result();
      assert.deepEqual(await triedAgain(scene, run), [], 'attempts of the merge');
      await judge(scene, { seq: 1, results: [result] });
      return { times: 1, seen: 'one attempt, heartbeats went on' };
    },
    twin: { without: 'blockedMainThread', fails: /attempts of the merge/ },
  });

  faultTest(stage, {
    id: 'F18',
    title: 'forced into the main thread: attempts overlap, and there is still one commit',
    injected: 'event loop blocked for 8 s at merge.begin',
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      scene.startWorker({ FAILPOINTS: 'merge.begin=block:8s' });
      const run = await scene.startDay(DAY);
      await scene.until('a merge that blocks', () => (scene.fired.includes('merge.begin@1') ? true : undefined));
      scene.startWorker();
      const result = await run.result();
      assert.deepEqual(scene.fired, ['merge.begin@1']);
      await judge(scene, { seq: 1, results: [result] });
      const again = await triedAgain(scene, run);
      assert.ok(again.includes('mergeChunk'), 'the block was noticed');
      return { times: 1, seen: `tried again: ${again.join(', ')}; one commit` };
    },
  });
});
