/**
 * Generated submissions → results with 2 threads: as the command, with its start and the merge of its groups, and as the
 * analysis worker does it, tasks in threads that run already. Floor: 60 MB/s of decoded text.
 */
import { mkdtempSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { generateSamples } from '../local/samples/generate.ts';
import { loadConfig, submissionRules } from '../src/config.ts';
import { SUBMISSION_LIMITS } from '../src/limits.ts';
import { createThreadPool } from '../src/threads/pool.ts';
import { measureTelemetry, medianOf, report } from './measure.ts';

const TASKS = 8;

const folder = await mkdtemp(join(tmpdir(), 'bench-aggregate-'));
try {
  // Records that repeat within the decoder's window: the stored size is about a ninth, as in the real file of 2013.
  const counts = await generateSamples({
    seed: 'bench',
    days: ['20131029'],
    directory: folder,
    files: 240,
    submissionsPerFile: 45,
    distinctPerFile: 20,
  });
  const root = join(folder, 'submissions');
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  let stored = 0;
  for (const path of files) stored += (await stat(path)).size;
  const list = join(folder, 'list.txt');
  await writeFile(list, files.map((path) => `${relative(root, path)}\t${path}\n`).join(''));
  const measured = await medianOf(3, () =>
    measureTelemetry(['aggregate-submissions', '-i', list, '-o', join(folder, 'result.txt')], {
      TELEMETRY_THREADS: '2',
    }),
  );
  const MB = counts.decodedBytes / 1e6;
  report('aggregate-submissions', {
    files: files.length,
    'decoded MB': MB,
    ratio: counts.decodedBytes / stored,
    seconds: measured.seconds,
    'MB/s': MB / measured.seconds,
    'peak MiB': measured.peakMiB,
  });
  process.stdout.write(measured.output);

  const threads = createThreadPool(2);
  const config = loadConfig({ TELEMETRY_HISTOGRAM_UPSTREAM: 'none' });
  const settings = { rules: submissionRules(config), limits: SUBMISSION_LIMITS };
  const tasks = Array.from({ length: TASKS }, (_, task) =>
    files.filter((_file, index) => index % TASKS === task).map((path) => ({ key: relative(root, path), path })),
  );
  const pass = async (): Promise<{ seconds: number }> => {
    const startedAt = performance.now();
    await Promise.all(
      tasks.map((task, index) =>
        threads.aggregateSubmissions({
          ...{ files: task, output: join(folder, `result-${index}.txt`) },
          folder: mkdtempSync(join(folder, 'spills-')),
          ...settings,
        }),
      ),
    );
    return { seconds: (performance.now() - startedAt) / 1000 };
  };
  // For the threads to start.
  await pass();
  const { seconds } = await medianOf(3, pass);
  await threads.close();
  report('the same in the analysis worker', { tasks: TASKS, seconds, 'MB/s': MB / seconds });
} finally {
  await rm(folder, { recursive: true });
}
