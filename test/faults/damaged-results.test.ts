/** Results that arrive cut off, that are stored damaged, that are bombs, or whose numbers are none: refused by rule, without effect on the rest. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { triedAgain } from './harness/attempts.ts';
import { faultTest } from './harness/fault-test.ts';
import type { MadeUpRow } from './harness/made-up-days.ts';
import { judge } from './harness/oracle.ts';
import { reasonsOf } from './harness/quarantined.ts';
import type { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const MIB = 1 << 20;
/** Some 330 of them are the worker at rest; what a thread may hold for a merge comes on top, however large a result is. */
const MAX_RSS_MIB = 768;
const CUT_OFF = 6;

/** All input files but those of these tasks. */
function without(scene: Scene, tasks: readonly string[]): Map<string, string> {
  const lost = new Set(tasks.flatMap((id) => scene.analysts.tasks.get(id)?.files ?? []));
  const kept = [...scene.days.values()].flat().filter((key) => !lost.has(key));
  return new Map(kept.map((key) => [key, '']));
}

/** Each of the results instead of one task's own, in the order in which tasks come. */
function spoil(scene: Scene, results: readonly ((made: string) => string | Buffer)[]): string[] {
  const spoilt: string[] = [];
  scene.analysts.script = {
    resultOf: ({ id }, made) => {
      const result = results[spoilt.length];
      if (result === undefined) return made;
      spoilt.push(id);
      return result(made);
    },
  };
  return spoilt;
}

async function peakMib(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}

/** A result of so many good rows that ends in a line without a TAB: all of it is held until then. */
function endlessRows(count: number): Buffer {
  const perLine = 100_000;
  const parts: string[] = [];
  for (let row = 0; row < count; row += 1) {
    parts.push(row % perLine === 0 ? `${row === 0 ? '' : '}\n'}nightly/28/M${row / perLine}/by-build-date\t{` : ',');
    parts.push(`"20131028/r/a/o/v/${row}":{"values":[1,1,1,1,1,1,1],"buildId":"0","revision":""}`);
  }
  return Buffer.from(`${parts.join('')}}\nthe end`);
}

/** Good JSON and not one row, in a line that no memory should have to hold. */
function endlessLine(bytes: number): Buffer {
  const line = Buffer.alloc(bytes, ' ');
  line.write('nightly/28/GC_MS/by-build-date\t{');
  line.write('}', bytes - 1);
  return line;
}

describe('damaged results', { concurrency: 2 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F11',
    title: 'bodies of results end in the middle',
    injected: 'GET result.txt: half of the promised bytes, then the connection ends',
    story: async (scene) => {
      await scene.storeDay(DAY, 12);
      const fault = { kind: 'truncateBody' } as const;
      scene.s3.add({ name: 'cut off', method: 'GET', key: /result\.txt$/, times: CUT_OFF, fault });
      scene.watchPublished();
      scene.startWorker();
      const result = await scene.runDay(DAY);
      assert.equal(result.done, result.planned, 'O4: the next try brings the whole result');
      await judge(scene, { seq: 1, results: [result] });
      const gets = scene.s3.trace.filter(({ method, key }) => method === 'GET' && key.endsWith('result.txt'));
      return { times: CUT_OFF, seen: `${gets.length} GETs for ${result.done} results, all of them whole` };
    },
    twin: { without: 'brokenOffBodies', fails: /O4|O1|Workflow execution failed/ },
  });

  faultTest(stage, {
    id: 'F11',
    title: 'results that are stored damaged',
    injected: 'cut off, bytes changed, other bytes, nothing at all',
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      const spoilt = spoil(scene, [
        (made) => made.slice(0, made.length / 2),
        (made) => Buffer.from(made).map((byte, index) => (index % 7 === 3 ? byte ^ 0x55 : byte)) as Buffer,
        () => gunzipSync(Buffer.from('H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA==', 'base64')),
        () => Buffer.alloc(4096),
      ]);
      scene.watchPublished();
      scene.startWorker();
      const result = await scene.runDay(DAY);
      assert.deepEqual(result.failedTasks, { result_rejected: spoilt.length }, 'they count as failed');
      assert.equal((await reasonsOf(scene)).length, spoilt.length, 'each is in quarantine once');
      await judge(scene, { seq: 1, results: [result], counted: without(scene, spoilt) });
      return { times: spoilt.length, seen: `in quarantine: ${(await reasonsOf(scene)).join(', ')}; others merged` };
    },
  });

  faultTest(stage, {
    id: 'F12',
    title: 'bombs of results',
    timeoutMs: 240_000,
    injected: 'a result of 2,000,000 rows, a line of 100 MB',
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      const spoilt = spoil(scene, [() => endlessRows(2_000_000), () => endlessLine(100 * MIB)]);
      scene.watchPublished();
      const worker = scene.startWorker();
      const run = await scene.startDay(DAY, { giveUpSeconds: 90 });
      const result = await run.result();
      assert.deepEqual(result.failedTasks, { result_rejected: 2 }, 'both are refused');
      const reasons = await reasonsOf(scene);
      assert.ok(reasons.includes('line_too_long'), `named reasons: ${reasons.join()}`);
      const peak = await peakMib(worker.pid);
      assert.ok(peak < MAX_RSS_MIB, `the worker held ${peak} MiB`);
      assert.deepEqual(await triedAgain(scene, run), [], 'no heartbeat was late');
      await judge(scene, { seq: 1, results: [result], counted: without(scene, spoilt) });
      return { times: 2, seen: `${reasons.join(', ')}; at most ${peak} MiB, no heartbeat late` };
    },
    twin: { without: 'endlessLines', fails: /both are refused/ },
  });

  faultTest(stage, {
    id: 'F13',
    title: 'numbers and names that are none',
    injected: 'NaN, inf, 1e999, −0, 2^53+1, wrong lengths, __proto__, repeated members',
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      const spoilt = spoil(scene, [
        (made) => `${made}${line('NaN')}`,
        (made) => `${made}${line('-Infinity')}`,
        (made) => `${made}${line('1.')}`,
      ]);
      const { resultOf } = scene.analysts.script;
      let odd = 0;
      scene.analysts.script = {
        resultOf: (task, made) => {
          const result = resultOf?.(task, made) ?? made;
          if (result !== made || odd > 0) return result;
          odd += 1;
          return `${made}${ODD_LINES}`;
        },
      };
      scene.watchPublished();
      scene.startWorker();
      const result = await scene.runDay(DAY);
      // Statistics that only one side has recorded belong to the made-up rows.
      const { mixed_statistics: _, ...dropped } = result.dropped;
      assert.deepEqual(dropped, DROPPED, 'rows that are dropped');
      assert.deepEqual(result.failedTasks, { result_rejected: spoilt.length });
      assert.deepEqual(await reasonsOf(scene), ['bad_json', 'bad_json', 'bad_json']);
      for (const key of await scene.keys(scene.published, 'v7/')) {
        const { body } = await scene.published.get(key);
        const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString('utf8');
        if (key.endsWith('-date.json')) assert.doesNotMatch(text, /null|NaN|Inf|e\+/, key);
        if (key.endsWith('.json')) JSON.parse(text);
      }
      await judge(scene, { seq: 1, results: [result], counted: without(scene, spoilt), more: ODD_ROWS });
      return { times: 3 + 11, seen: `3 results refused, rows dropped: ${JSON.stringify(dropped)}` };
    },
    twin: { without: 'anyNumber', fails: /rows that are dropped/ },
  });
});

