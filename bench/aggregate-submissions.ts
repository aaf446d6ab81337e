/**
 * `aggregate-submissions` on 50 generated files of 82 submissions. Beside it `xz -dc` of the same files, which only decodes them
 * (bench/README.md).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSubmissions, SUBMISSIONS } from './generators/submissions.ts';
import { compare, has, onOneCore, telemetry, type Way, withThreads } from './measure.ts';

const folder = await mkdtemp(join(tmpdir(), 'bench-aggregate-'));
try {
  const files = await generateSubmissions(folder, SUBMISSIONS);
  const list = join(folder, 'list.txt');
  await writeFile(list, files.map(({ key, path }) => `${key}\t${path}\n`).join(''));
  const writes = join(folder, 'result.txt');
  const aggregate = telemetry(['aggregate-submissions', '-i', list, '-o', writes]);
  const xz: Way[] = has('xz')
    ? [
        {
          name: 'xz -dc',
          command: onOneCore({ program: 'xz', args: ['-dc', ...files.map(({ path }) => path)], output: devNull }),
        },
      ]
    : [];
  if (xz.length === 0) process.stdout.write('xz is not on this machine: no baseline\n');
  const ways = [1, 2].map((threads): Way => ({
    name: `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    command: withThreads(threads, aggregate),
    writes,
    ...(xz.length > 0 && { baseline: 'xz -dc' }),
  }));
  await compare('aggregate', [...xz, ...ways]);
} finally {
  await rm(folder, { recursive: true });
}
