/** Workers whose clocks are wrong. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { rootCause } from '../../src/commands/follow-run.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const SKEWS = [86_400, 1200, -86_400];

/** What made the run fail, not only that it did. */
async function told<T>(run: Promise<T>): Promise<T> {
  return run.catch((error: unknown) => {
    throw rootCause(error as Error);
  });
}

describe('F21: clock skew', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F21',
    title: 'workers that are a day ahead, 20 minutes ahead and a day behind publish one after the other',
    injected: `clocks off by ${SKEWS.join(', ')} s`,
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      scene.watchPublished();
      const results = [];
      const names: string[] = [];
      for (const [index, skew] of SKEWS.entries()) {
        scene.analysts.script = { variantOf: () => String(index) };
        const worker = scene.startWorker({ CLOCK_SKEW_SECONDS: String(skew) });
        results.push(await told(scene.runDay(DAY)));
        await scene.end(worker, 'SIGTERM');
        names.push(await scene.currentFolder('nightly/28'));
      }
      assert.deepEqual(names.toSorted(), names, 'names of folders ascend with the commits');
      assert.deepEqual(
        results.map(({ day, decision }) => [day, decision]),
        SKEWS.map(() => [DAY, 'published']),
      );
      const counted = new Map((scene.days.get(DAY) ?? []).map((key) => [key, String(SKEWS.length - 1)]));
      await judge(scene, { seq: SKEWS.length, results, counted });
      return { times: SKEWS.length, seen: 'three commits, the newest run in, names ascend' };
    },
    twin: {
      without: 'folderByClockAlone',
      fails: /goes back from \d{14}-\d+-\w+ to \d{14}-\d+-\w+, which breaks I3|names of folders ascend/,
    },
  });
});
