/**
 * Names from messages and results that would lead somewhere else if they became parts of keys (docs/security.md T1,
 * T4).
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { reasonsOf } from './harness/quarantined.ts';
import type { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const NEXT_DAY = '20131030';
const LONG = 'x'.repeat(2048);

const prefixes = ({ id }: TaskMessage): readonly unknown[] => [
  '',
  '/',
  '.',
  '../',
  '../../v7/versions.json',
  'v7/',
  'state/',
  'output/',
  `output/${id}/../`,
  `output/${id}/../../../state/`,
  `output/${id}//`,
  `/output/${id}/`,
  `output/../output/${id}/`,
  `OUTPUT/${id}/`,
  `output\\${id}\\`,
  `output/${id}/\0`,
  `output%2f${id}%2f`,
  `оutput/${id}/`,
  `output∕${id}∕`,
  `s3://telemetry-published/output/${id}/`,
  `output/${id}/${LONG}`,
  ['output/', id],
  { toString: id },
  7,
];

/** Of result lines: such a result is refused whole. */
const KEYS = [
  'nightly/28/../../versions.json/by-build-date',
  'nightly/28/../by-build-date',
  '../28/GC_MS/by-build-date',
  'nightly/../GC_MS/by-build-date',
  '<script>/28/GC_MS/by-build-date',
  `nightly/28/${LONG}/by-build-date`,
  `${LONG}/28/GC_MS/by-build-date`,
  'nightly/28/GC_MS\0/by-build-date',
  'nіghtly/28/GC_MS/by-build-date',
  'nightly/28/GC＿MS/by-build-date',
  'nightly/28/．．∕versions/by-build-date',
  '$head/28/GC_MS/by-build-date',
  'nightly/28/GC_MS/by-build-date\\..',
];

/** Of rows, which are dropped and counted. */
const PATHS = [
  '../../versions.json',
  '20131028/../../../../../versions.json',
  `20131028/r/Firefox/WINNT/6.1/${LONG}`,
  '20131028/r/Firefox/WINNT/6.1/x\0',
  '20131028/r/Firefox/name/6.1/x86',
  '20131028/r/Firefox/WINNT/_id/x86',
  '20131028/r/Firefox/WINNT/6.1∕x86',
  '__proto__',
];

const ROW = '{"values":[1,1,1,1,1,1,1,0,1],"buildId":"20131028030204","revision":""}';

/** Requests that name anything but what the application has there. */
function strangeRequests({ s3, input, analysis, published }: Scene): string[] {
  const places = [
    `${input.bucket}(/[\\w/.-]+\\.lzma)?`,
    `${analysis.bucket}(/state/[\\w/.-]+|/output/[0-9a-f-]{36}/[0-9]+/result\\.txt)?`,
    `${published.bucket}(/v7/(versions\\.json|[0-9]{14}-[0-9]+-[a-z]+/([\\w-]+\\.json|aggregates\\.parquet)|[\\w.-]+))?`,
  ];
  const own = new RegExp(`^(${places.join('|')})/?$`);
  return s3.trace.map(({ key }) => key).filter((key) => !own.test(key) || key.includes('..'));
}

function assertOwnPlaces(scene: Scene): void {
  const strange = new Set(strangeRequests(scene));
  assert.deepEqual([...strange].slice(0, 10), [], 'no requests outside of the own places');
  const pointer = scene.s3.trace.filter(({ key }) => key.endsWith('versions.json'));
  const changes = pointer.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  const blind = changes.filter(({ method, condition }) => method !== 'PUT' || condition === undefined);
  assert.deepEqual(blind, [], 'versions.json is only ever changed under a condition');
}

/** A run that has left its places may never end. */
async function endedInItsPlaces(scene: Scene, day: string): Promise<DailyAnalysisResult> {
  const run = await scene.startDay(day);
  const state = { ended: false };
  const end = run.result().finally(() => (state.ended = true));
  end.catch(() => undefined);
  await scene.until(
    `the end of ${day}`,
    () => (state.ended || strangeRequests(scene).length > 0 ? true : undefined),
    120_000,
  );
  if (!state.ended) await scene.stage.client.workflow.getHandle(run.workflowId).terminate();
  await end.catch(() => undefined);
  assertOwnPlaces(scene);
  return end;
}

describe('hostile names', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F10',
    title: 'messages that point elsewhere',
    injected: 'hostile "target-prefix", 24 variants',
    smoke: 'first',
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      let hostile = 0;
      scene.analysts.script = {
        messagesOf: (task, message) => {
          if (hostile > 0) return [message];
          const fields = JSON.parse(Buffer.from(message, 'base64').toString()) as object;
          const bad = prefixes(task).map((prefix) => ({ ...fields, 'target-prefix': prefix }));
          hostile = bad.length;
          return [...bad.map((each) => Buffer.from(JSON.stringify(each)).toString('base64')), message];
        },
      };
      scene.watchPublished();
      scene.startWorker();
      const result = await endedInItsPlaces(scene, DAY);
      assert.deepEqual(await reasonsOf(scene), Array(hostile).fill('bad_prefix'), 'each is in quarantine once');
      assert.equal(result.done, result.planned, 'O4: all tasks are done');
      await judge(scene, { seq: 1, results: [result] });
      return { times: hostile, seen: `all in quarantine; ${scene.s3.trace.length} requests, all to own places` };
    },
    twin: { without: 'trustTargetPrefix', fails: /in quarantine once/ },
  });

  faultTest(stage, {
    id: 'F10',
    title: 'results with hostile names',
    injected: `${KEYS.length} keys of result lines, ${PATHS.length} paths of rows in each good result`,
    smoke: 'more',
    story: async (scene) => {
      await scene.storeDay(DAY, 36);
      await scene.storeDay(NEXT_DAY, 2);
      const rows = PATHS.map((path) => `${JSON.stringify(path)}:${ROW}`).join(',');
      const spoilt = new Map<string, readonly string[]>();
      const keys = [...KEYS];
      scene.analysts.script = {
        resultOf: ({ id, files }, made) => {
          const key = files[0]?.includes(`.${DAY}.`) ? keys.shift() : undefined;
          if (key === undefined) return `${made}nightly/28/GC_MS/by-build-date\t{${rows}}\n`;
          spoilt.set(id, files);
          return `${made}${key}\t{"20131028/r/Firefox/WINNT/6.1/x86":${ROW}}\n`;
        },
      };
      scene.watchPublished();
      scene.startWorker();
      const results = [await endedInItsPlaces(scene, DAY), await endedInItsPlaces(scene, NEXT_DAY)];
      assert.deepEqual(results[0]?.failedTasks, { result_rejected: KEYS.length }, 'refused results');
      assert.deepEqual(await reasonsOf(scene), Array(KEYS.length).fill('bad_result_key'));
      const good = results.reduce((sum, { done }) => sum + done, 0);
      const dropped = results.map((result) => result.dropped);
      const sums = ['bad_path', 'bad_date'].map((reason) => dropped.reduce((sum, of) => sum + (of[reason] ?? 0), 0));
      assert.deepEqual(sums, [PATHS.length * good, 0], 'rows dropped and counted');
      const lost = new Set([...spoilt.values()].flat());
      const kept = [...scene.days.values()].flat().filter((key) => !lost.has(key));
      await judge(scene, { seq: 2, results, counted: new Map(kept.map((key) => [key, ''])) });
      return { times: KEYS.length + (sums[0] ?? 0), seen: `${KEYS.length} results refused, ${sums[0]} rows dropped` };
    },
    twin: { without: 'anySegment', fails: /outside/ },
  });
});
