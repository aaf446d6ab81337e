/**
 * `merge-results` and `aggregate-submissions` of 1 GB beside 200 MB, on two threads: the time should grow as the bytes do, and the
 * memory not at all (bench/README.md).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateResults, SPARSE } from './generators/results.ts';
import { generateSubmissions, SUBMISSIONS } from './generators/submissions.ts';
import { type Command, compare, telemetry, withThreads } from './measure.ts';

const TIMES = 5;
const THREADS = 2;

const folder = await mkdtemp(join(tmpdir(), 'bench-large-'));
const writes = join(folder, 'written.txt');
try {
  const results = await generateResults(join(folder, 'results'), { ...SPARSE, files: TIMES * SPARSE.files });
  const merge = (files: number): Command =>
    telemetry(['merge-results', '-i', ...results.slice(0, files), '-o', writes]);
  await compareSizes('merge sparse', merge, SPARSE.files);
  await rm(join(folder, 'results'), { recursive: true });

  const plan = { ...SUBMISSIONS, files: TIMES * SUBMISSIONS.files };
  const submissions = await generateSubmissions(folder, plan);
  for (const files of [SUBMISSIONS.files, plan.files]) {
    const lines = submissions.slice(0, files).map(({ key, path }) => `${key}\t${path}\n`);
    await writeFile(join(folder, `${files}.txt`), lines.join(''));
  }
  const aggregate = (files: number): Command =>
    telemetry(['aggregate-submissions', '-i', join(folder, `${files}.txt`), '-o', writes]);
  await compareSizes('aggregate', aggregate, SUBMISSIONS.files);
} finally {
  await rm(folder, { recursive: true });
}

async function compareSizes(title: string, command: (files: number) => Command, files: number): Promise<void> {
  await compare(`${title}, ${THREADS} threads`, [
    { name: '200 MB', command: withThreads(THREADS, command(files)), writes },
    { name: '1 GB', command: withThreads(THREADS, command(TIMES * files)), writes, baseline: '200 MB' },
  ]);
}
