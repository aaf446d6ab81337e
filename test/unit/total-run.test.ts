import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { planLine } from '../../src/pipeline/task-queue/plan.ts';
import { LocalObjects } from '../../src/state/local-objects.ts';
import { LineBlocks } from '../../src/threads/line-blocks.ts';
import { totalRun } from '../../src/threads/total-run.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { cases } from '../fakes/cases.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const work = mkdtempSync(join(tmpdir(), 'total-run-'));
after(() => {
  rmSync(work, { recursive: true });
});
const newFolder = (): string => mkdtempSync(join(work, 'f-'));
const RUN = '00000000-0000-4000-8000-000000000001';

describe('sorting lines in blocks', () => {
  it('gives all of them in order, whatever fits into a block, and keeps equal ones in the order in which they came', async () => {
    const byFirst = (a: string, b: string): number => (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : 0);
    const line = fc.tuple(fc.constantFrom('a', 'b', 'é', '\uffee'), fc.nat(9)).map(([key, n]) => `${key}${n}`);
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 20 }), async (lines, blockCharacters) => {
        const blocks = new LineBlocks(join(newFolder(), 'b'), byFirst, blockCharacters);
        for (const each of lines) await blocks.add(each);
        const groups = await Array.fromAsync(blocks.sorted());
        assert.deepEqual(groups.flat(), lines.toSorted(byFirst));
        assert.equal(new Set(groups.map(([first]) => first[0])).size, groups.length);
        assert.equal(blocks.lines, lines.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the totals of a run', () => {
  const key = fc
    .nat(12)
    .map((n) => `saved_session/Firefox/nightly/2${n % 3}.0a1/20131028030204.20131029.v2.log.f${n}.lzma`);
  const reason = fc.constantFrom('bad_container', 'truncated_file');

  it('have each file of the plan in one list, under the last reason that its chunks give', async () => {
    const task = fc.record({
      files: fc.uniqueArray(key, { maxLength: 4 }),
      state: fc.constantFrom('done', 'failed', 'missing'),
    });
    const failed = fc.array(fc.record({ key, reason }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(task),
        failed,
        failed,
        fc.array(key, { maxLength: 2 }),
        async (tasks, one, two, gone) => {
          const folder = newFolder();
          const numbers = (wanted: string): number[] =>
            tasks.flatMap(({ state }, index) => (state === wanted ? [index + 1] : []));
          const heads = [
            headOf(1, { filesFailed: one, missing: numbers('missing') }),
            headOf(2, { filesFailed: two, failed: numbers('failed').map((number) => ({ number, reason: 'aborted' })) }),
          ].map((text, index) => stored(join(folder, `head-${index}`), text));
          const plan = stored(
            join(folder, 'plan'),
            planOf(
              tasks.map(({ files }) => files),
              gone,
            ),
          );
          const result = await totalRun({ plan, heads, folder });

          const unread = new Map([...one, ...two].map((file) => [file.key, file.reason]));
          const lines = tasks.flatMap(({ files, state }) =>
            files.map((file) => {
              const why = { done: unread.get(file), failed: 'aborted', missing: 'no_result' }[state];
              return why === undefined ? file : `${file}\t${why}`;
            }),
          );
          const missing = [...lines.filter((line) => line.includes('\t')), ...gone.map((file) => `${file}\tnot_found`)];
          const processed = lines.filter((line) => !line.includes('\t'));
          assert.deepEqual(linesOf(result.processed.path), processed.toSorted());
          assert.deepEqual(linesOf(result.missing.path), missing.toSorted());
          assert.deepEqual([result.processed.files, result.missing.files], [processed.length, missing.length]);
          const why = Map.groupBy(missing, (line) => line.slice(line.indexOf('\t') + 1));
          const counts = Object.fromEntries([...why].map(([reason, some]) => [reason, some.length]));
          assert.deepEqual(result.missingReasons, counts);
          const channelVersions = tasks.flatMap(({ files }) =>
            files.map((file) => `nightly/${file.split('/')[3]!.slice(0, 2)}`),
          );
          assert.deepEqual(new Set(result.channelVersions), new Set(channelVersions));
        },
      ),
      { numRuns: cases(400) },
    );
  });

  it('name the file that is damaged', async () => {
    const folder = newFolder();
    const [good, bad] = [stored(join(folder, 'good'), headOf(1, {})), stored(join(folder, 'bad'), '[1]')];
    const plan = stored(join(folder, 'plan'), planOf([], []));
    const cut = stored(join(folder, 'cut'), planOf([['a']], []).subarray(0, -9));
    await assert.rejects(totalRun({ plan, heads: [good, bad], folder }), { reason: 'bad_chunk', message: /^\S*bad: / });
    await assert.rejects(totalRun({ plan: cut, heads: [good], folder }), { reason: 'bad_plan', message: /^\S*cut: / });
  });
});

describe('objects as local files', () => {
  it('tell which object is damaged, also when the path of one begins like that of another', async () => {
    const store = new MemoryObjectStore('analysis', new CallTrace());
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    for (const each of keys) store.store(each, each);
    const local = new LocalObjects(store, newFolder(), { what: 'a thing', name: 'x' }, new AbortController().signal);
    const paths = await local.paths(keys);
    for (const [index, path] of paths.entries()) {
      const read = (): Promise<never> => Promise.reject(new InvalidDataError('bad_plan', `${path}: it is empty`));
      const message = new RegExp(`^s3://analysis/k${index} is damaged: it is empty \\(a thing\\);`);
      await assert.rejects(local.reading(read), { message });
    }
  });
});

function stored(path: string, content: string | Buffer): string {
  writeFileSync(path, content);
  return path;
}

function linesOf(path: string): string[] {
  return gunzipSync(readFileSync(path)).toString().split('\n').slice(0, -1);
}

function headOf(chunk: number, members: Record<string, unknown>): string {
  const lists = { done: [], failed: [], missing: [], parts: [], filesFailed: [], filesPartial: [] };
  return JSON.stringify({ chunk, ...lists, records: 0, skipped: {}, dropped: {}, ...members });
}

function planOf(tasks: readonly (readonly string[])[], missingKeys: readonly string[]): Buffer {
  const head = {
    ...{ runId: RUN, day: '20131029', filter: null, job: { name: 'd', owner: 'o', code: 'c', targetQueue: 'q' } },
    limits: { maxFiles: 1, maxBytes: 1, maxMessageBytes: 1 },
    ...{ files: 0, tasks: tasks.length, bytes: 0, skipped: {}, missingKeys },
  };
  const lines = tasks.map((files, index) => planLine({ id: `${RUN}/${index + 1}`, files: [...files], size: 0 }));
  return gzipSync([JSON.stringify(head), ...lines].map((line) => `${line}\n`).join(''));
}
