/**
 * A day as a whole: the product's workflow and activities on a real Temporal server, with a million keys in the input
 * bucket, SQS by fauxqs, and an object store in memory. What each column says is in bench/README.md.
 *
 *     npm run bench day                               as it counts
 *     npm run bench day -- --keys=200000              fewer keys
 *     npm run bench day -- --latency=20               each S3 answer 20 ms later, as from a store elsewhere
 *     npm run bench day -- --processes=1,2,4          the same small day with so many workers (bench/day/scale-out.ts)
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureDay } from './day/measure-day.ts';
import { printDay } from './day/print-day.ts';
import { scaleOut } from './day/scale-out.ts';
import { optionOf } from './day/options.ts';

const directory = await mkdtemp(join(tmpdir(), 'bench-day-'));
try {
  await mkdir(join(directory, 'work'));
  const processes = optionOf('processes', '');
  if (processes === '') printDay(await measureDay(directory));
  else await scaleOut(directory, processes.split(',').map(Number));
} finally {
  await rm(directory, { recursive: true, force: true });
}
