/**
 * The answer to the conditional PUT of versions.json is lost: the pointer itself says whether the commit is in
 * (docs/protocol.md 5).
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Fault } from './harness/chaos-proxy.ts';
import { faultTest } from './harness/fault-test.ts';
import { closedGate } from './harness/gate.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const NEXT_DAY = '20131030';
const POINTER = /versions\.json$/;

const LOST: readonly (Fault & { readonly title: string })[] = [
  { title: 'the connection ends', kind: 'resetAfter' },
  { title: 'the answer is a 500', kind: 'statusAfter', status: 500, code: 'InternalError' },
];

describe('lost answers of the commit', { concurrency: 3 }, () => {
  const stage = faultStage();
  for (const { title, ...fault } of LOST) {
    faultTest(stage, {
      id: 'F4',
      title: `the pointer is replaced, and ${title}`,
      injected: `${fault.kind} on PUT versions.json`,
      ...(fault.kind === 'resetAfter' && { smoke: 'first' as const }),
      story: async (scene) => {
        await scene.storeDay(DAY, 12);
        scene.s3.add({ name: 'lost', method: 'PUT', key: POINTER, times: 1, fault: fault });
        scene.watchPublished();
        scene.startWorker();
        const result = await scene.runDay(DAY);
        assert.equal(result.decision, 'published');
        await judge(scene, { seq: 1, results: [result] });
        const puts = scene.s3.trace.filter(({ method, key }) => method === 'PUT' && POINTER.test(key));
        assert.equal(puts.length, 1, 'it is not sent again');
        const deleted = scene.s3.trace.filter(({ method }) => method === 'DELETE').map(({ key }) => key);
        const dataDeleted = deleted.filter((key) => !key.includes('/state/alerts/'));
        assert.deepEqual(dataDeleted, [], 'nothing is cleaned up after an unknown');
        return { times: scene.s3.injected.get('lost') ?? 0, seen: 'one commit, one PUT, no DELETE' };
      },
      ...(fault.kind === 'resetAfter' && { twin: { without: 'blindRecommit', fails: /the number of commits/ } }),
    });
  }

  faultTest(stage, {
    id: 'F5',
    title: 'the answer is lost, and another day is committed before the look at the pointer',
    injected: 'resetAfter on PUT, HEAD held until the other commit is in',
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      await scene.storeDay(NEXT_DAY, 12);
      const gate = closedGate();
      scene.s3.add(
        { name: 'lost', method: 'PUT', key: POINTER, times: 1, fault: { kind: 'resetAfter' } },
        { name: 'held', method: 'HEAD', key: POINTER, times: 1, fault: { kind: 'hold', gate: gate.wait } },
      );
      scene.watchPublished();
      scene.startWorker();
      const first = await scene.startDay(DAY);
      await scene.until('the look at the pointer', () => (gate.arrived() > 0 ? true : undefined));
      const second = await scene.runDay(NEXT_DAY);
      gate.open();
      const results = [await first.result(), second];
      assert.deepEqual(
        results.map(({ decision }) => decision),
        ['published', 'published'],
      );
      await judge(scene, { seq: 2, results });
      return { times: 1, seen: 'both days once, first found itself behind the head, no rebase' };
    },
    twin: { without: 'blindRecommit', fails: /the number of commits/ },
  });
});
