/**
 * A day with some seventy kinds of bad files, submissions, results and messages beside good ones: it publishes, byte for
 * byte, what the good ones alone do, and everything bad is counted or in quarantine with its reason.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { mirrorInputFolder } from '../../local/input-folder.ts';
import { compress } from '../../local/samples/containers.ts';
import { generateSamples } from '../../local/samples/generate.ts';
import { dailyRun } from '../../src/state/keys.ts';
import { openPlan } from '../../src/state/plan.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { resultKey } from '../fakes/done-messages.ts';
import { triedAgain } from './harness/attempts.ts';
import { faultTest } from './harness/fault-test.ts';
import { badFiles } from './harness/hostile-inputs.ts';
import { base64, JUNK, STRANGER } from './harness/junk-messages.ts';
import { publishedSpace } from './harness/oracle.ts';
import { reasonsOf } from './harness/quarantined.ts';
import { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const PLACE = 'saved_session/Firefox/nightly/28.0a1/20131028031001';
/** Files of it are in tasks of their own, whose results somebody else writes. */
const FOREIGN_PLACE = 'saved_session/Firefox/zzz/99.0/20131028031001';
const FOREIGN_FILES = 90;
const MAX_TASK_FILES = 4;
const ROW = '{"values":[1,1,1,1,1,1,1,0,1],"buildId":"20131028030204","revision":""}';
const PATH = '"20131029/saved_session/Firefox/WINNT/6.1/x86"';

const DEEP = `${'['.repeat(5000)}${']'.repeat(5000)}`;

const MESSAGES: typeof JUNK = [
  ...JUNK,
  [base64('"text"'), 'bad_json'],
  [base64(`{"id":${JSON.stringify(STRANGER)},"files":${DEEP}}`), 'bad_json'],
];

/** Results that are refused whole, each of a task of bad files. */
const REFUSED: readonly (readonly [what: string, text: string, reason: string])[] = [
  ['no TAB', 'nightly/28/GC_MS/by-build-date\n', 'no_tab'],
  ['a path for a key', `nightly/28/../../versions.json/by-build-date\t{${PATH}:${ROW}}\n`, 'bad_result_key'],
  ['a key of 129 characters', `nightly/28/${'x'.repeat(129)}/by-build-date\t{${PATH}:${ROW}}\n`, 'bad_result_key'],
  ['no JSON', 'nightly/28/GC_MS/by-build-date\t{"a":\n', 'bad_json'],
  ['JSON nested 5,000 levels deep', `nightly/28/GC_MS/by-build-date\t{${PATH}:${DEEP}}\n`, 'bad_json'],
  [
    '1,001 channel/versions',
    Array.from({ length: 1001 }, (_, n) => `invented/${n}/X/by-build-date\t{${PATH}:${ROW}}\n`).join(''),
    'bad_result_key',
  ],
];

/** Results of which nothing is left, counted by reason. */
const DROPPED: readonly (readonly [what: string, text: string, reason: string])[] = [
  ['a channel/version of no file', `invented/1/X/by-build-date\t{${PATH}:${ROW}}\n`, 'unplanned_channel_version'],
  ['a path that leads elsewhere', `zzz/99/X/by-build-date\t{"../../versions.json":${ROW}}\n`, 'bad_path'],
  ['a date of no calendar', `zzz/99/X/by-build-date\t{"20139999/r/a/o/v/x":${ROW}}\n`, 'bad_date'],
  ['half a count', `zzz/99/X/by-build-date\t{${PATH}:${ROW.replace('[1,', '[0.5,')}}\n`, 'bad_values'],
  ['a count of 1e300', `zzz/99/X/by-build-date\t{${PATH}:${ROW.replace('[1,', '[1e300,')}}\n`, 'bad_values'],
  [
    'a revision of a million characters',
    `zzz/99/X/by-build-date\t{${PATH}:${ROW.replace('""', `"${'r'.repeat(1_000_000)}"`)}}\n`,
    'bad_revision',
  ],
  [
    'a build that is no number',
    `zzz/99/X/by-build-date\t{${PATH}:${ROW.replace('20131028030204', 'x')}}\n`,
    'bad_build_id',
  ],
];

