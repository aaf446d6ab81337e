/** `aggregate-submissions` and `merge-results`: the original's two programs on local files. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { submissionLimits, submissionRules } from '../composition.ts';
import { addCounts } from '../pipeline/aggregates/chunk-head.ts';
import { reasons } from '../pipeline/dataset/run-report.ts';
import type { SubmissionFile } from '../threads/aggregate-submissions.ts';
import type { MergedPart, MergeResultsResult, ResultFile } from '../threads/merge-results.ts';
import { createThreadPool, type ThreadPool } from '../threads/pool.ts';
import { CommandError } from './command-error.ts';
import { readInput } from './run-day.ts';
import { print, say } from './terminal.ts';

/**
 * Inputs are cut into groups of about this size, whatever the number of threads: the grouping decides the order in which
 * log sums are added, and so the last digits of the result.
 */
const GROUP_SUBMISSION_BYTES = 4 << 20;
const GROUP_RESULT_BYTES = 100 << 20;

export interface AggregateOptions {
  /** File with lines `key TAB file`. */
  readonly input: string;
  readonly output: string;
}

export async function aggregateSubmissionFiles(config: Config, { input, output }: AggregateOptions): Promise<void> {
  const files = parseList(await readInput(input), input);
  const groups = await grouped(files, ({ path }) => path, GROUP_SUBMISSION_BYTES);
  const settings = { rules: submissionRules(config), limits: submissionLimits(config) };
  await withThreads(config, dirname(output), async (threads, folder) => {
    const passes = await Promise.all(
      groups.map(async (group, index) =>
        threads.aggregateSubmissions({ files: group, output: join(folder, `result-${index}`), ...settings }),
      ),
    );
    if (passes.length === 1) await rename(join(folder, 'result-0'), output);
    else {
      const merged = await mergeGroup(
        threads,
        config,
        passes.map((_, index) => ({ id: String(index), path: join(folder, `result-${index}`) })),
        join(folder, 'parts'),
      );
      await writeResult(threads, merged.parts, join(folder, 'whole'), output);
    }
    const skipped: Record<string, number> = {};
    for (const pass of passes) addCounts(skipped, pass.skipped);
    const records = passes.reduce((sum, pass) => sum + pass.records, 0);
    for (const { key, reason } of passes.flatMap((pass) => pass.filesFailed)) say(`left out: ${key} (${reason})`);
    print(`${output}: ${records} submissions of ${files.length} files; skipped: ${reasons(skipped) || 'none'}`);
  });
}

export interface MergeOptions {
  readonly input: readonly string[];
  readonly output?: string;
  /** Folder with one file per channel/version, into which the inputs are merged. */
  readonly folder?: string;
}

export async function mergeResultFiles(config: Config, { input, output, folder }: MergeOptions): Promise<void> {
  if ((output === undefined) === (folder === undefined))
    throw new CommandError('Give either -o FILE or -f DIR', { exitCode: 2 });
  const files = input.map((path): ResultFile => ({ id: path, path }));
  const groups = await grouped(files, ({ path }) => path, GROUP_RESULT_BYTES);
  await withThreads(config, folder ?? dirname(output ?? '.'), async (threads, work) => {
    const merged = await Promise.all(
      groups.map(async (group, index) => mergeGroup(threads, config, group, join(work, `group-${index}`))),
    );
    const rejected = merged.flatMap((group) => group.rejected);
    if (rejected.length > 0) {
      const list = rejected.map(({ id, reason, message }) => `  ${id}: ${reason}, ${message}`).join('\n');
      throw new CommandError(
        `${rejected.length} of ${input.length} results break the rules, so nothing was written:\n${list}`,
        { exitCode: 2 },
      );
    }
    const parts = merged.flatMap((group) => group.parts);
    const written =
      output !== undefined
        ? await writeResult(threads, parts, join(work, 'whole'), output)
        : await mergeIntoFolder(threads, config, parts, work, folder ?? '');
    const dropped: Record<string, number> = {};
    for (const group of merged) addCounts(dropped, group.dropped);
    print(
      `${output ?? folder ?? ''}: ${written} lines of ${input.length} results; dropped: ${reasons(dropped) || 'none'}`,
    );
  });
}

/** One file per channel/version; what is there already is merged in last, and replaced whole. */
async function mergeIntoFolder(
  threads: ThreadPool,
  config: Config,
  parts: readonly MergedPart[],
  work: string,
  folder: string,
): Promise<number> {
  const byChannelVersion = Map.groupBy(parts, ({ channelVersion }) => channelVersion);
  let lines = 0;
  for (const [channelVersion, own] of byChannelVersion) {
    const target = join(folder, channelVersion);
    await mkdir(dirname(target), { recursive: true });
    const exists = (await stat(target).catch(() => undefined)) !== undefined;
    const before = exists
      ? await mergeGroup(threads, config, [{ id: target, path: target }], join(work, `before-${lines}`))
      : undefined;
    const fault = before?.rejected[0];
    if (fault !== undefined)
      throw new CommandError(`${target} is no result: ${fault.message}; move it away, or mend it`, { exitCode: 2 });
    lines += await writeResult(threads, [...own, ...(before?.parts ?? [])], join(work, 'whole'), target);
  }
  return lines;
}

async function mergeGroup(
  threads: ThreadPool,
  config: Config,
  results: readonly ResultFile[],
  folder: string,
): Promise<MergeResultsResult> {
  await mkdir(folder);
  const limits = { maxLineBytes: config.TELEMETRY_MAX_LINE_BYTES, maxTableBytes: config.TELEMETRY_MAX_TABLE_BYTES };
  return threads.mergeResults({ results, folder, limits });
}

/** Writes beside the target and renames, so that the target is never half a file. */
async function writeResult(
  threads: ThreadPool,
  parts: readonly MergedPart[],
  beside: string,
  target: string,
): Promise<number> {
  const { lines } = await threads.partsToResult({ parts: parts.map(({ path }) => path), output: beside });
  await rename(beside, target);
  return lines;
}

/** Work files lie in the target's folder: renaming into place must not cross file systems. */
async function withThreads(
  config: Config,
  folder: string,
  work: (threads: ThreadPool, folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(folder, '.telemetry-'));
  const threads = createThreadPool(config.TELEMETRY_THREADS);
  try {
    await work(threads, temporary);
  } finally {
    await threads.close();
    await rm(temporary, { recursive: true, force: true });
  }
}

function parseList(text: string, name: string): SubmissionFile[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, index) => {
    const [key, path, ...more] = line.split('\t');
    if (key === undefined || path === undefined || more.length > 0) {
      throw new CommandError(
        `${name}, line ${index + 1}: expected "key TAB file", found ${JSON.stringify(line.slice(0, 200))}`,
        { exitCode: 2 },
      );
    }
    return { key, path };
  });
}

async function grouped<T>(items: readonly T[], pathOf: (item: T) => string, groupBytes: number): Promise<T[][]> {
  const groups: T[][] = [[]];
  let bytes = 0;
  for (const item of items) {
    const path = pathOf(item);
    const { size } = await stat(path).catch((error: unknown) => {
      throw new CommandError(`${path} cannot be read: ${(error as Error).message}`, { exitCode: 2 });
    });
    if (bytes >= groupBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(item);
    bytes += size;
  }
  return groups;
}
