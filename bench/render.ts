/**
 * Render and gzip of about 126 MB of merged rows, as `renderSnapshotFiles` does it: the parts of seven channel/versions → the
 * files of their snapshots, with the table for analysts and without. Beside it a naive program that makes the same files of the merged result (bench/README.md).
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MERGE_LIMITS } from '../src/limits.ts';
import { createThreadPool } from '../src/threads/pool.ts';
import { generateResults, SPARSE } from './generators/results.ts';
import { compare, onOneCore, type Way, withThreads } from './measure.ts';

/** Their rows hardly meet, so that the merged text is nearly as large as theirs. */
const FILES = 32;

const [, , mode, output = '', ...parts] = process.argv;
if (mode === 'child' || mode === 'child-table') await render(output, parts, mode === 'child-table');
else await benchmark();

/** What is measured: a process that renders every part, as many at once as it has threads. */
async function render(folder: string, given: readonly string[], withTable: boolean): Promise<void> {
  const threads = createThreadPool(Number(process.env['TELEMETRY_THREADS']));
  await mkdir(folder, { recursive: true });
  await Promise.all(
    given.map(async (part, index) => {
      const output = join(folder, String(index));
      const table = withTable ? { output: `${output}.parquet`, channelVersion: 'nightly/28' } : undefined;
      return threads.renderSnapshotFiles({ parts: [part], previous: null, definitions: null, output, table });
    }),
  );
  await threads.close();
}

async function benchmark(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-render-'));
  try {
    const results = await generateResults(join(folder, 'results'), { ...SPARSE, files: FILES });
    const { merged, text } = await mergedParts(results, folder);
    await rm(join(folder, 'results'), { recursive: true });
    const naive = [resolve('bench/baselines/naive-render.mjs'), join(folder, 'naive'), text];
    const writes = join(folder, 'rendered');
    const child = (mode: 'child' | 'child-table') => ({
      program: process.execPath,
      args: [fileURLToPath(import.meta.url), mode, writes, ...merged],
    });
    await compare('render', [
      { name: 'naive', command: onOneCore({ program: process.execPath, args: naive }), writes: join(folder, 'naive') },
      ...[1, 2].flatMap((threads): Way[] => {
        const name = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
        return [
          { name, command: withThreads(threads, child('child')), writes, baseline: 'naive' },
          { name: `${name}, table`, command: withThreads(threads, child('child-table')), writes, baseline: name },
        ];
      }),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The parts, and the same rows as one result. */
async function mergedParts(results: readonly string[], folder: string): Promise<{ merged: string[]; text: string }> {
  const threads = createThreadPool(1);
  const files = results.map((path) => ({ id: path, path }));
  const { parts: made } = await threads.mergeResults({ results: files, folder, limits: MERGE_LIMITS });
  const merged = made.map(({ path }) => path);
  const text = join(folder, 'merged.txt');
  await threads.partsToResult({ parts: merged, output: text });
  await threads.close();
  return { merged, text };
}
