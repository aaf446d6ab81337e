/**
 * The generators of the benchmarks: data of the shape of the real one, the same for a seed, that the application takes
 * without leaving anything out.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { atScale } from '../fakes/at-scale.ts';
import { DENSE, generateResults, SPARSE } from '../../bench/generators/results.ts';
import { resultsShape, type Shape, submissionsShape } from '../../bench/generators/shape.ts';
import { generateSubmissions, SUBMISSIONS } from '../../bench/generators/submissions.ts';
import { SUBMISSION_LIMITS } from '../../src/limits.ts';
import { isAddition } from '../../src/pipeline/dataset/additions.ts';
import { DEFAULT_RULES } from '../../src/pipeline/submissions/aggregator.ts';
import { aggregateSubmissions } from '../../src/threads/aggregate-submissions.ts';
import { partsToResult } from '../../src/threads/merge-parts.ts';
import { mergeResults } from '../../src/threads/merge-results.ts';
import { renderSnapshotFiles } from '../../src/threads/render-snapshot.ts';

const shared = new URL('../../../shared/bench/', import.meta.url).pathname;
const skip = !existsSync(shared)
  ? `${shared} is not there: nothing to compare with`
  : atScale
    ? false
    : 'npm run test:all runs it';

const work = mkdtempSync(join(tmpdir(), 'generators-'));
after(() => {
  rmSync(work, { recursive: true });
});
const newFolder = (): string => mkdtempSync(join(work, 'f-'));

const FEW = { files: 12, lines: 400 };
const FEW_SUBMISSIONS = { files: 10, perFile: 82 };
const DENSE_OPTIONS = '--measures 620 --bases 4 --span 5 --dates 5 --cvs nightly/28,aurora/27,beta/26'.split(' ');

/** What the generator outside of the project makes of real data. */
function multiplied(program: string, options: readonly (string | number)[]): string {
  const folder = newFolder();
  execFileSync('python3', [join(shared, program), folder, ...options.map(String)], { stdio: 'ignore' });
  return folder;
}

function assertSameShape(context: TestContext, own: Shape, real: Shape): void {
  context.diagnostic(JSON.stringify({ own, real }));
  assert.deepEqual(Object.keys(own), Object.keys(real));
  for (const [figure, value] of Object.entries(real)) {
    const ratio = (own[figure] ?? Number.NaN) / value;
    assert.ok(ratio > 0.9 && ratio < 1.1, `${figure}: ${own[figure] ?? '?'}, real ${value}`);
  }
}

describe('generated results', () => {
  for (const [name, plan, options] of [
    ['sparse', SPARSE, []],
    ['dense', DENSE, DENSE_OPTIONS],
  ] as const) {
    it(`that are ${name} have the shape of real data within 10 %`, { skip }, async (context) => {
      const own = newFolder();
      await generateResults(own, { ...plan, ...FEW });
      const real = multiplied('gen_corpus.py', ['--files', FEW.files, '--lines', FEW.lines, ...options]);
      assertSameShape(context, await resultsShape(own), await resultsShape(real));
    });

    it(`that are ${name} are merged whole, and are the same for a seed`, async () => {
      const few = { ...plan, files: 2, lines: 60 };
      const [once, again, other] = [newFolder(), newFolder(), newFolder()];
      const paths = await generateResults(once, few);
      await generateResults(again, few);
      await generateResults(other, { ...few, seed: 'another' });
      const read = (folder: string): string => readFileSync(join(folder, 'result-1.txt'), 'utf8');
      assert.equal(read(once), read(again));
      assert.notEqual(read(once), read(other));
      const merged = await mergeResults({
        results: paths.map((path) => ({ id: path, path })),
        folder: newFolder(),
        limits: { maxLineBytes: 1 << 24, maxTableBytes: 1 << 27 },
      });
      assert.deepEqual(merged.rejected, []);
      assert.deepEqual(merged.dropped, {});
      const { rows = 0, 'distinct rows, % of rows': share = 0 } = await resultsShape(once);
      const slots = merged.parts.reduce((sum, part) => sum + part.slots, 0);
      assert.equal(slots, Math.round((rows * share) / 100));
    });
  }
});

