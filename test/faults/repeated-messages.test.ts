/** SQS delivers at least once, in any order, also after a run has closed: a receipt makes every message count once (D4). */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { seededChance } from '../fakes/seeded-chance.ts';
import { faultStage } from './harness/stage.ts';

const DAYS = ['20131029', '20131030'] as const;
const LAST_DAY = '20131031';
const SEED = Number(process.env['TELEMETRY_FAULT_SEED'] ?? 8);
const MOST_COPIES = 4;
const LATE = 8;

describe('messages that come again', { concurrency: 2 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F8',
    title: 'every done message 1 to 5 times, shuffled, over three days',
    injected: `copies of done messages, seed ${SEED}, also after their runs closed`,
    smoke: 'first',
    story: async (scene) => {
      for (const day of DAYS) await scene.storeDay(day, 24);
      await scene.storeDay(LAST_DAY, 12);
      const messages: string[] = [];
      scene.analysts.script = { messagesOf: (_, message) => (messages.push(message), [message]) };
      const random = seededChance(SEED);
      const copies = (): number => Math.floor(random() * (MOST_COPIES + 1));
      scene.sqs.add({
        name: 'copies',
        method: 'ReceiveMessage',
        key: new RegExp(`^${scene.names.doneQueue}$`),
        fault: { kind: 'duplicate', copies },
      });
      scene.watchPublished();
      scene.startWorker();
      scene.startWorker();
      const sideBySide = await Promise.all(DAYS.map((day) => scene.startDay(day)));
      const results = await Promise.all(sideBySide.map((run) => run.result()));
      // Also when their runs have closed: the next drain takes them.
      await scene.queues.send(scene.names.doneQueue, messages.slice(0, LATE));
      results.push(await scene.runDay(LAST_DAY));
      const { all, copies: handedOut, copiesDeleted } = scene.sqs.deliveries;
      const tasks = results.reduce((sum, { planned }) => sum + planned, 0);
      // Each drain logs what it filed.
      const logged = [...(await scene.logs()).matchAll(/"msg":"done queue drained"|"duplicates":(\d+)/g)];
      const duplicates = logged.reduce((sum, [, count]) => sum + Number(count ?? 0), 0);
      assert.equal(duplicates, all - tasks, 'duplicates are counted');
      assert.equal(copiesDeleted, handedOut, 'all are deleted');
      await judge(scene, { seq: 3, results });
      return {
        times: handedOut + LATE,
        seen: `${all} deliveries of ${tasks} messages, ${duplicates} counted as duplicates`,
      };
    },
    twin: { without: 'receiptOverwritten', fails: /duplicates are counted/ },
  });
});