interface Outcome {
  readonly result: DailyAnalysisResult;
  readonly files: ReadonlyMap<string, string>;
  readonly seconds: number;
  /** Of the Temporal worker and the analysis worker. */
  readonly peakMiB: readonly number[];
}

/** Most memory that a process had, in MiB. */
function peakOf({ pid }: ChildProcess): number {
  const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}

/** @param meanwhile once the plan is stored, before any task is analysed */
async function analysedDay(scene: Scene, meanwhile?: (runId: string) => Promise<void>): Promise<Outcome> {
  const worker = scene.startWorker();
  const run = await scene.startDay(DAY, { giveUpSeconds: 150 }, '6 minutes');
  const runId = await scene.until('a plan', async () => {
    const [key] = await scene.keys(scene.analysis, `state/runs/${DAY}/`);
    return /^state\/runs\/\d+\/([0-9a-f-]{36})\/plan/.exec(key ?? '')?.[1];
  });
  await meanwhile?.(runId);
  const startedAt = performance.now();
  const analyst = scene.startProgram('analysis-worker');
  const result = await run.result();
  const seconds = (performance.now() - startedAt) / 1000;
  const peakMiB = [worker, analyst].map(peakOf);
  const { files } = await publishedSpace(scene);
  // The manifest names segments by their hashes and a file for each measure; measures themselves are compared.
  return { result, files: new Map([...files].filter(([name]) => !name.endsWith('/_manifest.json'))), seconds, peakMiB };
}

/** Tasks all of whose files are of the foreign place: their results are written here, before their worker has them. */
async function foreignTasks(scene: Scene, runId: string): Promise<{ id: string; files: readonly string[] }[]> {
  const { tasks } = await openPlan(scene.analysis, dailyRun(DAY, runId), AbortSignal.timeout(10_000));
  const found: { id: string; files: readonly string[] }[] = [];
  for await (const { id, files } of tasks)
    if (files.every((key) => key.startsWith(FOREIGN_PLACE))) found.push({ id, files });
  return found;
}

describe('a hostile day', { concurrency: 1 }, () => {
  const stage = faultStage();
  const settings = (samples: string): Record<string, string> => ({
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: String(MAX_TASK_FILES),
    TELEMETRY_CHUNK_TASKS: '20',
    TELEMETRY_THREADS: '2',
  });

  faultTest(stage, {
    id: 'F26',
    title: 'publishes what its good data alone publishes',
    injected: 'bad files, submissions, results and messages of every kind',
    timeoutMs: 600_000,
    story: async (scene) => {
      const samples = join(scene.directory, 'samples');
      const channelVersions = ['nightly/28', 'aurora/27'];
      await generateSamples({ seed: 'hostile', days: [DAY], directory: samples, channelVersions });
      const alone = await inOtherScene(scene, settings(samples), async (other) => {
        await storeInput(other, samples, await harmless());
        return analysedDay(other);
      });

      const hostile = await inOtherScene(scene, settings(samples), async (other) => {
        return withBadOnes(other, samples, alone);
      });
      const { times, outcome } = hostile;
      assert.deepEqual([...outcome.files.keys()].toSorted(), [...alone.files.keys()].toSorted());
      for (const [name, text] of alone.files) assert.equal(outcome.files.get(name), text, name);
      const share = outcome.seconds / alone.seconds;
      const [peak, peakAlone] = [outcome, alone].map(({ peakMiB }) => peakMiB.reduce((sum, each) => sum + each, 0));
      assert.ok((peak ?? 0) < 1.5 * (peakAlone ?? 0), `${peak} MiB, ${peakAlone} MiB alone`);
      assert.ok(share < 1.5, `${share.toFixed(2)} × the time of the good day alone`);
      return {
        times,
        seen: `same bytes in ${share.toFixed(2)} × the time; peak ${outcome.peakMiB.join(' and ')} MiB, alone ${alone.peakMiB.join(' and ')} MiB`,
      };
    },
  });
});

/** A file of one good submission that adds to no row. */
function withoutMeasures(): Promise<Buffer> {
  return compress('id\t{"info":{"OS":"WINNT","version":"6.1","arch":"x86"}}\n', 'lzma');
}

