/** `merge-results` on 50 generated results of 4 MB: a day's chunk. Floor: 100 MB/s with 2 threads, 300 MB of memory. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chanceFor } from '../local/samples/random.ts';
import { resultLines } from '../src/pipeline/aggregates/result-lines.ts';
import { SlotTable } from '../src/pipeline/aggregates/slot-table.ts';
import { measureTelemetry, medianOf, report } from './measure.ts';

const FILES = 50;
const FILE_BYTES = 4 << 20;

const folder = await mkdtemp(join(tmpdir(), 'bench-merge-'));
try {
  const paths = Array.from({ length: FILES }, (_, index) => join(folder, `result-${index}.txt`));
  let bytes = 0;
  for (const [index, path] of paths.entries()) {
    await writeFile(path, generatedResult(index));
    bytes += (await stat(path)).size;
  }
  const measured = await medianOf(3, () =>
    measureTelemetry(['merge-results', '-i', ...paths, '-o', join(folder, 'merged.txt')], { TELEMETRY_THREADS: '2' }),
  );
  report('merge-results', {
    files: FILES,
    MB: bytes / 1e6,
    seconds: measured.seconds,
    'MB/s': bytes / 1e6 / measured.seconds,
    'peak MiB': measured.peakMiB,
  });
} finally {
  await rm(folder, { recursive: true });
}

/** A result as a worker writes it: measures of several shapes, some systems and builds, mostly small numbers. */
function generatedResult(seed: number): string {
  const chance = chanceFor('merge-results', String(seed));
  const table = new SlotTable();
  const measures = table.measuresOf('nightly/28');
  const systems = [
    'WINNT/6.1/x86-64',
    'WINNT/6.1/x86',
    'WINNT/5.1/x86',
    'WINNT/6.3/x86-64',
    'Linux/3.1/x86-64',
    'Darwin/13.0.0/x86-64',
  ];
  for (let number = 0; table.bytes < FILE_BYTES * 2; number += 1) {
    const name = `MEASURE_${number}`;
    const buckets = [3, 12, 50, 50, 100][number % 5] ?? 3;
    for (const system of systems) {
      if (chance.happens(0.2)) continue;
      const build = 28 + chance.below(2);
      const values = Array.from({ length: buckets }, () => (chance.happens(0.6) ? 0 : chance.below(200)));
      const logs =
        buckets === 50 ? [chance.unit() * 1000, chance.unit() * 5000, -1, -1] : [-1, -1, chance.below(1e6), 0];
      const row = [...values, chance.below(100_000), ...logs, 1 + chance.below(50)];
      const path = `201310${build}/saved_session/Firefox/${system}`;
      for (const byDate of [0, 1] as const) {
        table.add(
          table.measure(measures, name),
          byDate,
          path,
          row,
          0,
          row.length,
          `201310${build}030201`,
          'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4',
        );
      }
    }
  }
  let text = '';
  for (const line of resultLines(table.sorted())) {
    text += `${line}\n`;
    if (text.length >= FILE_BYTES) break;
  }
  return text;
}