describe('generated submissions', () => {
  it('have the shape of real data within 10 %', { skip }, async (context) => {
    const own = newFolder();
    await generateSubmissions(own, { ...SUBMISSIONS, ...FEW_SUBMISSIONS });
    const { files, perFile } = FEW_SUBMISSIONS;
    const real = multiplied('gen_submissions.py', ['--files', files, '--per-file', perFile]);
    assertSameShape(context, await submissionsShape(own), await submissionsShape(real));
  });

  it('are all counted, of both containers, and are the same for a seed', async () => {
    const plan = { ...SUBMISSIONS, files: 10, perFile: 3 };
    const folder = newFolder();
    const files = await generateSubmissions(folder, plan);
    const again = await generateSubmissions(newFolder(), plan);
    for (const [index, { key, path }] of files.entries()) {
      assert.equal(key, again[index]?.key);
      assert.deepEqual(readFileSync(path), readFileSync(again[index]!.path));
    }
    assert.deepEqual(readFileSync(files[9]!.path).subarray(1, 5).toString(), '7zXZ');
    const { records, skipped, decodedBytes } = await aggregateSubmissions({
      ...{ files, output: join(folder, 'result.txt'), folder: newFolder() },
      ...{ rules: DEFAULT_RULES, limits: SUBMISSION_LIMITS },
    });
    assert.deepEqual([records, skipped], [30, {}]);
    assert.equal(
      decodedBytes,
      files.reduce((sum, file) => sum + file.decodedBytes, 0),
    );
  });
});

describe('baselines', () => {
  const few = { ...DENSE, files: 3, lines: 80, measures: 40 };
  const baseline = (name: string, ...args: string[]): Buffer =>
    execFileSync(process.execPath, [resolve('bench/baselines', name), ...args]);

  async function merged(folder: string, results: readonly string[]) {
    const files = results.map((path) => ({ id: path, path }));
    const limits = { maxLineBytes: 1 << 24, maxTableBytes: 1 << 27 };
    const { parts } = await mergeResults({ results: files, folder, limits });
    const output = join(folder, 'merged.txt');
    await partsToResult({ parts: parts.map(({ path }) => path), output });
    return { parts, output };
  }

  it('naive-merge does the work of merge-results', async () => {
    const folder = newFolder();
    const results = await generateResults(folder, few);
    const { output } = await merged(folder, results);
    baseline('naive-merge.mjs', join(folder, 'naive.txt'), ...results);
    const rows = (path: string): unknown[] =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): unknown => [line.split('\t')[0], JSON.parse(line.split('\t')[1] ?? '')]);
    assert.deepEqual(rows(join(folder, 'naive.txt')), rows(output));
  });

  it('naive-render makes the files of the snapshots, but for the definitions', async () => {
    const folder = newFolder();
    const { parts, output } = await merged(folder, await generateResults(folder, few));
    baseline('naive-render.mjs', join(folder, 'naive'), output);
    for (const { channelVersion, path } of parts) {
      const rendered = join(newFolder(), 'rendered');
      const { files } = await renderSnapshotFiles({
        parts: [path],
        previous: null,
        definitions: null,
        output: rendered,
      });
      const names = files.map(({ name }) => name).filter((name) => name !== 'histograms.json');
      const made = readdirSync(join(folder, 'naive', channelVersion.replace('/', '-')));
      // Of a measure without rows of one by-date ours has an empty file.
      assert.deepEqual(
        made.filter((name) => !names.includes(name)),
        [],
      );
      const filled = files.filter(({ bytes }) => bytes > 40).map(({ name }) => name);
      assert.deepEqual(
        filled.filter((name) => !made.includes(name) && name !== 'histograms.json' && !isAddition(name)),
        [],
      );
    }
  });
});
