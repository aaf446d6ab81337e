/**
 * `merge-results` on 50 generated results of 4 MB, a day's chunk: sparse, where nearly every row stays, and dense, where many rows
 * are added to few. Beside it a naive program that does the same (bench/README.md).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DENSE, generateResults, SPARSE } from './generators/results.ts';
import { compare, onOneCore, telemetry, type Way, withThreads } from './measure.ts';

for (const [shape, plan] of [
  ['sparse', SPARSE],
  ['dense', DENSE],
] as const) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-merge-'));
  try {
    const results = await generateResults(join(folder, 'results'), plan);
    const writes = join(folder, 'merged.txt');
    const merge = telemetry(['merge-results', '-i', ...results, '-o', writes]);
    const naive = [resolve('bench/baselines/naive-merge.mjs'), writes, ...results];
    const ways: Way[] = [
      {
        name: 'naive',
        command: onOneCore({ program: process.execPath, args: ['--max-old-space-size=4096', ...naive] }),
        writes,
      },
      ...[1, 2].map((threads): Way => ({
        name: `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        command: withThreads(threads, merge),
        writes,
        baseline: 'naive',
      })),
    ];
    await compare(`merge ${shape}`, ways);
  } finally {
    await rm(folder, { recursive: true });
  }
}
