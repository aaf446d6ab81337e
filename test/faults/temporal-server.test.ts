/** kill -9 of the Temporal server: workers wait, the histories are on its disk, and the run goes on where it was. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';

/** Where the run stands when the server goes, and for how long it is gone. */
const OUTAGES = [
  { point: 'drain.afterReceipt', seconds: 60 },
  { point: 'stage.midFolder', seconds: 5 },
  { point: 'flip.after', seconds: 5 },
] as const;

describe('F3: the Temporal server is killed', () => {
  const stage = faultStage();
  for (const { point, seconds } of OUTAGES) {
    faultTest(stage, {
      id: 'F3',
      title: `for ${seconds} s at ${point}`,
      injected: `kill -9 of the server, ${seconds} s, at ${point}`,
      story: async (scene) => {
        await scene.storeDay(DAY, 12);
        scene.watchPublished();
        scene.startWorker({ FAILPOINTS: `${point}=delay:3s` });
        const run = await scene.startDay(DAY, { giveUpSeconds: 120 });
        await scene.until(`the worker at ${point}`, () => (scene.fired.includes(`${point}@1`) ? true : undefined));
        await scene.stage.killTemporal();
        // The outage itself is what is tested here.
        await delay(seconds * 1000);
        await scene.stage.restartTemporal();
        const result = await scene.settled(run);
        assert.equal(result.done, 6);
        const verdict = await judge(scene, { seq: 1, results: [result] });
        return { times: 1, seen: `exactly one commit; ${verdict.observations} looks of the reader` };
      },
      ...(point === 'flip.after' && { twin: { without: 'blindRecommit', fails: /the number of commits/ } }),
    });
  }
});
