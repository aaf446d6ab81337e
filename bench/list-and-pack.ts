/** Walking and packing 200,000 keys into a plan, as `planTasks` does. Floor: 400 MB of memory. Runs itself as a process. */
import { fileURLToPath } from 'node:url';
import { compileFilter, parseFilter } from '../src/pipeline/filter/filter.ts';
import { type ListedEntry, walkPartitions } from '../src/pipeline/input-bucket/walk.ts';
import { packTasks } from '../src/pipeline/task-queue/pack.ts';
import { planLine } from '../src/pipeline/task-queue/plan.ts';
import { measure, report } from './measure.ts';

const KEYS = 200_000;
const CHANNELS = ['aurora', 'beta', 'nightly', 'release'];
const BUILDS = 50;
const DAY = '20131029';

if (process.argv[2] === 'child') await child();
else {
  const { seconds, peakMiB, output } = await measure({
    program: process.execPath,
    args: [fileURLToPath(import.meta.url), 'child'],
  });
  report('list-and-pack', { keys: KEYS, seconds, 'peak MiB': peakMiB, tasks: output.trim() });
}

async function child(): Promise<void> {
  const dimension = (field_name: string, allowed_values: unknown) => ({ field_name, allowed_values });
  const filter = parseFilter({
    version: 1,
    dimensions: [
      dimension('reason', '*'),
      dimension('appName', '*'),
      dimension('appUpdateChannel', CHANNELS),
      dimension('appVersion', '*'),
      dimension('appBuildID', '*'),
      dimension('submission_date', [DAY]),
    ],
  });
  compileFilter(filter);
  const limits = { maxFiles: 200, maxBytes: 400 << 20, maxMessageBytes: 262_144 };
  let tasks = 0;
  let bytes = 0;
  for await (const task of packTasks(
    '6f1c2a5e-3b0d-4d7e-9a41-0c5f7e2b9d10',
    walkPartitions(list, filter, {}),
    limits,
    (json) => 4 * Math.ceil((json + 300) / 3),
  )) {
    tasks += 1;
    bytes += planLine(task).length;
  }
  process.stdout.write(`${tasks} (${(bytes / 1e6).toFixed(0)} MB of plan)\n`);
}

/** A bucket that exists only as a rule. */
async function* list(prefix: string): AsyncGenerator<ListedEntry> {
  const parts = prefix.split('/');
  const folders = (names: readonly string[]): ListedEntry[] =>
    names.map((name) => ({ kind: 'folder', name: `${prefix}${name}/` }));
  if (parts.length <= 4) {
    yield* folders([['saved_session'], ['Firefox'], CHANNELS, ['28.0a1']][parts.length - 1] ?? []);
    return;
  }
  const dots = (parts[4] ?? '').split('.').length - 1;
  if (dots === 0)
    for (let build = 0; build < BUILDS; build += 1)
      yield { kind: 'folder', name: `${prefix}201310${10 + (build % 20)}0302${10 + build}.` };
  else if (dots === 1) yield { kind: 'folder', name: `${prefix}${DAY}.` };
  else {
    const perPartition = KEYS / CHANNELS.length / BUILDS;
    for (let file = 0; file < perPartition; file += 1)
      yield {
        kind: 'object',
        key: `${prefix}v2.log.${file.toString(16).padStart(32, '0')}.lzma`,
        size: 100_000 + file,
      };
  }
}