/** In the place of each bad file, so that both days have the same tasks: a task's sums of logarithms end in other digits. */
async function harmless(): Promise<Buffer[]> {
  const nothing = await withoutMeasures();
  return (await badFiles()).map(() => nothing);
}

async function storeInput(scene: Scene, samples: string, bodies: readonly Buffer[]): Promise<void> {
  await mirrorInputFolder(join(samples, 'submissions'), scene.input);
  const keyOf = (index: number): string => `${PLACE}.${DAY}.v2.log.bad${String(index).padStart(3, '0')}.lzma`;
  await Promise.all(bodies.map((body, index) => scene.input.put(keyOf(index), body)));
  const foreign = Array.from({ length: FOREIGN_FILES }, (_, n) => `${FOREIGN_PLACE}.${DAY}.v2.log.f${n}.lzma`);
  const nothing = await withoutMeasures();
  await Promise.all(foreign.map((key) => scene.input.put(key, nothing)));
}

async function withBadOnes(
  scene: Scene,
  samples: string,
  alone: Outcome,
): Promise<{ times: number; outcome: Outcome }> {
  const bad = await badFiles();
  const bodies = bad.map(({ body }) => body);
  await storeInput(scene, samples, bodies);

  const written = [...REFUSED, ...DROPPED];
  const messages = MESSAGES.map(([body]) => body);
  const outcome = await analysedDay(scene, async (runId) => {
    const tasks = await foreignTasks(scene, runId);
    assert.ok(tasks.length >= written.length, `${tasks.length} tasks for ${written.length} results`);
    for (const [index, [, text]] of written.entries()) {
      const { id, files } = tasks[index] ?? assert.fail();
      await scene.analysis.put(resultKey(id), Buffer.from(text));
      messages.push(base64({ id, files, 'target-prefix': `output/${id}/` }));
    }
    messages.push(base64({ id: `${runId}/9999`, files: [], 'target-prefix': `output/${runId}/9999/` }));
    for (const body of messages) assert.deepEqual(await scene.queues.send(scene.names.doneQueue, [body]), []);
  });

  const { result } = outcome;
  assert.deepEqual(await reasonsOf(scene), expectedQuarantine(), 'all are in quarantine with their reasons');
  assert.equal(result.failedTasks['result_rejected'], REFUSED.length);
  for (const [, , reason] of DROPPED) assert.ok((result.dropped[reason] ?? 0) > 0, `${reason} is counted`);
  const expected: Record<string, number> = {};
  for (const { skipped } of bad)
    for (const [reason, count] of Object.entries(skipped)) expected[reason] = (expected[reason] ?? 0) + count;
  for (const [reason, count] of Object.entries(expected))
    assert.equal((result.skipped[reason] ?? 0) - (alone.result.skipped[reason] ?? 0), count, `${reason} is counted`);
  const missing = bad.filter(({ missing: why }) => why !== undefined).length + REFUSED.length;
  assert.ok(result.files.missing - alone.result.files.missing >= missing, 'bad files are in FILES_MISSING');
  for (const started of scene.started)
    assert.deepEqual(await triedAgain(scene, started), [], 'no activity is repeated');
  const verified = await scene.command('verify');
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  return { times: bad.length + messages.length + written.length, outcome };
}

function expectedQuarantine(): string[] {
  const reasons = [...MESSAGES, ...REFUSED.map(([, text, reason]) => [text, reason] as const)].map(
    ([, reason]) => reason,
  );
  return [...reasons, 'unknown_task'].toSorted();
}

/** The story's own scene has other settings, and both days want buckets of their own. */
async function inOtherScene<T>(
  scene: Scene,
  settings: Record<string, string>,
  work: (other: Scene) => Promise<T>,
): Promise<T> {
  const other = await Scene.open(scene.stage, { settings });
  // Real ones analyse.
  await other.analysts.stop();
  try {
    return await work(other);
  } catch (error) {
    process.stderr.write(`${(await other.logs()).slice(-6000)}\n`);
    throw error;
  } finally {
    await other.close();
  }
}