const BUILD = '20131028030204';
const PATH = 'saved_session/Firefox/WINNT/6.1/x86';

function row(first: string, more = '0,0,0,0,1,1,1,0,1', build = BUILD): string {
  return `{"values":[${first},${more}],"buildId":"${build}","revision":""}`;
}

function line(first: string): string {
  return `nightly/28/ODD/by-build-date\t{"20131028/${PATH}":${row(first)}}\n`;
}

/** Of a measure of its own, so that what must come of it can be said here. */
const ODD_LINES = [
  `nightly/28/ODD/by-build-date\t{${[
    `"20131028/${PATH}":${row('-0')}`,
    `"20131027/${PATH}":${row('9007199254740993')}`,
    // Shorter than what the newest build has: kept, but not shown.
    `"20131026/${PATH}":${row('1', '1,1,1,1,0,1', '20131001030204')}`,
    // Repeated: they add up.
    `"20131025/${PATH}":${row('1')}`,
    `"20131025/${PATH}":${row('2')}`,
    `"20131024/__proto__/constructor/toString/prototype/x":${row('3')}`,
    // Dropped from here on.
    `"20131028/${PATH}":${row('1e999')}`,
    `"20131028/${PATH}":${row('-1e999')}`,
    `"20131028/${PATH}":${row('null')}`,
    `"20131028/${PATH}":${row('"7"')}`,
    `"20131028/${PATH}":{"values":[1,2,3],"buildId":"${BUILD}","revision":""}`,
    `"20131028/${PATH}":{"values":[${Array(10_007).fill(1).join(',')}],"buildId":"${BUILD}","revision":""}`,
    `"__proto__":{"polluted":true}`,
    `"20131028/${PATH}":{"__proto__":{"values":[1,1,1,1,1,1,1]},"buildId":"${BUILD}","revision":""}`,
  ].join(',')}}\n`,
  `nightly/28/__proto__/by-build-date\t{"20131028/${PATH}":${row('4')}}\n`,
].join('');

const DROPPED = { bad_number: 2, null_value: 1, bad_values: 4, bad_path: 1 };

const ODD_ROWS: readonly MadeUpRow[] = [
  shown('ODD', '20131028', PATH, [0]),
  shown('ODD', '20131027', PATH, [2 ** 53]),
  shown('ODD', '20131025', PATH, [1]),
  shown('ODD', '20131025', PATH, [2]),
  shown('ODD', '20131024', '__proto__/constructor/toString/prototype/x', [3]),
  shown('__proto__', '20131028', PATH, [4]),
];

function shown(measure: string, date: string, path: string, first: readonly number[]): MadeUpRow {
  const values = [...first, 0, 0, 0, 0, 1, 1, 1, 0, 1];
  return { channelVersion: 'nightly/28', measure, byDate: 'by-build-date', date, path, values, buildId: BUILD };
}
