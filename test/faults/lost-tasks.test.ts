/** Results that do not come: an analysis worker that dies between deleting its task and reporting it (the original's hole). */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';

function numberOf(id: string): number {
  return Number(id.split('/')[1]);
}

describe('F19: lost tasks', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F19',
    title: 'are sent again, and results without a message are found',
    injected: '3 tasks lost, 2 messages lost',
    scene: {
      script: {
        answer: ({ id }, attempt) =>
          attempt > 1 || numberOf(id) > 5 ? 'done' : numberOf(id) <= 3 ? 'silent' : 'result only',
      },
    },
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      scene.startWorker();
      const result = await scene.runDay(DAY, { stragglerSeconds: 5, giveUpSeconds: 40 });
      assert.equal(result.missing, 0, 'missing tasks');
      const twice = [...scene.analysts.attempts].filter(([, attempts]) => attempts > 1).map(([id]) => numberOf(id));
      assert.deepEqual(twice.toSorted(), [1, 2, 3], 'only those without a result are sent again');
      await judge(scene, { seq: 1, results: [result] });
      return { times: 5, seen: '3 sent again, 2 results found, nothing missing' };
    },
    twin: { without: 'noResend', fails: /missing tasks/ },
  });

  faultTest(stage, {
    id: 'F19',
    title: 'that never answer: published as incomplete, with exactly their files in FILES_MISSING',
    injected: '2 tasks lost three times each',
    scene: { script: { answer: ({ id }) => (numberOf(id) <= 2 ? 'silent' : 'done') } },
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      scene.startWorker();
      const result = await scene.runDay(DAY, { stragglerSeconds: 3, giveUpSeconds: 14 });
      assert.deepEqual([result.done, result.missing], [10, 2]);
      assert.deepEqual(
        [1, 2].map((number) => scene.analysts.attempts.get(`${result.runId}/${number}`)),
        [3, 3],
      );
      const lost = [...scene.analysts.tasks.values()]
        .filter(({ id }) => numberOf(id) <= 2)
        .flatMap(({ files }) => files);
      const { body } = await scene.published.get('v7/FILES_MISSING');
      assert.deepEqual(body.toString('utf8').trim().split('\n'), lost.toSorted());
      assert.ok(
        result.warnings.some((warning) => warning.includes('2')),
        result.warnings.join('; '),
      );
      const counted = new Map((scene.days.get(DAY) ?? []).filter((key) => !lost.includes(key)).map((key) => [key, '']));
      await judge(scene, { seq: 1, results: [result], counted });
      return { times: 6, seen: `incomplete: ${lost.length} files in FILES_MISSING; warning given` };
    },
  });
});
