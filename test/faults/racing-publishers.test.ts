/**
 * Several publishers: of different days, whose commits race, and of one day, of which the newest run wins
 * (docs/protocol.md 5).
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { stagingsAgain } from './harness/attempts.ts';
import { faultTest, isFirst, isFull } from './harness/fault-test.ts';
import { closedGate } from './harness/gate.ts';
import { judge } from './harness/oracle.ts';
import type { Scene, StartedDay } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const POINTER = /versions\.json$/;
const SEEDS = isFull ? 50 : isFirst ? 2 : 4;
/** The whole data set is looked through after so many races. */
const JUDGED_AT_ONCE = 10;
const TWO_RUNS = 2;

/** Channel/versions of the two days of a seed: the same ones, some shared, none shared. */
const SPREADS = [
  [['nightly/28'], ['nightly/28']],
  [
    ['nightly/28', 'aurora/27'],
    ['aurora/27', 'beta/26'],
  ],
  [['nightly/28'], ['beta/26']],
] as const;

function dayOf(number: number): string {
  return new Date(Date.UTC(2013, 0, 1 + number)).toISOString().slice(0, 10).replaceAll('-', '');
}

interface Race {
  readonly runs: readonly StartedDay[];
  readonly results: readonly DailyAnalysisResult[];
}

/** Both runs come to the PUT of versions.json, and go on together. */
async function race(scene: Scene, seed: number): Promise<Race> {
  const days = [dayOf(2 * seed), dayOf(2 * seed + 1)];
  const spread = SPREADS[seed % SPREADS.length] ?? SPREADS[0];
  for (const [index, day] of days.entries()) await scene.storeDay(day, 4, spread[index]);
  const gate = closedGate(TWO_RUNS);
  const fault = { kind: 'hold', gate: gate.wait } as const;
  scene.s3.add({ name: 'raced', method: 'PUT', key: POINTER, times: TWO_RUNS, fault });
  const before = (await scene.snapshotFolders()).length;
  const runs: StartedDay[] = [];
  for (const day of days) {
    runs.push(await scene.startDay(day));
    // One after the other up to here: a drain that leaves its messages to another one only looks now and then.
    await scene.until(`${day} at its commit`, () => (gate.arrived() === runs.length ? true : undefined));
  }
  const results = await Promise.all(runs.map((run) => run.result()));
  assert.deepEqual(
    results.map(({ decision }) => decision),
    ['published', 'published'],
    `seed ${seed}`,
  );
  // The loser renders again what the winner has changed.
  const shared = spread[0].filter((name) => (spread[1] as readonly string[]).includes(name)).length;
  // An attempt that a busy machine has taken for dead leaves its folder.
  const left = await stagingsAgain(scene, runs);
  const made = (await scene.snapshotFolders()).length - before;
  const needed = spread[0].length + spread[1].length + shared;
  const most = needed + left;
  assert.ok(made >= needed && made <= most, `folders made with seed ${seed}: ${made}, needed ${needed} to ${most}`);
  return { runs, results };
}

describe('publishers side by side', () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F14',
    title: `two days are committed at the same moment, ${SEEDS} seeds`,
    injected: 'both PUTs of versions.json held, released together',
    smoke: 'first',
    timeoutMs: 600_000,
    story: async (scene) => {
      scene.startWorker();
      scene.startWorker();
      const races: Race[] = [];
      for (let seed = 0; seed < SEEDS; seed += 1) {
        races.push(await race(scene, seed));
        if (races.length < JUDGED_AT_ONCE && seed < SEEDS - 1) continue;
        const results = races.flatMap((each) => each.results);
        await judge(scene, { seq: 2 * (seed + 1), results, replays: races.flatMap(({ runs }) => runs) });
        races.length = 0;
      }
      const lost = scene.s3.trace.filter(
        ({ method, key, status }) => method === 'PUT' && POINTER.test(key) && status === 412,
      );
      assert.equal(lost.length, SEEDS, 'one of the two loses each time');
      return {
        times: SEEDS,
        seen: `${2 * SEEDS} commits, both days in, once; ${lost.length} losers built on the winner`,
      };
    },
    twin: { without: 'unconditionalFlip', fails: /O1|the number of commits|folders made/ },
  });

  faultTest(stage, {
    id: 'F15',
    title: 'two runs of one day, the older one comes last to the commit',
    injected: 'PUT versions.json of the older run held until the newer one is in',
    story: async (scene) => {
      const day = '20131029';
      await scene.storeDay(day, 12);
      const gate = closedGate();
      scene.s3.add({ name: 'held', method: 'PUT', key: POINTER, times: 1, fault: { kind: 'hold', gate: gate.wait } });
      scene.watchPublished();
      scene.startWorker();
      const older = await scene.startDay(day);
      await scene.until('the older run at its commit', () => (gate.arrived() > 0 ? true : undefined));
      scene.analysts.script = { variantOf: () => 'newer' };
      const newer = await scene.runDay(day);
      gate.open();
      const results = [await older.result(), newer];
      assert.deepEqual(
        results.map(({ decision }) => decision),
        ['superseded', 'published'],
      );
      const counted = new Map((scene.days.get(day) ?? []).map((key) => [key, 'newer']));
      await judge(scene, { seq: 1, results, counted });
      return { times: 1, seen: 'one commit: the newer run; the older one ended as superseded' };
    },
    twin: { without: 'noFencing', fails: /superseded/ },
  });

  faultTest(stage, {
    id: 'F16',
    title: 'a published day is run again with other input, and its old messages come late',
    injected: 'changed results, one channel/version gone, 6 done messages of the old run',
    story: async (scene) => {
      const [day, other] = ['20131029', '20131030'];
      await scene.storeDay(day, 12);
      await scene.storeDay(other, 12, ['nightly/28', 'aurora/27']);
      const late: string[] = [];
      scene.analysts.script = { messagesOf: (_, message) => (late.push(message), [message]) };
      scene.watchPublished();
      scene.startWorker();
      const results = [await scene.runDay(day), await scene.runDay(other)];
      const keys = scene.days.get(day) ?? [];
      const kept = keys.filter((key) => !key.includes('/beta/'));
      await scene.input.delete(keys.filter((key) => !kept.includes(key)));
      await scene.queues.send(scene.names.doneQueue, late.slice(0, 6));
      scene.analysts.script = { variantOf: () => 'changed' };
      results.push(await scene.runDay(day, { replaceAnyway: true }));
      const counted = new Map([
        ...kept.map((key): [string, string] => [key, 'changed']),
        ...(scene.days.get(other) ?? []).map((key): [string, string] => [key, '']),
      ]);
      await judge(scene, { seq: 3, results, counted });
      return { times: 6, seen: 'seq + 1: old contribution gone, new one in, beta/26 left the data set' };
    },
    twin: { without: 'addingUp', fails: /O1|failed/ },
  });
});
