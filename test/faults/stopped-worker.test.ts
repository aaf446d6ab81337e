/** SIGTERM to a worker in the middle of its work: it hands over within the grace time, and nothing is lost. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import type { Scene, StartedDay } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
/** As the scenes' workers have it; after twice the time a worker ends whatever runs. */
const GRACE_MS = 2_000;
const RESUMED_WITHIN_MS = GRACE_MS + 2_000;

/** The worker that was told to stop is gone, and the activity goes on elsewhere. */
async function handOver(
  scene: Scene,
  run: StartedDay,
  activity: string,
): Promise<{ stopMs: number; resumedMs: number }> {
  const worker = scene.startWorker();
  await scene.until('the second worker', async () => ((await scene.logged('worker started')) === 2 ? true : undefined));
  const first = scene.workers[0] ?? assert.fail('no worker');
  const startedAt = performance.now();
  const ended = scene.end(first, 'SIGTERM');
  await scene.until(
    `attempt 2 of ${activity}`,
    async () => ((await scene.attempts(run, activity)) >= 2 ? true : undefined),
    RESUMED_WITHIN_MS + 10_000,
  );
  const resumedMs = performance.now() - startedAt;
  const { code, ms } = await ended;
  assert.equal(code, 0, 'exit code of the worker that was told to stop');
  assert.ok(ms < 2 * GRACE_MS + 1_000, `it ended after ${Math.round(ms)} ms`);
  assert.ok(resumedMs < RESUMED_WITHIN_MS, `resumed after ${Math.round(resumedMs)} ms`);
  assert.equal(worker.exitCode, null);
  return { stopMs: Math.round(ms), resumedMs: Math.round(resumedMs) };
}

describe('F2: a worker is told to stop', () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F2',
    title: 'while it drains',
    injected: 'SIGTERM in a long poll, half of the results in',
    scene: { script: { answer: ({ id }) => (Number(id.split('/')[1]) % 2 === 0 ? 'silent' : 'done') } },
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      const { script } = scene.analysts;
      scene.startWorker();
      const run = await scene.startDay(DAY, { giveUpSeconds: 60, stragglerSeconds: 12 });
      await scene.until('half of the receipts', async () =>
        (await scene.keys(scene.analysis, 'state/runs/')).filter((key) => key.endsWith('.done')).length === 6
          ? true
          : undefined,
      );
      const { stopMs, resumedMs } = await handOver(scene, run, 'drainDoneQueue');
      // The others come when they are sent again.
      scene.analysts.script = { ...script, answer: () => 'done' };
      const result = await run.result();
      assert.equal(result.done, 12);
      await judge(scene, { seq: 1, results: [result] });
      return { times: 1, seen: `exit code 0 after ${stopMs} ms, drain resumed after ${resumedMs} ms` };
    },
    twin: { without: 'deafDrain', fails: /exit code|it ended after|resumed after|attempt 2/ },
  });

  faultTest(stage, {
    id: 'F2',
    title: 'while it merges',
    injected: 'SIGTERM in a merge that takes longer than the grace time',
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      scene.watchPublished();
      scene.startWorker({ FAILPOINTS: 'merge.begin=hang' });
      const run = await scene.startDay(DAY);
      await scene.until('the merge', () => (scene.fired.includes('merge.begin@1') ? true : undefined));
      const { stopMs, resumedMs } = await handOver(scene, run, 'mergeChunk');
      const result = await run.result();
      assert.equal(result.done, 12);
      await judge(scene, { seq: 1, results: [result] });
      return { times: 1, seen: `exit code 0 after ${stopMs} ms, merge resumed after ${resumedMs} ms` };
    },
  });
});
