/** S3 and SQS that fail now and then, or do not answer at all: calls are tried again, given up in time, and nothing is lost. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { triedAgain } from './harness/attempts.ts';
import type { ChaosProxy, Fault, TracedCall } from './harness/chaos-proxy.ts';
import { faultTest } from './harness/fault-test.ts';
import { closedGate } from './harness/gate.ts';
import { judge } from './harness/oracle.ts';
import type { Scene } from './harness/scene.ts';
import { seededChance } from '../fakes/seeded-chance.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const SEED = Number(process.env['TELEMETRY_FAULT_SEED'] ?? 6);
/** Of each of two kinds of answers: together 30 % of all calls. */
const SHARE = 1 - Math.sqrt(1 - 0.3);
const UNWELL_MS = 20_000;
const DAY_DEADLINE_MS = 90_000;

/** As `src/aws` has it, for both services. */
const REQUEST_MS = 30_000;
const GIVEN_UP_MS = REQUEST_MS + 15_000;

async function within<T>(what: string, deadlineMs: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: stop.signal }).then(() =>
    assert.fail(`${what} took longer than ${deadlineMs / 1000} s`),
  );
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
    work.catch(() => undefined);
  }
}

function unwell(proxy: ChaosProxy, random: () => number, slowDown: string): void {
  const chance = (): boolean => random() < SHARE;
  proxy.add(
    { name: 'unwell', chance, fault: { kind: 'status', status: 500, code: 'InternalError' } },
    { name: 'unwell', chance, fault: { kind: 'status', status: 503, code: slowDown } },
  );
}

/** Mean pause before the first and before later tries of one call, which comes again and again until it is answered. */
function pauses(trace: readonly TracedCall[]): { first: number; later: number; retries: number } {
  const failed = new Map<string, { at: number; tries: number }>();
  const gaps: [first: number[], later: number[]] = [[], []];
  for (const { at, method, key, query, status } of trace) {
    const call = `${method} ${key} ${query}`;
    const before = failed.get(call);
    // What comes after seconds is a new attempt of the activity.
    if (before !== undefined && at - before.at < 2_000) gaps[before.tries === 1 ? 0 : 1].push(at - before.at);
    if (status === undefined) failed.set(call, { at, tries: (before?.tries ?? 0) + 1 });
    else failed.delete(call);
  }
  const mean = (list: readonly number[]): number => list.reduce((sum, gap) => sum + gap, 0) / list.length;
  return { first: mean(gaps[0]), later: mean(gaps[1]), retries: gaps.flat().length };
}

describe('services that are unwell', { concurrency: 4 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F6',
    title: '30 % of all calls of S3 and SQS fail',
    injected: `500 and 503 SlowDown, seed ${SEED}, for days on end (${UNWELL_MS / 1000} s and more)`,
    story: async (scene) => {
      const random = seededChance(SEED);
      unwell(scene.s3, random, 'SlowDown');
      unwell(scene.sqs, random, 'ServiceUnavailable');
      scene.watchPublished();
      scene.startWorker();
      const startedAt = performance.now();
      const results = [];
      for (let date = Number(DAY); results.length === 0 || performance.now() - startedAt < UNWELL_MS; date += 1) {
        await scene.storeDay(String(date), 12);
        results.push(await within(`the day ${date}`, DAY_DEADLINE_MS, scene.runDay(String(date))));
      }
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      const { first, later, retries } = pauses(scene.s3.trace);
      // How long they are is the SDK's; on a busy machine the calls themselves take longer than the pauses.
      assert.ok(retries > 0, 'calls are tried again within an attempt of their activity');
      const times = (scene.s3.injected.get('unwell') ?? 0) + (scene.sqs.injected.get('unwell') ?? 0);
      for (const { done, planned } of results) assert.equal(done, planned, 'O4: all tasks are done');
      const share = Math.round((100 * times) / (scene.s3.trace.length + scene.sqs.trace.length));
      await judge(scene, { seq: results.length, results });
      const grown = `pauses of ${Math.round(first)} ms, then ${Math.round(later)} ms`;
      return {
        times,
        seen: `${share} % of calls in ${seconds} s; ${results.length} days; ${retries} retries, ${grown}`,
      };
    },
    twin: { without: 'neverAgain', fails: /the day \d+ took longer/ },
  });

  const hangs: readonly {
    readonly what: string;
    readonly fault: 'hold' | 'stallBody';
    readonly service: 's3' | 'sqs';
    readonly method: string;
    readonly key: RegExp;
    readonly twin?: Parameters<typeof faultTest>[1]['twin'];
  }[] = [
    {
      what: 'a receive of the done queue',
      fault: 'hold',
      service: 'sqs',
      method: 'ReceiveMessage',
      key: /^done-/,
      twin: { without: 'endlessRequests', fails: /is given up/ },
    },
    { what: 'the GET of a result', fault: 'hold', service: 's3', method: 'GET', key: /result\.txt$/ },
    {
      what: 'the GET of a result, in the middle of its body',
      fault: 'stallBody',
      service: 's3',
      method: 'GET',
      key: /result\.txt$/,
      twin: { without: 'endlessBodies', fails: /is given up/ },
    },
    { what: 'the PUT of versions.json', fault: 'hold', service: 's3', method: 'PUT', key: /versions\.json$/ },
  ];
  for (const { what, fault: kind, service, method, key, twin } of hangs) {
    faultTest(stage, {
      id: 'F7',
      title: `no answer to ${what}`,
      injected: `no bytes for ever: ${what}`,
      story: async (scene) => {
        const fault: Fault = kind === 'hold' ? { kind, gate: closedGate().wait } : { kind };
        scene[service].add({ name: 'hangs', method, key, times: 1, fault });
        await scene.storeDay(DAY, 12);
        scene.watchPublished();
        scene.startWorker();
        const run = await scene.startDay(DAY, { giveUpSeconds: 120 });
        const waited = await givenUpAfter(scene, service, method);
        assert.ok(waited >= REQUEST_MS - 100 && waited < GIVEN_UP_MS, `given up after ${waited} ms`);
        const result = await run.result();
        // The request is given up ten times later than a heartbeat would be missed.
        const again = await triedAgain(scene, run);
        assert.ok(again.length <= 1, `heartbeats went on: ${again.join()}`);
        assert.equal(result.done, result.planned, 'O4: all tasks are done');
        await judge(scene, { seq: 1, results: [result] });
        const seconds = (waited / 1000).toFixed(1);
        const retried = again.length === 0 ? 'the call was tried again' : `${again.join()} was tried again`;
        return { times: 1, seen: `given up after ${seconds} s, no heartbeat missed; ${retried}` };
      },
      ...(twin !== undefined && { twin }),
    });
  }
});

/** From the request that was not answered to the next one of its kind, in ms. */
async function givenUpAfter(scene: Scene, service: 's3' | 'sqs', method: string): Promise<number> {
  const { trace } = scene[service];
  const hung = await scene.until(
    'a request hangs',
    () => trace.find(({ faults }) => faults.includes('hangs')),
    120_000,
  );
  const isAgain = (call: TracedCall): boolean => call !== hung && call.at >= hung.at && call.method === method && call.key === hung.key; // prettier-ignore
  const next = await scene.until('the request is given up', () => trace.find(isAgain), GIVEN_UP_MS);
  return next.at - hung.at;
}
