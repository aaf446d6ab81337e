/** `aggregate-submissions` on generated submissions. Floor: 60 MB/s of decoded text with 2 threads. */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { generateSamples } from '../src/local-stack/samples/generate.ts';
import { measureTelemetry, medianOf, report } from './measure.ts';

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
} finally {
  await rm(folder, { recursive: true });
}
